-- Members of a team: single offices, nobody twice, substitutions, positions that are kept, the coordinator's duty.
BEGIN;
\ir team_fixture.psql
SELECT plan(67);

-- ---- who ---------------------------------------------------------------------------------------------------
SELECT throws_ok($$INSERT INTO team_member (team_id, organization_id) VALUES (pg_temp.t(1), pg_temp.o(1))$$, 'TB001', 'refused: member_nobody', 'a member is somebody');
SELECT throws_ok($$INSERT INTO team_member (team_id, name) VALUES (pg_temp.t(1), 'X')$$, '23502', NULL, 'from somewhere');
SELECT throws_ok($$INSERT INTO team_member (team_id, person_id, organization_id) VALUES (pg_temp.t(1), pg_temp.p(9), pg_temp.o(1))$$, 'TB001', 'refused: reference_unknown', 'a person on record');
SELECT throws_ok($$INSERT INTO team_member (team_id, name, organization_id) VALUES (pg_temp.t(9), 'X', pg_temp.o(1))$$, 'TB001', 'refused: reference_unknown', 'of a team');
INSERT INTO team_member (id, team_id, person_id, name, position, organization_id, role, starts_on)
VALUES (pg_temp.m(1), pg_temp.t(1), pg_temp.p(1), 'Somebody else', 'Kepala Dinas', pg_temp.o(1), 'penanggung_jawab', '2019-01-01');
SELECT is((SELECT name FROM team_member WHERE id = pg_temp.m(1)), NULL, 'a person''s name is the person''s own');
SELECT is((SELECT acts_in_team FROM person WHERE id = pg_temp.p(1)), true, 'who acts in a team is published');
SELECT is((SELECT acts_in_team FROM person WHERE id = pg_temp.p(2)), false, 'nobody else is');
INSERT INTO team_member (id, team_id, position, organization_id, role, starts_on)
VALUES (pg_temp.m(2), pg_temp.t(1), 'Sekretaris Dinas', pg_temp.o(1), 'ketua', '2019-01-01');
SELECT is((SELECT num_nonnulls(name, person_id) FROM team_member WHERE id = pg_temp.m(2)), 0, 'an office is enough');
SELECT throws_ok($$UPDATE team_member SET team_id = pg_temp.t(2) WHERE id = pg_temp.m(2)$$, '23001', NULL, 'a membership stays in its team');
SELECT throws_ok($$DELETE FROM team_member WHERE id = pg_temp.m(2)$$, '23001', NULL, 'and is ended, never removed');
SELECT throws_ok($$SELECT pg_temp.join_team(3, 1, 'Awal', '2018-12-31')$$, 'TB001', 'refused: team_not_live', 'not before the team was formed');
SELECT throws_ok($$SELECT pg_temp.join_team(3, 1, 'Awal', '2020-01-01', '2019-12-31')$$, 'TB001', 'refused: period_reversed', 'an end after the beginning');
SELECT throws_ok($$UPDATE team_member SET end_reason = 'resigned' WHERE id = pg_temp.m(2)$$, 'TB001', 'refused: member_not_ended', 'a reason goes with an end');
SELECT throws_ok($$UPDATE team_member SET starts_on_precision = 'unknown' WHERE id = pg_temp.m(2)$$, 'TB001', 'refused: source_required', 'a vague date has a source');
SELECT lives_ok($$UPDATE team_member SET starts_on_precision = 'unknown', source = 'S3' WHERE id = pg_temp.m(2)$$, 'and is then kept');

-- ---- single offices, per day ---------------------------------------------------------------------------------
SELECT throws_ok($$SELECT pg_temp.join_team(3, 1, 'Ketua Dua', '2020-01-01', '2020-01-01', 'ketua')$$, 'TB001', 'refused: office_taken', 'never two ketua on a day of the past');
SELECT throws_ok($$SELECT pg_temp.join_team(3, 1, 'Ketua Dua', today() + 900, NULL, 'ketua')$$, 'TB001', 'refused: office_taken', 'nor on a day to come');
SELECT throws_ok($$SELECT pg_temp.join_team(3, 1, 'PJ Dua', '2020-01-01', NULL, 'penanggung_jawab')$$, 'TB001', 'refused: office_taken', 'nor two penanggung jawab');
SELECT lives_ok($$SELECT pg_temp.join_team(3, 1, 'Sekretaris', '2019-01-01', '2019-12-31', 'sekretaris')$$, 'one sekretaris');
SELECT throws_ok($$SELECT pg_temp.join_team(4, 1, 'Sekretaris Dua', '2019-12-31', NULL, 'sekretaris')$$, 'TB001', 'refused: office_taken', 'the last day is the first one''s');
SELECT lives_ok($$SELECT pg_temp.join_team(4, 1, 'Sekretaris Dua', '2020-01-01', NULL, 'sekretaris')$$, 'the next day another one');
SELECT throws_ok($$UPDATE team_member SET ends_on = NULL WHERE id = pg_temp.m(3)$$, 'TB001', 'refused: office_taken', 'nor by taking the end back');
SELECT throws_ok($$UPDATE team_member SET role = 'ketua' WHERE id = pg_temp.m(4)$$, 'TB001', 'refused: office_taken', 'nor by another role');
SELECT lives_ok($$SELECT pg_temp.join_team(5, 2, 'Ketua Kabupaten', '2020-01-01', NULL, 'ketua')$$, 'another team has its own');
SELECT lives_ok($$WITH one AS (UPDATE team_member SET role = 'anggota' WHERE id = pg_temp.m(2)) UPDATE team_member SET role = 'ketua' WHERE id = pg_temp.m(4)$$,
                'an office passes on in one statement');
SELECT lives_ok($$UPDATE team_member SET role = CASE role WHEN 'ketua' THEN 'sekretaris' ELSE 'ketua' END WHERE id IN (pg_temp.m(2), pg_temp.m(4)) AND false$$, 'nothing changes nothing');

-- ---- nobody twice -----------------------------------------------------------------------------------------------
SELECT throws_ok($$INSERT INTO team_member (team_id, person_id, organization_id, starts_on) VALUES (pg_temp.t(1), pg_temp.p(1), pg_temp.o(3), '2025-01-01')$$, 'TB001', 'refused: member_twice', 'nobody twice');
SELECT throws_ok($$SELECT pg_temp.join_team(6, 1, '  ANI   léstari', '2025-01-01')$$, 'TB001', 'refused: member_twice', 'by no other spelling');
SELECT throws_ok($$SELECT pg_temp.join_team(6, 1, 'sekretaris  DUA', today() + 50)$$, 'TB001', 'refused: member_twice', 'nor on a day to come');
UPDATE team_member SET ends_on = '2024-12-31', end_reason = 'term_ended' WHERE id = pg_temp.m(1);
SELECT lives_ok($$INSERT INTO team_member (id, team_id, person_id, organization_id, starts_on) VALUES (pg_temp.m(7), pg_temp.t(1), pg_temp.p(1), pg_temp.o(3), '2025-01-01')$$, 'who left may come back');
SELECT throws_ok($$UPDATE team_member SET ends_on = '2025-01-01' WHERE id = pg_temp.m(1)$$, 'TB001', 'refused: member_twice', 'but not on a day of the other membership');
SELECT lives_ok($$INSERT INTO team_member (team_id, person_id, organization_id, starts_on) VALUES (pg_temp.t(2), pg_temp.p(1), pg_temp.o(3), '2025-01-01')$$, 'in another team, yes');

-- ---- substitutions --------------------------------------------------------------------------------------------
SELECT throws_ok($$SELECT team_substitute(pg_temp.t(1), pg_temp.m(4), '2020-01-01', 'moved_office', pg_temp.m(8), NULL, 'Baru', NULL, pg_temp.o(2), NULL, NULL)$$, 'TB001', 'refused: date_before_previous', 'not before the other began');
SELECT throws_ok($$SELECT team_substitute(pg_temp.t(2), pg_temp.m(4), '2021-01-01', 'moved_office', pg_temp.m(8), NULL, 'Baru', NULL, pg_temp.o(2), NULL, NULL)$$, 'TB001', 'refused: member_unknown', 'of the same team');
SELECT throws_ok($$SELECT team_substitute(pg_temp.t(1), pg_temp.m(3), '2021-01-01', 'moved_office', pg_temp.m(8), NULL, 'Baru', NULL, pg_temp.o(2), NULL, NULL)$$, 'TB001', 'refused: member_left', 'not long after the other left');
SELECT lives_ok($$SELECT team_substitute(pg_temp.t(1), pg_temp.m(4), '2021-07-01', 'moved_office', pg_temp.m(8), NULL, 'Baru', 'Sekretaris', pg_temp.o(2), NULL, NULL)$$, 'one step');
SELECT is((SELECT (ends_on, end_reason)::text FROM team_member WHERE id = pg_temp.m(4)), '(2021-06-30,moved_office)', 'one leaves');
SELECT is((SELECT (starts_on, role, replaces_id)::text FROM team_member WHERE id = pg_temp.m(8)), format('(2021-07-01,ketua,%s)', pg_temp.m(4)), 'the other comes, with the same role');
SELECT throws_ok($$UPDATE team_member SET starts_on = '2021-06-30' WHERE id = pg_temp.m(8)$$, 'TB001', 'refused: office_taken', 'and no day has both');
SELECT throws_ok($$INSERT INTO team_member (team_id, name, organization_id, starts_on, replaces_id) VALUES (pg_temp.t(1), 'Lain', pg_temp.o(1), '2020-01-01', pg_temp.m(4))$$, 'TB001', 'refused: substitution_order', 'who replaces comes later');
-- a full team stays full
SELECT pg_temp.join_team(n, 1, 'Penuh ' || n, '2021-07-01') FROM generate_series(20, 26) n;
SELECT throws_ok($$SELECT pg_temp.join_team(30, 1, 'Lebih', '2022-01-01')$$, 'TB001', 'refused: team_full', 'the team is full') FROM team WHERE id = pg_temp.t(1);
SELECT lives_ok($$SELECT team_substitute(pg_temp.t(1), pg_temp.m(20), '2022-01-01', 'resigned', pg_temp.m(31), NULL, 'Pengganti', NULL, pg_temp.o(2), NULL, NULL)$$, 'who is replaced leaves room');

-- ---- positions ---------------------------------------------------------------------------------------------------
SELECT throws_ok($$UPDATE team_member SET position = 'Kepala' WHERE id = pg_temp.m(8)$$, '23001', NULL, 'a position changes by a dated change');
SELECT throws_ok($$SELECT team_position_change(uuidv7(), pg_temp.m(8), '2021-07-01', 'Kepala', false, NULL, true)$$, 'TB001', 'refused: date_before_previous', 'after the membership began');
SELECT throws_ok($$SELECT team_position_change(uuidv7(), pg_temp.m(8), today() + 1, 'Kepala', false, NULL, true)$$, 'TB001', 'refused: date_in_future', 'by today');
SELECT lives_ok($$SELECT team_position_change(uuidv7(), pg_temp.m(8), '2022-01-01', 'Kepala Bidang', false, pg_temp.o(3), false)$$, 'the member moves office and stays');
SELECT is((SELECT (position, organization_id)::text FROM team_member WHERE id = pg_temp.m(8)), format('("Kepala Bidang",%s)', pg_temp.o(3)), 'the row shows the latest');
SELECT is((SELECT array_agg((position, starts_on, ends_on)::text ORDER BY period) FROM team_member_position WHERE member_id = pg_temp.m(8)),
          ARRAY['(Sekretaris,,2021-12-31)', '("Kepala Bidang",2022-01-01,)'], 'the old one is kept');
SELECT is((SELECT array_agg((team_position_on(m.id, m.period, d)).position ORDER BY d) FROM team_member m, unnest('{2021-01-01,2021-12-31,2022-01-01,2030-01-01}'::date[]) d WHERE m.id = pg_temp.m(8)),
          '{Sekretaris,Sekretaris,"Kepala Bidang","Kepala Bidang"}', 'on every day the office of that day');
SELECT throws_ok($$SELECT team_position_change(uuidv7(), pg_temp.m(8), '2021-12-01', 'Lain', false, NULL, true)$$, 'TB001', 'refused: date_before_previous', 'one after the other');
SELECT throws_ok($$UPDATE team_member SET ends_on = '2021-12-31' WHERE id = pg_temp.m(8)$$, 'TB001', 'refused: position_outside', 'a membership covers its positions');
SELECT throws_ok($$DELETE FROM team_member_position$$, '23001', NULL, 'positions are never removed');
SELECT throws_ok($$INSERT INTO team_member_position (member_id, position, organization_id, starts_on) VALUES (pg_temp.m(8), 'X', pg_temp.o(1), '2022-06-01')$$, '23P01', NULL, 'one position a day');

-- ---- the coordinator ---------------------------------------------------------------------------------------------
SELECT throws_ok($$SELECT team_coordinate(pg_temp.t(1), pg_temp.m(5), '2021-08-01')$$, 'TB001', 'refused: member_unknown', 'a member of the team coordinates');
SELECT throws_ok($$SELECT team_coordinate(pg_temp.t(1), pg_temp.m(8), '2021-06-30')$$, 'TB001', 'refused: coordinator_no_member', 'while being one');
SELECT lives_ok($$SELECT team_coordinate(pg_temp.t(1), pg_temp.m(2), '2019-06-01')$$, 'of any role');
SELECT throws_ok($$INSERT INTO team_coordinator (team_id, member_id, starts_on) VALUES (pg_temp.t(1), pg_temp.m(8), '2021-08-01')$$, '23P01',
                 'conflicting key value violates exclusion constraint "team_coordinator_period_excl"', 'at most one a day');
SELECT lives_ok($$SELECT team_coordinate(pg_temp.t(1), pg_temp.m(8), '2021-08-01')$$, 'the duty passes on');
SELECT is((SELECT array_agg((member_id, starts_on, ends_on)::text ORDER BY starts_on) FROM team_coordinator WHERE team_id = pg_temp.t(1)),
          ARRAY[format('(%s,2019-06-01,2021-07-31)', pg_temp.m(2)), format('(%s,2021-08-01,)', pg_temp.m(8))], 'from one day to the next');
SELECT throws_ok($$SELECT team_coordinate(pg_temp.t(1), pg_temp.m(2), '2020-01-01')$$, 'TB001', 'refused: date_before_previous', 'forward only');
SELECT lives_ok($$SELECT team_coordinate(pg_temp.t(1), pg_temp.m(8), '2021-09-01')$$, 'naming the same again changes nothing');
SELECT is((SELECT count(*) FROM team_coordinator WHERE team_id = pg_temp.t(1)), 2::bigint, 'at all');
UPDATE team_member SET ends_on = '2023-03-31', end_reason = 'resigned' WHERE id = pg_temp.m(8);
SELECT is((SELECT ends_on FROM team_coordinator WHERE member_id = pg_temp.m(8)), '2023-03-31'::date, 'the duty ends with the membership');
SELECT throws_ok($$UPDATE team_coordinator SET ends_on = NULL WHERE member_id = pg_temp.m(8)$$, 'TB001', 'refused: coordinator_no_member', 'nobody coordinates who has left');
SELECT throws_ok($$UPDATE team_member SET starts_on = '2021-08-02' WHERE id = pg_temp.m(8)$$, 'TB001', 'refused: coordinator_no_member', 'or has not come yet');

-- ---- audit -----------------------------------------------------------------------------------------------------
SELECT is((SELECT count(*) FROM audit WHERE table_name = 'team' AND action = 'update' AND xid = pg_current_xact_id()), 0::bigint, 'the lock leaves no trace');
SELECT is((SELECT jsonb_typeof(after -> 'name') FROM audit WHERE table_name = 'team_member' AND action = 'insert' AND row_key ->> 'id' = pg_temp.m(8)::text), 'object', 'a name is a digest in the audit');

SELECT finish();
ROLLBACK;
