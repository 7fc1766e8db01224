-- A library's own row: what is absent, what is closed, what is one of a kind.
BEGIN;
\ir fixture.psql
SELECT plan(59);

-- ---- NPP ---------------------------------------------------------------------------------------------------
UPDATE library SET npp = '1901062D2000001' WHERE id = pg_temp.l(5);
SELECT throws_ok($$UPDATE library SET npp = '1901062D2000001' WHERE id = pg_temp.l(4)$$, '23505',
                 'duplicate key value violates unique constraint "library_npp_key"', 'an NPP belongs to one library');
SELECT is((SELECT array_agg(npp) FROM library WHERE id IN (pg_temp.l(2), pg_temp.l(3))), '{NULL,NULL}', 'many have none');
UPDATE library SET npp = '0' WHERE id = pg_temp.l(3);
UPDATE library SET npp = ' - ' WHERE id = pg_temp.l(4);
UPDATE library SET npp = '' WHERE id = pg_temp.l(6);
SELECT is((SELECT count(npp) FROM library WHERE id IN (pg_temp.l(3), pg_temp.l(4), pg_temp.l(6))), 0::bigint, '0, - and nothing mean absent');
SELECT throws_ok(format('UPDATE library SET npp = %L WHERE id = pg_temp.l(3)', wrong), '23514',
                 'new row for relation "library" violates check constraint "library_npp_check"', wrong || ' is no NPP')
FROM (VALUES ('1901062d2000001'), ('190106D22000001'), ('1901062D200001'), ('1901062D20000011')) AS w (wrong);

-- ---- values ------------------------------------------------------------------------------------------------
SELECT throws_ok(format('UPDATE library SET %s WHERE id = pg_temp.l(5)', change), '23514', NULL, change || ' is refused')
FROM (VALUES ('name = '' '''), ('status = ''gone'''), ('latitude = 1'), ('longitude = 1'), ('latitude = 91, longitude = 1'),
             ('latitude = 1, longitude = -181'), ('latitude = ''NaN'', longitude = 1'), ('latitude = 1, longitude = ''Infinity'''),
             ('postal_code = ''1234'''), ('email = ''nobody'''), ('phone = '' '''), ('address = '''''), ('website = '' '''),
             ('computers = -1'), ('servers = -1'), ('internet_mbps = -1'), ('internet_mbps = ''NaN'''),
             ('internet_mbps = ''Infinity'''), ('staff_count = -1'), ('titles = -1'), ('copies = -1'), ('digital_titles = -1'),
             ('applications = ''{}''')) AS w (change);
SELECT throws_ok($$UPDATE library SET founded_on = today() + 1 WHERE id = pg_temp.l(5)$$, 'TB001', 'refused: date_in_future',
                 'nothing is founded tomorrow');
SELECT throws_ok($$UPDATE library SET founded_on = '-infinity' WHERE id = pg_temp.l(5)$$, '23514', NULL, 'dates are finite');
UPDATE library SET latitude = -1.85, longitude = 106.11 WHERE id = pg_temp.l(5);
SELECT ok((SELECT abs(earth_distance_km(location, earth_point(-1.85, 107.11)) - 111.134) < 0.01 FROM library WHERE id = pg_temp.l(5)),
          'a degree of longitude near the equator is 111 km');
SELECT ok((SELECT location <@ earth_box(earth_point(-1.85, 107.11), 111.2) AND NOT location <@ earth_box(earth_point(-1.85, 107.11), 100)
           FROM library WHERE id = pg_temp.l(5)), 'and the box of a radius holds what lies within it');

-- ---- kinds -------------------------------------------------------------------------------------------------
SELECT throws_ok($$INSERT INTO library (name, kind) VALUES ('Nasional kedua', 'national')$$, '23505',
                 'duplicate key value violates unique constraint "library_national_key"', 'there is one national library');
SELECT throws_ok($$INSERT INTO library (name, kind, region_code) VALUES ('X', 'school', '97.01')$$, '23514', NULL, 'no other kinds');
SELECT throws_ok($$UPDATE library SET kind = 'tbm' WHERE id = pg_temp.l(5)$$, '23001', NULL, 'a kind never changes');
SELECT throws_ok($$UPDATE library SET id = pg_temp.l(99) WHERE id = pg_temp.l(5)$$, '23001', NULL, 'an id never changes');
SELECT throws_ok($$DELETE FROM library WHERE id = pg_temp.l(6)$$, '23001', NULL, 'a library is closed, never deleted');
SELECT is((SELECT array_agg(contact_public ORDER BY id) FROM library WHERE id BETWEEN pg_temp.l(2) AND pg_temp.l(6)),
          '{t,t,t,f,f}', 'contacts are public unless told, but not those of villages and TBM');
UPDATE library SET contact_public = NULL, applications = NULL WHERE id = pg_temp.l(5);
SELECT is((SELECT (contact_public, applications)::text FROM library WHERE id = pg_temp.l(5)), '(f,[])', 'null is the default again');

-- ---- versions ----------------------------------------------------------------------------------------------
CREATE TEMPORARY TABLE was AS SELECT row_version, updated_at FROM library WHERE id = pg_temp.l(4);
UPDATE library SET name = name, row_version = 99, updated_at = '2001-01-01' WHERE id = pg_temp.l(4);
SELECT is((SELECT row_version FROM library WHERE id = pg_temp.l(4)), (SELECT row_version FROM was), 'what changes nothing is no new version');
UPDATE library SET name = 'Perpustakaan Dua' WHERE id = pg_temp.l(4);
SELECT is((SELECT row_version FROM library WHERE id = pg_temp.l(4)), (SELECT row_version + 1 FROM was), 'a change is one');
SELECT is((SELECT updated_at FROM library WHERE id = pg_temp.l(4)), now(), 'of now');
SELECT is((SELECT row_version FROM library WHERE id = pg_temp.l(3)), 1::bigint, 'a new library is version 1');

-- ---- closing and reopening -----------------------------------------------------------------------------------
SELECT throws_ok($$UPDATE library SET status = 'closed', closed_on = today() + 1 WHERE id = pg_temp.l(6)$$, 'TB001',
                 'refused: date_in_future', 'nothing closes tomorrow');
SELECT throws_ok($$UPDATE library SET status = 'closed', closed_on = '2017-12-31' WHERE id = pg_temp.l(6)$$, 'TB001',
                 'refused: date_before_previous', 'nor before it was opened');
SELECT throws_ok($$UPDATE library SET status = 'closed' WHERE id = pg_temp.l(5)$$, 'TB001', 'refused: library_has_dependents',
                 'nor while it supervises others');
UPDATE library SET status = 'closed', closed_on = '2020-06-30' WHERE id = pg_temp.l(6);
SELECT is((SELECT (status, closed_on, closed_at = now(), region_code)::text FROM library WHERE id = pg_temp.l(6)),
          '(closed,2020-06-30,t,97.01.01.2001)', 'a closed library has its last day and keeps its place');
SELECT is((SELECT ends_on FROM library_placement WHERE library_id = pg_temp.l(6)), '2020-06-30'::date, 'its placement ends with it');
SELECT lives_ok($$UPDATE library SET status = 'closed' WHERE id = pg_temp.l(5)$$, 'now its supervisor can close');
SELECT lives_ok($$UPDATE library SET status = 'inactive' WHERE id = pg_temp.l(5)$$, 'and be reopened');
SELECT is((SELECT array_agg((starts_on, ends_on)::text) FROM library_placement WHERE library_id = pg_temp.l(5)),
          ARRAY['(2015-03-01,)'], 'a closing of today is taken back');
UPDATE library SET status = 'closed', closed_on = '2022-01-31' WHERE id = pg_temp.l(5);
UPDATE library SET status = 'active' WHERE id = pg_temp.l(6);
SELECT is((SELECT (status, closed_on, closed_at, supervisor_id)::text FROM library WHERE id = pg_temp.l(6)), '(active,,,)',
          'who is reopened under a closed supervisor has none');
SELECT is((SELECT array_agg((starts_on = today(), ends_on)::text ORDER BY starts_on) FROM library_placement WHERE library_id = pg_temp.l(6)),
          ARRAY['(f,2020-06-30)', '(t,)'], 'and stands there again from today on');
UPDATE library_placement SET ends_on = '2021-01-31' WHERE library_id = pg_temp.l(5);
SELECT is((SELECT closed_on FROM library WHERE id = pg_temp.l(5)), '2021-01-31'::date, 'the row follows its placement');

-- A library closed while its region was retired.
UPDATE region SET valid_to = '2023-12-31' WHERE code IN ('97.01.01.2002', '97.01.01.1003');
INSERT INTO region_successor (code, successor_code) VALUES
    ('97.01.01.2002', '97.01.01.1003'), ('97.01.01.1003', '97.01.01.3004'), ('97.01.01.2009', '97.01.01.2001'), ('97.01.01.2009', '97.01.01.3004');
INSERT INTO library (id, name, kind, region_code, founded_on, status, closed_on) VALUES
    (pg_temp.l(90), 'Desa Melati', 'village', '97.01.01.2002', '2010-01-01', 'closed', '2023-06-30'),
    (pg_temp.l(91), 'Desa Lama', 'village', '97.01.01.2009', '2010-01-01', 'closed', '2020-06-30');
SELECT lives_ok($$UPDATE library SET status = 'active' WHERE id = pg_temp.l(90)$$, 'it is reopened where there is one successor');
SELECT is((SELECT (region_code, placed_from = today())::text FROM library WHERE id = pg_temp.l(90)), '(97.01.01.3004,t)',
          'in the last of them');
SELECT throws_ok($$UPDATE library SET status = 'active' WHERE id = pg_temp.l(91)$$, 'TB001', 'refused: region_unknown',
                 'and refused where it cannot be known');

SELECT finish();
ROLLBACK;
