-- The audit: one row per changed row, by whom and for what, nothing private in the clear.
BEGIN;
\ir fixture.psql
SELECT plan(24);

-- What was written since the last call, as text.
CREATE TEMPORARY TABLE mark AS SELECT coalesce(max(id), 0) AS id FROM audit;
CREATE FUNCTION pg_temp.written() RETURNS SETOF text LANGUAGE sql AS $$
    WITH fresh AS (SELECT a.* FROM public.audit a, mark m WHERE a.id > m.id),
         moved AS (UPDATE mark SET id = (SELECT max(id) FROM public.audit))
    SELECT concat_ws(' ', table_name, action, coalesce(row_key::text, '-'), coalesce(before::text, '-'), coalesce(after::text, '-'))
    FROM fresh ORDER BY fresh.id $$;
CREATE FUNCTION pg_temp.skip() RETURNS SETOF text LANGUAGE sql AS 'UPDATE mark SET id = (SELECT max(id) FROM public.audit) RETURNING NULL::text';

INSERT INTO region_edition (edition, in_force_from, source) VALUES ('9.9.9', '1901-01-01', 'us');
SELECT is((SELECT (table_name, action, row_key::text, before IS NULL, after ->> 'source')::text FROM audit ORDER BY id DESC LIMIT 1),
          '(region_edition,insert,"{""edition"": ""9.9.9""}",t,us)', 'an insert is recorded whole');
SELECT pg_temp.skip();
UPDATE region_edition SET source = 'them' WHERE edition = '9.9.9';
SELECT results_eq('SELECT pg_temp.written()', $$VALUES ('region_edition update {"edition": "9.9.9"} {"source": "us"} {"source": "them"}')$$,
                  'an update by what it changed');
UPDATE region_edition SET source = source;
SELECT is_empty('SELECT pg_temp.written()', 'and not when it changed nothing');
UPDATE region_edition SET edition = '9.9.8' WHERE edition = '9.9.9';
SELECT results_eq($$SELECT substring(written FROM '^[^}]*}') FROM pg_temp.written() written ORDER BY 1$$,
                  $$VALUES ('region_edition delete {"edition": "9.9.9"}'), ('region_edition insert {"edition": "9.9.8"}')$$,
                  'a changed key is a row gone and a row come');
DELETE FROM region_edition WHERE edition = '9.9.8';
SELECT is((SELECT (action, before ->> 'source', after IS NULL)::text FROM audit ORDER BY id DESC LIMIT 1), '(delete,them,t)', 'a delete is recorded whole');
SELECT pg_temp.skip();
DELETE FROM region_edition WHERE edition = 'none';
SELECT is_empty('SELECT pg_temp.written()', 'no row, no record');

-- ---- who ---------------------------------------------------------------------------------------------------
SELECT is((SELECT actor FROM audit ORDER BY id DESC LIMIT 1), session_user::text, 'in psql the actor is the session''s user');
SELECT set_config('tpbis.actor', 'c_1', true), set_config('tpbis.client', 'c_2', true), set_config('tpbis.request_id', 'r_3', true),
       set_config('tpbis.operation', 'update_library', true);
UPDATE library SET name = 'Mawar' WHERE id = pg_temp.l(6);
SELECT is((SELECT (actor, client_id, request_id, operation, xid = pg_current_xact_id(), at = now())::text FROM audit ORDER BY id DESC LIMIT 1),
          '(c_1,c_2,r_3,update_library,t,t)', 'for a request it is the request''s');
SELECT pg_temp.skip();

-- ---- what nobody may read ------------------------------------------------------------------------------------
UPDATE library SET phone = '0898765', email = NULL WHERE id = pg_temp.l(5);
SELECT is((SELECT array_agg(k ORDER BY k) FROM audit, jsonb_object_keys(after) k WHERE table_name = 'library' AND id > (SELECT id FROM mark)),
          '{email,phone}', 'a changed contact is recorded by the names of its columns');
SELECT ok((SELECT bool_and(before::text || after::text !~ '0812345|0898765|mawar@') AND count(*) = 1 FROM audit WHERE id > (SELECT id FROM mark)),
          'and not in the clear');
SELECT matches((SELECT after -> 'phone' ->> 'digest' FROM audit WHERE id > (SELECT id FROM mark)), '^[0-9a-f]{64}$', 'but as a digest');
SELECT isnt((SELECT after -> 'phone' ->> 'digest' FROM audit WHERE id > (SELECT id FROM mark)), encode(sha256('0898765'), 'hex'), 'with salt');
INSERT INTO client (id, name) VALUES ('coba', 'Coba');
INSERT INTO client_secret (client_id, hash) VALUES ('coba', sha256('x'));
SELECT ok(NOT EXISTS (SELECT FROM audit a WHERE a.after::text LIKE '%' || encode(sha256('x'), 'hex') || '%' AND a.table_name = 'client_secret'),
          'nor is the hash of a secret');

-- ---- what follows, bulk, reads ---------------------------------------------------------------------------------
SELECT pg_temp.skip();
SELECT library_move(pg_temp.l(6), '2022-07-01', 'pindah', to_region => '97.01.01.2002', to_supervisor => pg_temp.l(3));
SELECT set_eq($$SELECT table_name COLLATE "default", action FROM audit WHERE id > (SELECT id FROM mark)$$,
              $$VALUES ('library_placement', 'update'), ('library_placement', 'insert'), ('library', 'update')$$,
              'a move is recorded in all tables it changes');
SELECT is((SELECT after FROM audit WHERE id > (SELECT id FROM mark) AND table_name = 'library'),
          jsonb_build_object('region_code', '97.01.01.2002', 'supervisor_id', pg_temp.l(3)), 'without what is technical');
SELECT pg_temp.skip();
SELECT set_config('tpbis.bulk', 'on', true);
INSERT INTO region_edition (edition, in_force_from, source) VALUES ('9.9.1', '1901-01-01', 'us'), ('9.9.2', '1901-01-02', 'us');
UPDATE region_edition SET source = 'x' WHERE edition LIKE '9.9.%';
DELETE FROM region_edition WHERE edition LIKE '9.9.%';
SELECT results_eq('SELECT pg_temp.written()', $$VALUES ('region_edition insert - - {"rows": 2}'), ('region_edition update - - {"rows": 2}'),
                  ('region_edition delete - - {"rows": 2}')$$, 'a bulk load writes one row a statement');
SET LOCAL SESSION AUTHORIZATION tpbis_api;
UPDATE library SET name = 'Satu per satu' WHERE id = '00000000-0000-7000-8000-000000000005';
RESET SESSION AUTHORIZATION;
SELECT is((SELECT (actor, row_key ->> 'id')::text FROM audit ORDER BY id DESC LIMIT 1), format('(c_1,%s)', pg_temp.l(5)), 'the service cannot ask for that');
SELECT ok(audit_read('library', pg_temp.l(5)), 'a read can be recorded');
SELECT is((SELECT (table_name, action, row_key ->> 'id')::text FROM audit ORDER BY id DESC LIMIT 1), format('(library,read,%s)', pg_temp.l(5)), 'as such');
CREATE TABLE public.swept (id integer, CONSTRAINT swept_pkey PRIMARY KEY (id));
SELECT audit_attach('swept', '{id}');
TRUNCATE public.swept;
SELECT is((SELECT (table_name, action)::text FROM audit ORDER BY id DESC LIMIT 1), '(swept,truncate)', 'sweeping a table is recorded');

SELECT throws_ok($$INSERT INTO client_secret (client_id, hash) SELECT 'coba', sha256(n::text::bytea) FROM generate_series(1, 2) n$$, '23514',
                 'client coba already has two live secrets', 'two secrets of a client live at once, not three');
UPDATE client_secret SET expires_at = now() + interval '1 microsecond', created_at = now() - interval '1 day' WHERE client_id = 'coba';
UPDATE client_secret SET expires_at = now() - interval '1 hour' WHERE client_id = 'coba';
SELECT lives_ok($$INSERT INTO client_secret (client_id, hash) SELECT 'coba', sha256(n::text::bytea) FROM generate_series(1, 2) n$$, 'expired ones do not count');
SELECT throws_ok($$INSERT INTO assignment (client_id, role, national, region_code) VALUES ('coba', 'portal', true, '97')$$, '23514', NULL, 'an assignment has one place');
SELECT throws_ok($$INSERT INTO assignment (role, national) VALUES ('portal', true)$$, '23514', NULL, 'and one holder');

SELECT finish();
ROLLBACK;
