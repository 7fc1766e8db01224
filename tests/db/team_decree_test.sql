-- Decrees of a team, their strength, what they replace; meetings, work plan, funding; what a team is on a day.
BEGIN;
\ir team_fixture.psql
SELECT plan(36);

-- ---- decrees -----------------------------------------------------------------------------------------------
SELECT throws_ok(format('INSERT INTO team_decree (team_id, kind, number, signed_on) VALUES (pg_temp.t(%s), %L, ''1'', ''2020-06-01'')', t, kind), 'TB001', 'refused: decree_kind_mismatch', kind || ' is not for team ' || t)
FROM (VALUES (1, 'sk_bupati'), (1, 'sk_wali_kota'), (2, 'sk_gubernur'), (2, 'sk_wali_kota')) AS v (t, kind);
SELECT throws_ok($$INSERT INTO team_decree (team_id, kind, signed_on) VALUES (pg_temp.t(1), 'sk_gubernur', '2020-01-01')$$, 'TB001', 'refused: decree_incomplete', 'a decree has a number');
SELECT throws_ok($$INSERT INTO team_decree (team_id, kind, number) VALUES (pg_temp.t(1), 'sk_gubernur', '1')$$, 'TB001', 'refused: decree_incomplete', 'and a day');
SELECT throws_ok($$INSERT INTO team_decree (team_id, kind, number, signed_on) VALUES (pg_temp.t(1), 'sk_gubernur', '1', today() + 1)$$, 'TB001', 'refused: date_in_future', 'signed by today');
SELECT throws_ok($$INSERT INTO team_decree (team_id, kind, origin) VALUES (pg_temp.t(1), 'sk_kepala_dinas', 'historical')$$, 'TB001', 'refused: source_required', 'one of the past has a source');
INSERT INTO team_decree (id, team_id, kind, origin, source) VALUES (pg_temp.d(1), pg_temp.t(1), 'sk_kepala_dinas', 'historical', 'S3');
SELECT is((SELECT (number, signed_on, period)::text FROM team_decree WHERE id = pg_temp.d(1)), '(,,"(,)")', 'and may lack number and day');
INSERT INTO team_decree (id, team_id, kind, number, signed_on, valid_until) VALUES
    (pg_temp.d(2), pg_temp.t(1), 'sk_gubernur', '1', '2020-01-01', '2021-12-31'),
    (pg_temp.d(3), pg_temp.t(1), 'sk_kepala_perpusnas', '2', '2021-01-01', '2021-06-30');
INSERT INTO team_decree (id, team_id, kind, number, signed_on) VALUES
    (pg_temp.d(4), pg_temp.t(2), 'sk_bupati', '1', '2020-01-01');
SELECT is((SELECT array_agg((SELECT s.decree_id FROM team_standing(t.id, t.level, t.formed_on, t.dissolved_on, day) s) ORDER BY day)
           FROM team t, unnest('{2019-06-01,2020-01-01,2021-01-01,2021-06-30,2021-07-01,2022-01-01}'::date[]) day WHERE t.id = pg_temp.t(1)),
          ARRAY[pg_temp.d(1), pg_temp.d(2), pg_temp.d(3), pg_temp.d(3), pg_temp.d(2), pg_temp.d(1)], 'the strongest in force, on each day');
SELECT is((SELECT array_agg(strength ORDER BY id) FROM team_decree WHERE team_id IN (pg_temp.t(1), pg_temp.t(2))), '{1,3,4,2}', 'kepala dinas, bupati or wali kota, gubernur, Perpusnas');
SELECT throws_ok($$INSERT INTO team_decree (team_id, kind, number, signed_on) VALUES (pg_temp.t(1), 'sk_gubernur', '1', '2020-02-01')$$, '23505', NULL, 'a number once');
SELECT throws_ok($$INSERT INTO team_decree (team_id, kind, number, signed_on, replaces_id) VALUES (pg_temp.t(1), 'sk_gubernur', '3', '2022-02-01', pg_temp.d(4))$$, '23503', NULL, 'it replaces one of its team');
SELECT throws_ok($$INSERT INTO team_decree (team_id, kind, number, signed_on, replaces_id) VALUES (pg_temp.t(1), 'sk_gubernur', '3', '2020-01-01', pg_temp.d(2))$$, 'TB001', 'refused: date_before_previous', 'and comes later');
SELECT lives_ok($$INSERT INTO team_decree (id, team_id, kind, number, signed_on, replaces_id) VALUES (pg_temp.d(5), pg_temp.t(1), 'sk_gubernur', '3', '2021-07-01', pg_temp.d(2))$$, 'one decree for another');
SELECT is((SELECT valid_until FROM team_decree WHERE id = pg_temp.d(2)), '2021-06-30'::date, 'the old one ends the day before');
SELECT throws_ok($$UPDATE team_decree SET team_id = pg_temp.t(2) WHERE id = pg_temp.d(2)$$, '23001', NULL, 'a decree stays its team''s');

-- ---- meetings ------------------------------------------------------------------------------------------------
SELECT throws_ok($$INSERT INTO team_meeting (team_id, kind) VALUES (pg_temp.t(1), 'internal')$$, 'TB001', 'refused: meeting_date_required', 'a plan has a day');
SELECT throws_ok($$INSERT INTO team_meeting (team_id, kind, status) VALUES (pg_temp.t(1), 'internal', 'held')$$, 'TB001', 'refused: meeting_date_required', 'what was held too');
SELECT throws_ok($$INSERT INTO team_meeting (team_id, kind, planned_for, held_on) VALUES (pg_temp.t(1), 'internal', '2020-01-01', '2020-01-01')$$, 'TB001', 'refused: meeting_not_held', 'what is planned was not held');
SELECT throws_ok($$INSERT INTO team_meeting (team_id, kind, status, held_on) VALUES (pg_temp.t(1), 'internal', 'held', today() + 1)$$, 'TB001', 'refused: date_in_future', 'nor was tomorrow');
SELECT throws_ok($$INSERT INTO team_meeting (team_id, kind, status, held_on) VALUES (pg_temp.t(1), 'internal', 'held', '2018-12-31')$$, 'TB001', 'refused: team_not_live', 'nor before there was a team');
SELECT throws_ok($$INSERT INTO team_meeting (team_id, kind, planned_for, region_code) VALUES (pg_temp.t(2), 'internal', '2020-01-01', '97.02')$$, 'TB001', 'refused: meeting_elsewhere', 'inside the team''s region');
SELECT lives_ok($$INSERT INTO team_meeting (id, team_id, kind, status, held_on, region_code, commitments) VALUES
    (pg_temp.m(1), pg_temp.t(1), 'stakeholder', 'held', '2019-08-15', '97.02', '[{"text": "Anggaran", "due_on": "2019-12-01"}]')$$, 'a stakeholder meeting');
SELECT is((SELECT commitments FROM team_meeting WHERE id = pg_temp.m(1)), '[{"text": "Anggaran", "due_on": "2019-12-01", "done_on": null}]', 'with what was promised');
SELECT throws_ok($$UPDATE team_meeting SET commitments = '[{"text": "Anggaran", "done_on": "2999-12-01"}]' WHERE id = pg_temp.m(1)$$, 'TB001', 'refused: date_in_future', 'nothing is done in the future');
SELECT throws_ok($$UPDATE team_meeting SET status = 'cancelled', held_on = NULL WHERE id = pg_temp.m(1)$$, 'TB001', 'refused: meeting_held', 'what was held stays so');
SELECT throws_ok($$INSERT INTO team_meeting (team_id, kind, origin) VALUES (pg_temp.t(1), 'audience', 'historical')$$, 'TB001', 'refused: source_required', 'one of the past has a source');
SELECT lives_ok($$INSERT INTO team_meeting (team_id, kind, status, origin, source) VALUES (pg_temp.t(1), 'audience', 'held', 'historical', 'S3')$$, 'and may lack its day');
SELECT is((SELECT array_agg((s.next_meeting_due, s.meeting_overdue)::text ORDER BY day) FROM unnest('{2019-04-01,2019-04-02,2019-08-15,2019-11-15,2019-11-16}'::date[]) day, team t,
           team_standing(t.id, t.level, t.formed_on, t.dissolved_on, day) s WHERE t.id = pg_temp.t(1)),
          ARRAY['(2019-04-01,f)', '(2019-04-01,t)', '(2019-11-15,f)', '(2019-11-15,f)', '(2019-11-15,t)'], 'the next one is due three months after the last');

-- ---- work plan and funding -------------------------------------------------------------------------------------
SELECT pg_temp.join_team(1, 2, 'Kabupaten', '2020-01-01');
SELECT throws_ok($$INSERT INTO team_work_plan (team_id, title, kind, responsible_member_id) VALUES (pg_temp.t(1), 'SK Gubernur', 'legal_basis', pg_temp.m(1))$$, '23503', NULL, 'responsible is a member of the team');
SELECT lives_ok($$INSERT INTO team_work_plan (team_id, title, kind, responsible_member_id) VALUES (pg_temp.t(2), 'SK Bupati', 'legal_basis', pg_temp.m(1))$$, 'like this one');
SELECT throws_ok($$INSERT INTO team_funding (team_id, year, source) VALUES (pg_temp.t(1), 2020, 'apbd_provinsi')$$, 'TB001', 'refused: amount_required', 'money has an amount');
SELECT lives_ok($$INSERT INTO team_funding (team_id, year, source, form) VALUES (pg_temp.t(1), 2020, 'csr', 'goods')$$, 'goods may have none');
SELECT throws_ok($$UPDATE team_funding SET team_id = pg_temp.t(2)$$, '23001', NULL, 'funding stays its team''s');

-- ---- reach: 1 to 3 all of the region's, 4 the own team but not its basis, 7 the own team's work --------------------
SELECT is((SELECT array_agg(team_in_reach(region, part, ARRAY[own], ARRAY[own || '/'], ARRAY[rank]::bigint[]) ORDER BY n)
           FROM (VALUES (1, '97', 'basis', '97', 3), (2, '97.01', 'basis', '97', 3), (3, '96', 'work', '97', 3), (4, '97.01', 'team', '97.01', 4), (5, '97.01', 'basis', '97.01', 4),
                        (6, '97.02', 'work', '97.01', 4), (7, '97', 'work', '97', 7), (8, '97.01', 'work', '97', 7), (9, '97', 'team', '97', 7), (10, '97', 'work', '97', 4)) AS v (n, region, part, own, rank)),
          '{t,t,f,t,f,f,t,f,f,t}', 'who writes what of which team');

SELECT finish();
ROLLBACK;
