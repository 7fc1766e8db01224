-- Dated facts and identifiers, and the caches that follow them.
BEGIN;
\ir fixture.psql
SELECT plan(17);

UPDATE library SET computers = 3, internet_mbps = 10.5 WHERE id = pg_temp.l(5);
SELECT results_eq($$SELECT fact COLLATE "default", recorded_on, value FROM library_fact WHERE library_id = pg_temp.l(5) ORDER BY fact$$,
                  $$VALUES ('computers', today(), 3.0::float8), ('internet_mbps', today(), 10.5)$$, 'a changed figure is recorded for today');
UPDATE library SET computers = 4 WHERE id = pg_temp.l(5);
SELECT is((SELECT array_agg(value) FROM library_fact WHERE library_id = pg_temp.l(5) AND fact = 'computers'), '{4}', 'once a day');
UPDATE library SET name = 'Lain', computers = 4 WHERE id = pg_temp.l(5);
INSERT INTO library_fact (library_id, fact, recorded_on, value) VALUES (pg_temp.l(5), 'computers', '2019-01-01', 9),
    (pg_temp.l(5), 'titles', '2019-01-01', 700);
SELECT is((SELECT (computers, titles)::text FROM library WHERE id = pg_temp.l(5)), '(4,700)', 'the latest of each is shown');
SELECT is((SELECT count(*) FROM library_fact WHERE library_id = pg_temp.l(5) AND fact = 'titles'), 1::bigint,
          'a fact of the past is not one of today');
INSERT INTO library_fact (library_id, fact, recorded_on, value) VALUES (pg_temp.l(5), 'titles', '2020-01-01', 800);
SELECT is((SELECT titles FROM library WHERE id = pg_temp.l(5)), 800, 'a later one takes its place');
DELETE FROM library_fact WHERE library_id = pg_temp.l(5) AND fact = 'titles' AND recorded_on = '2020-01-01';
SELECT is((SELECT titles FROM library WHERE id = pg_temp.l(5)), 700, 'and gives it back');
UPDATE library SET titles = NULL WHERE id = pg_temp.l(5);
SELECT is((SELECT array_agg(value ORDER BY recorded_on) FROM library_fact WHERE library_id = pg_temp.l(5) AND fact = 'titles'),
          '{700,NULL}', 'that a figure is no longer known is recorded, too');
SELECT throws_ok($$INSERT INTO library_fact (library_id, fact, recorded_on, value) VALUES (pg_temp.l(5), 'titles', today() + 1, 1)$$,
                 'TB001', 'refused: date_in_future', 'nothing is known of tomorrow');
SELECT throws_ok(format('INSERT INTO library_fact (library_id, fact, recorded_on, value) VALUES (pg_temp.l(5), %s)', wrong), '23514', NULL,
                 wrong || ' is refused')
FROM (VALUES ($$'titles', '-infinity', 1$$), ($$'titles', '2018-01-01', -1$$), ($$'titles', '2018-01-01', 1.5$$),
             ($$'internet_mbps', '2018-01-01', 'NaN'$$), ($$'visitors', '2018-01-01', 1$$)) AS w (wrong);

INSERT INTO library_identifier (library_id, scheme, value) VALUES (pg_temp.l(5), 'onesearch', 'IOS1'), (pg_temp.l(5), 'npsn', '1');
UPDATE library_identifier SET value = '2' WHERE library_id = pg_temp.l(5) AND scheme = 'npsn';
SELECT is((SELECT identifiers FROM library WHERE id = pg_temp.l(5)),
          '[{"scheme": "npsn", "value": "2"}, {"scheme": "onesearch", "value": "IOS1"}]', 'a library shows its identifiers, by scheme');
SELECT throws_ok($$INSERT INTO library_identifier (library_id, scheme, value) VALUES (pg_temp.l(6), 'onesearch', 'IOS1')$$, '23505',
                 'duplicate key value violates unique constraint "library_identifier_value_key"', 'one value belongs to one library');
SELECT throws_ok($$INSERT INTO library_identifier (library_id, scheme, value) VALUES (pg_temp.l(6), 'isbn', '1')$$, '23514', NULL, 'no other schemes');
DELETE FROM library_identifier WHERE library_id = pg_temp.l(5);
UPDATE library SET identifiers = '[{"scheme": "npsn", "value": "9"}]' WHERE id = pg_temp.l(5);
SELECT is((SELECT identifiers FROM library WHERE id = pg_temp.l(5)), '[]', 'nothing else is shown, whoever writes it');

SELECT finish();
ROLLBACK;
