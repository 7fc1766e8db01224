-- Where a library stands and under whom, day by day.
BEGIN;
\ir fixture.psql
SELECT plan(47);

CREATE FUNCTION pg_temp.history(n integer) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT string_agg(concat_ws(' ', p.region_code, p.starts_on, '-', p.ends_on), ', ' ORDER BY p.starts_on NULLS FIRST)
    FROM public.library_placement p WHERE p.library_id = pg_temp.l(n) $$;
-- Refused with this code and these arguments?
CREATE FUNCTION pg_temp.refused(statement text, code text, arguments jsonb, what text) RETURNS SETOF text
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    constraint_name text; detail text; state text;
BEGIN
    EXECUTE statement;
    RETURN NEXT is('nothing', code, what);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS constraint_name = CONSTRAINT_NAME, detail = PG_EXCEPTION_DETAIL, state = RETURNED_SQLSTATE;
    RETURN NEXT is(concat_ws(' ', state, constraint_name, CASE WHEN state = 'TB001' THEN detail ELSE SQLERRM END),
                   concat_ws(' ', 'TB001', code, arguments::text), what);
END $$;
CREATE FUNCTION pg_temp.new_library(kind text, region text, supervisor uuid, what text DEFAULT '') RETURNS text LANGUAGE sql AS $$
    SELECT format('INSERT INTO library (name, kind, region_code, supervisor_id %s) VALUES (''Baru'', %L, %L, %L %s)',
                  CASE WHEN what <> '' THEN ', founded_on' END, kind, region, supervisor, CASE WHEN what <> '' THEN format(', %L', what) END) $$;

-- ---- region and kind -------------------------------------------------------------------------------------
SELECT lives_ok(pg_temp.new_library(kind, region, NULL), kind || ' in ' || region)
FROM (VALUES ('provincial', '97'), ('regency', '97.71'), ('district', '97.01.01'), ('village', '97.01.01.3004'),
             ('tbm', '97.01.01'), ('tbm', '97.71.01.1001')) AS good (kind, region);
SELECT pg_temp.refused(pg_temp.new_library(kind, region, NULL), 'region_level_mismatch', jsonb_build_object('kind', kind, 'level', level),
                       kind || ' in ' || region || ' is refused')
FROM (VALUES ('provincial', '97.01', 'regency'), ('regency', '97', 'province'), ('district', '97.01', 'regency'),
             ('village', '97.01.01', 'district'), ('tbm', '97.01', 'regency'), ('tbm', '97', 'province')) AS wrong (kind, region, level);
SELECT pg_temp.refused($$UPDATE library_placement SET region_code = '97' WHERE library_id = pg_temp.national()$$, 'region_level_mismatch',
                       '{"kind": "national", "level": "province"}', 'the national library stands in no region');
SELECT pg_temp.refused(pg_temp.new_library('village', '97.01.01.2008', NULL), 'region_unknown',
                       jsonb_build_object('code', '97.01.01.2008', 'on', today()), 'an unknown region');
SELECT pg_temp.refused(pg_temp.new_library('village', '97.01.01.2009', NULL), 'region_unknown',
                       jsonb_build_object('code', '97.01.01.2009', 'on', today()), 'a retired region');
SELECT pg_temp.refused($$UPDATE library_placement SET region_code = NULL WHERE library_id = pg_temp.l(5)$$, 'region_required',
                       '{"kind": "village"}', 'a village library stands somewhere');
INSERT INTO library (name, kind) VALUES ('Di mana', 'village');
SELECT pg_temp.refused('SET CONSTRAINTS ALL IMMEDIATE', 'region_required', '{"kind": "village"}', 'also one inserted without a region');
DO $$ BEGIN
    INSERT INTO library_placement (library_id, region_code) SELECT id, '97.01.01.2002' FROM library WHERE name = 'Di mana';
END $$;
SELECT lives_ok('SET CONSTRAINTS ALL IMMEDIATE', 'unless it was placed');

-- ---- supervisors -----------------------------------------------------------------------------------------
SELECT pg_temp.refused(pg_temp.new_library('village', '97.01.01.2002', pg_temp.l(77)), 'reference_unknown', '{}', 'a supervisor is a library');
SELECT pg_temp.refused(pg_temp.new_library('village', '97.01.01.2001', pg_temp.l(5)), 'supervisor_rank', '{"kind": "village"}',
                       'of a higher level, not of the same');
SELECT pg_temp.refused(pg_temp.new_library('regency', '97.01', pg_temp.l(5)), 'supervisor_rank', '{"kind": "regency"}', 'nor of a lower');
SELECT pg_temp.refused(pg_temp.new_library('village', '97.02.01.2001', pg_temp.l(3)), 'supervisor_elsewhere',
                       '{"region": "97.02.01.2001", "supervisor_region": "97.01"}', 'its region contains the library''s');
SELECT lives_ok(pg_temp.new_library('village', '97.02.01.2001', pg_temp.national()), 'levels may be skipped');
SELECT lives_ok(pg_temp.new_library('village', '97.02.01.2001', pg_temp.l(4), '1990-01-01'), 'a supervisor may be younger');
INSERT INTO library (id, name, kind, region_code, founded_on, status, closed_on)
VALUES (pg_temp.l(8), 'Tutup', 'regency', '97.71', '2000-01-01', 'closed', '2015-12-31');
SELECT pg_temp.refused(pg_temp.new_library('village', '97.71.01.1001', pg_temp.l(8)), 'supervisor_absent', '{"period": "../.."}',
                       'a supervisor is there to the last day');
SELECT pg_temp.refused(pg_temp.new_library('village', '97.71.01.1001', pg_temp.l(8), '2016-01-01'), 'supervisor_absent',
                       '{"period": "2016-01-01/.."}', 'and not only before the first');

-- ---- moves -------------------------------------------------------------------------------------------------
SELECT library_move(pg_temp.l(6), '2022-07-01', 'pindah', to_region => '97.01.01.2002', to_supervisor => pg_temp.l(3));
SELECT is(pg_temp.history(6), '97.01.01.2001 2018-01-01 - 2022-06-30, 97.01.01.2002 2022-07-01 -', 'a move ends one placement and begins the next');
SELECT is((SELECT (region_code, supervisor_id, row_version)::text FROM library WHERE id = pg_temp.l(6)),
          format('(97.01.01.2002,%s,2)', pg_temp.l(3)), 'and shows in the library');
SELECT is((SELECT reason FROM library_placement WHERE library_id = pg_temp.l(6) AND ends_on IS NULL), 'pindah', 'with its reason');
SELECT library_move(pg_temp.l(6), '2023-01-01', NULL, keep_region => true, to_supervisor => pg_temp.national());
SELECT is((SELECT region_code FROM library WHERE id = pg_temp.l(6)), '97.01.01.2002', 'what is kept stays');
SELECT pg_temp.refused(format('SELECT library_move(pg_temp.l(6), %L, NULL, keep_region => true)', day), code, arguments, 'not ' || day)
FROM (VALUES ((today() + 1)::text, 'date_in_future', jsonb_build_object('on', today() + 1)),
             ('2023-01-01', 'date_before_previous', '{"on": "2023-01-01", "previous": "2023-01-01"}'),
             ('2022-12-31', 'date_before_previous', '{"on": "2022-12-31", "previous": "2023-01-01"}')) AS w (day, code, arguments);
SELECT pg_temp.refused('SELECT library_move(pg_temp.l(8), today(), NULL, keep_region => true)', 'library_closed', '{}', 'a closed library does not move');
SELECT pg_temp.refused('SELECT library_move(pg_temp.l(77), today(), NULL, keep_region => true)', 'not_found', '{}', 'nor one that is not');
SELECT pg_temp.refused($$SELECT library_move(pg_temp.l(3), today(), NULL, to_region => '97.02', keep_supervisor => true)$$,
                       'library_has_dependents', '{"libraries": "Perpustakaan Desa Mawar"}', 'no supervisor leaves its libraries');
SELECT pg_temp.refused($$UPDATE library_placement SET starts_on = '2022-01-01', ends_on = '2021-01-01' WHERE library_id = pg_temp.l(5)$$,
                       'date_before_previous', '{"on": "2021-01-01", "previous": "2022-01-01"}', 'a period has its days in order');
SELECT lives_ok($$SELECT library_move(pg_temp.l(3), today(), NULL, keep_region => true, to_supervisor => pg_temp.national())$$,
                'but may change its own supervisor');
-- A supervisor and its libraries go together in one statement.
SELECT lives_ok($$
    WITH moving AS (SELECT p.* FROM library_placement p
                    WHERE p.ends_on IS NULL AND pg_temp.l(4) IN (p.library_id, p.supervisor_id)),
    ended AS (UPDATE library_placement p SET ends_on = today() - 1 FROM moving m WHERE p.id = m.id)
    INSERT INTO library_placement (library_id, region_code, supervisor_id, starts_on)
    SELECT m.library_id, CASE m.kind WHEN 'regency' THEN '97.71' ELSE '97.71.01.1001' END, m.supervisor_id, today() FROM moving m$$,
    'a region is recoded with all that stands in it');
SELECT is((SELECT array_agg(place ORDER BY place) FROM library WHERE pg_temp.l(4) IN (id, supervisor_id)), '{97.71,97.71.01.1001}',
          'and all of it stands there now');

-- ---- what cannot be broken -----------------------------------------------------------------------------------
SELECT throws_ok($$INSERT INTO library_placement (library_id, region_code, starts_on) VALUES (pg_temp.l(6), '97.01.01.2001', '2022-08-01')$$,
                 '23P01', NULL, 'a library stands in one place on a day');
SELECT throws_ok($$UPDATE library SET region_code = '97.01.01.2001' WHERE id = pg_temp.l(6)$$, '23001', NULL, 'its row says what its placements say');
SELECT throws_ok($$DELETE FROM library_placement WHERE library_id = pg_temp.l(2)$$, NULL, NULL, 'the last placement stays');
SELECT throws_ok($$UPDATE library_placement SET library_id = pg_temp.l(3) WHERE library_id = pg_temp.l(6)$$, '23001', NULL,
                 'a placement stays with its library');
SELECT throws_ok('TRUNCATE library_placement', '23001', NULL, 'placements are not swept away');
SELECT pg_temp.refused($$INSERT INTO library_placement (library_id, region_code, starts_on) VALUES (pg_temp.l(77), '97', NULL)$$, 'not_found', '{}',
                       'a placement has a library');
UPDATE library SET founded_on = '2012-01-01' WHERE id = pg_temp.l(6);
SELECT is((SELECT min(starts_on) FROM library_placement WHERE library_id = pg_temp.l(6)), '2012-01-01'::date,
          'the first placement begins with the library');

SELECT finish();
ROLLBACK;
