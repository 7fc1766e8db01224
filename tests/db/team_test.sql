-- A team and the policies of its level: one live team a region, and how many members on every day.
BEGIN;
\ir team_fixture.psql
SELECT plan(48);

-- ---- one live team ---------------------------------------------------------------------------------------
SELECT is((SELECT (name, level, origin)::text FROM team WHERE id = pg_temp.t(2)), '("Tim Sinergi Kabupaten Satu",regency,recorded)',
          'a team is named after its region unless told');
SELECT throws_ok($$INSERT INTO team (region_code, formed_on) VALUES ('97', '2024-01-01')$$, '23P01',
                 'conflicting key value violates exclusion constraint "team_one_live_excl"', 'one live team a region');
SELECT throws_ok($$INSERT INTO team (region_code, formed_on) VALUES ('97.01.01', '2024-01-01')$$, '23514', NULL,
                 'a team is of a province or a kabupaten/kota');
SELECT throws_ok($$INSERT INTO team (region_code) VALUES ('98')$$, 'TB001', 'refused: region_unknown', 'of a region that is there');
SELECT throws_ok($$INSERT INTO team (region_code, formed_on) VALUES ('97.02', today() + 1)$$, 'TB001', 'refused: date_in_future', 'formed by today');
SELECT throws_ok($$UPDATE team SET dissolved_on = '2018-12-31' WHERE id = pg_temp.t(1)$$, 'TB001', 'refused: period_reversed', 'dissolved after it was formed');
SELECT throws_ok($$UPDATE team SET region_code = '97.02' WHERE id = pg_temp.t(2)$$, '23001', NULL, 'its region never changes');
SELECT throws_ok($$DELETE FROM team$$, '23001', NULL, 'a team is dissolved, never removed');
SELECT throws_ok($$INSERT INTO team (region_code, origin) VALUES ('97.02', 'historical')$$, 'TB001', 'refused: source_required', 'a record of the past has a source');
SELECT throws_ok($$INSERT INTO team (region_code, formed_on, formed_on_precision) VALUES ('97.02', '2019-01-01', 'year')$$, 'TB001',
                 'refused: team_undocumented', 'only such a record may lack proof');
SELECT lives_ok($$INSERT INTO team (id, region_code, origin, source, undocumented) VALUES (pg_temp.t(3), '97.02', 'historical', 'S9', '["formed_on"]')$$,
                'a day nobody published is null');
SELECT is((SELECT formed_on FROM team WHERE id = pg_temp.t(3)), NULL, 'and stays so');
SELECT throws_ok($$INSERT INTO team (region_code, formed_on) VALUES ('97.02', '2024-01-01')$$, '23P01', NULL, 'such a team counts as always there');
UPDATE team SET dissolved_on = '2023-12-31' WHERE id = pg_temp.t(3);
SELECT throws_ok($$INSERT INTO team (region_code, formed_on) VALUES ('97.02', '2023-12-31')$$, '23P01', NULL, 'its last day is its own');
SELECT lives_ok($$INSERT INTO team (id, region_code, formed_on) VALUES (pg_temp.t(4), '97.02', '2024-01-01')$$, 'the next day another team may be formed');

-- ---- the limit, on every day -------------------------------------------------------------------------------
SELECT is(team_limit_on(pg_temp.t(1), 'province', '2019-06-01'), 10, 'ten for a province');
SELECT is(team_limit_on(pg_temp.t(2), 'regency', '2021-06-01'), NULL, 'none is published for a kabupaten');
SELECT pg_temp.join_team(n, 1, 'Anggota ' || n, '2019-01-01', CASE n WHEN 10 THEN '2019-06-30'::date END) FROM generate_series(1, 10) n;
SELECT is((SELECT count(*) FROM team_member WHERE team_id = pg_temp.t(1)), 10::bigint, 'ten members');
SELECT throws_ok($$SELECT pg_temp.join_team(11, 1, 'Sebelas', '2019-06-30')$$, 'TB001', 'refused: team_full', 'an eleventh is refused on an overlapping day of the past');
SELECT throws_ok($$SELECT pg_temp.join_team(11, 1, 'Sebelas', '2019-01-01', '2019-01-01')$$, 'TB001', 'refused: team_full', 'for one day only, too');
SELECT lives_ok($$SELECT pg_temp.join_team(11, 1, 'Sebelas', '2019-07-01')$$, 'who begins after another''s end is none');
SELECT throws_ok($$SELECT pg_temp.join_team(12, 1, 'Dua Belas', today() + 300)$$, 'TB001', 'refused: team_full', 'nor on a day to come');
SELECT throws_ok($$UPDATE team_member SET ends_on = '2019-07-01' WHERE id = pg_temp.m(10)$$, 'TB001', 'refused: team_full', 'nor by a longer membership');
SELECT throws_ok($$UPDATE team_member SET starts_on = '2019-06-30' WHERE id = pg_temp.m(11)$$, 'TB001', 'refused: team_full', 'nor by an earlier one');
SELECT throws_ok($$INSERT INTO team_member (team_id, name, starts_on, organization_id)
                   SELECT pg_temp.t(4), 'Banyak ' || n, '2024-01-01', pg_temp.o(1) FROM generate_series(1, 1001) n; UPDATE team_policy SET max_members = 1000 WHERE level = 'regency'$$,
                 'TB001', 'refused: team_full', 'a policy that comes later than the members');

-- a policy changed afterwards
SELECT throws_ok($$UPDATE team_policy SET max_members = 9 WHERE level = 'province'$$, 'TB001', 'refused: team_full', 'a lower limit that is broken already is refused');
SELECT throws_ok($$SELECT team_policy_begin(uuidv7(), 'province', '2019-03-01', 9, '{}', 3, NULL, NULL)$$, 'TB001', 'refused: team_full', 'from a day in between, too');
SELECT throws_ok($$SELECT team_policy_begin(uuidv7(), 'province', today() + 100, 9, '{}', 3, NULL, NULL)$$, 'TB001', 'refused: team_full', 'from a day to come, too');
SELECT lives_ok($$SELECT team_policy_begin(uuidv7(), 'province', '2019-07-01', 11, '{media}', 6, 'SE 2019', NULL)$$, 'a higher one is not');
SELECT is((SELECT array_agg((starts_on, ends_on, max_members)::text ORDER BY period) FROM team_policy WHERE level = 'province'),
          ARRAY['(,2019-06-30,10)', '(2019-07-01,,11)'], 'the policy before ended the day before');
SELECT throws_ok($$INSERT INTO team_policy (level, starts_on) VALUES ('province', '2022-01-01')$$, '23P01', NULL, 'one policy a day');
SELECT throws_ok($$SELECT team_policy_begin(uuidv7(), 'province', '2019-07-01', 12, '{}', 3, NULL, NULL)$$, 'TB001', 'refused: date_before_previous', 'one after the other');
SELECT lives_ok($$SELECT pg_temp.join_team(12, 1, 'Dua Belas', '2019-07-01')$$, 'the eleventh is in');
SELECT throws_ok($$SELECT pg_temp.join_team(13, 1, 'Tiga Belas', '2019-07-01')$$, 'TB001', 'refused: team_full', 'the twelfth is not');
SELECT throws_ok($$UPDATE team_policy SET wanted_sectors = '{cooks}' WHERE level = 'province'$$, '23514', NULL, 'sectors are those of the list');

-- a decree changed afterwards
INSERT INTO team_decree (id, team_id, kind, number, signed_on, valid_until, max_members)
VALUES (pg_temp.d(1), pg_temp.t(1), 'sk_gubernur', '188/1', '2021-01-01', '2021-12-31', 13);
SELECT lives_ok($$SELECT pg_temp.join_team(13, 1, 'Tiga Belas', '2021-01-01', '2021-12-31')$$, 'a decree names another number, and it rules');
SELECT throws_ok($$UPDATE team_member SET ends_on = '2022-01-01' WHERE id = pg_temp.m(13)$$, 'TB001', 'refused: team_full', 'while it is in force');
SELECT throws_ok($$UPDATE team_decree SET max_members = 11 WHERE id = pg_temp.d(1)$$, 'TB001', 'refused: team_full', 'it cannot be lowered under what is there');
SELECT throws_ok($$UPDATE team_decree SET valid_until = '2021-12-30' WHERE id = pg_temp.d(1)$$, 'TB001', 'refused: team_full', 'nor end a day too early');
SELECT throws_ok($$UPDATE team_decree SET signed_on = '2021-01-02' WHERE id = pg_temp.d(1)$$, 'TB001', 'refused: team_full', 'nor begin a day too late');
SELECT throws_ok($$DELETE FROM team_decree WHERE id = pg_temp.d(1)$$, 'TB001', 'refused: team_full', 'nor go');
SELECT throws_ok($$INSERT INTO team_decree (team_id, kind, number, signed_on, max_members) VALUES (pg_temp.t(1), 'sk_kepala_perpusnas', 'X', '2021-06-01', 5)$$,
                 'TB001', 'refused: team_full', 'nor yield to a stronger one that is stricter');
SELECT throws_ok($$INSERT INTO team_decree (team_id, kind, number, signed_on, max_members) VALUES (pg_temp.t(1), 'sk_kepala_dinas', 'Y', '2019-01-01', 5)$$,
                 'TB001', 'refused: team_full', 'a weak one rules where nothing else does');

-- ---- dissolving ----------------------------------------------------------------------------------------------
INSERT INTO team_coordinator (team_id, member_id, starts_on) VALUES (pg_temp.t(1), pg_temp.m(1), '2020-01-01');
SELECT throws_ok($$UPDATE team SET dissolved_on = '2020-12-31' WHERE id = pg_temp.t(1)$$, 'TB001', 'refused: team_not_live', 'not before somebody began');
UPDATE team SET dissolved_on = '2022-06-30' WHERE id = pg_temp.t(1);
SELECT is((SELECT (count(*), min(end_reason))::text FROM team_member WHERE team_id = pg_temp.t(1) AND ends_on = '2022-06-30'), '(11,team_dissolved)', 'memberships end with the team');
SELECT is((SELECT ends_on FROM team_coordinator WHERE team_id = pg_temp.t(1)), '2022-06-30'::date, 'and the coordinator''s duty');
SELECT throws_ok($$SELECT pg_temp.join_team(20, 1, 'Terlambat', '2022-07-01')$$, 'TB001', 'refused: team_not_live', 'nobody joins a team that is gone');
SELECT throws_ok($$UPDATE team SET formed_on = '2019-01-02' WHERE id = pg_temp.t(1)$$, 'TB001', 'refused: team_not_live', 'nor was in one before it was formed');

SELECT finish();
ROLLBACK;
