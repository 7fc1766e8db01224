-- Visits: of one library, not in the future, by a team whose region contains it, for a replication of its own.
BEGIN;
\ir fixture.psql
SELECT plan(14);

INSERT INTO program (slug, name) VALUES ('coba', 'Program Coba');
INSERT INTO replication (id, program_slug, replicator_id, village_code, origin, source, status)
VALUES (pg_temp.l(50), 'coba', pg_temp.l(3), '97.01.01.2001', 'historical', 'S3', 'mentoring');
INSERT INTO team (id, name, region_code, formed_on) VALUES
    (pg_temp.l(60), 'Tim Provinsi', '97', '2020-01-01'), (pg_temp.l(61), 'Tim Dua', '97.02', '2020-01-01');
INSERT INTO visit (id, library_id, kind, visited_on) VALUES (pg_temp.l(70), pg_temp.l(5), 'mentoring', '2021-01-01');

SELECT lives_ok($$INSERT INTO visit (library_id, kind, visited_on, team_id, replication_id) VALUES (pg_temp.l(5), 'monitoring', '2021-02-01', pg_temp.l(60), pg_temp.l(50))$$,
    'a visit of a team, for a replication');
SELECT throws_ok($$INSERT INTO visit (library_id, kind, visited_on) VALUES (pg_temp.l(5), 'mentoring', today() + 1)$$, 'TB001', 'refused: date_in_future', 'not in the future');
SELECT throws_ok($$UPDATE visit SET follow_up_done_on = today() + 1 WHERE id = pg_temp.l(70)$$, 'TB001', 'refused: date_in_future', 'nor its follow-up');
SELECT throws_ok($$UPDATE visit SET follow_up_done_on = '2020-12-31' WHERE id = pg_temp.l(70)$$, 'TB001', 'refused: period_reversed', 'nor that before the visit');
SELECT throws_ok($$INSERT INTO visit (library_id, kind, team_id) VALUES (pg_temp.l(5), 'mentoring', pg_temp.l(61))$$, 'TB001', 'refused: visit_team_elsewhere',
    'a team visits in its region');
SELECT throws_ok($$INSERT INTO visit (library_id, kind, visited_on, team_id) VALUES (pg_temp.l(5), 'mentoring', '2019-12-31', pg_temp.l(60))$$, 'TB001', 'refused: team_not_live',
    'while it is there');
SELECT throws_ok($$INSERT INTO visit (library_id, kind, replication_id) VALUES (pg_temp.l(6), 'mentoring', pg_temp.l(50))$$, 'TB001', 'refused: visit_replication_mismatch',
    'a replication is the library''s own');
SELECT throws_ok($$INSERT INTO visit (library_id, kind) VALUES (pg_temp.l(5), 'tour')$$, '23514', NULL, 'of a known kind');
SELECT throws_ok($$INSERT INTO visit (library_id, kind) VALUES (pg_temp.l(99), 'mentoring')$$, '23503', NULL, 'to a library that is there');
SELECT throws_ok($$INSERT INTO visit (library_id, kind, team_id) VALUES (pg_temp.l(5), 'mentoring', pg_temp.l(99))$$, '23503', NULL, 'by a team that is there');
SELECT throws_ok($$UPDATE visit SET library_id = pg_temp.l(6) WHERE id = pg_temp.l(70)$$, '23001', NULL, 'the library never changes');
SELECT throws_ok($$DELETE FROM visit WHERE id = pg_temp.l(70)$$, '23001', NULL, 'a visit stays on record');
UPDATE visit SET findings = 'Komputer dipakai setiap hari' WHERE id = pg_temp.l(70);
SELECT is((SELECT row_version FROM visit WHERE id = pg_temp.l(70)), 2::bigint, 'a change is a version');
SELECT is((SELECT count(*) FROM audit WHERE table_name = 'visit' AND row_key ->> 'id' = pg_temp.l(70)::text), 2::bigint, 'and audited');

SELECT finish();
ROLLBACK;
