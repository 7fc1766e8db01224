-- Trainings, certificates, people and their contacts: under plain SQL the rules are the same.
BEGIN;
\ir fixture.psql
SELECT plan(49);

CREATE FUNCTION pg_temp.t(n integer) RETURNS uuid LANGUAGE sql IMMUTABLE RETURN ('00000000-0000-7000-8101-' || lpad(n::text, 12, '0'))::uuid;
CREATE FUNCTION pg_temp.m(n integer) RETURNS uuid LANGUAGE sql IMMUTABLE RETURN ('00000000-0000-7000-8102-' || lpad(n::text, 12, '0'))::uuid;
CREATE FUNCTION pg_temp.p(n integer) RETURNS uuid LANGUAGE sql IMMUTABLE RETURN ('00000000-0000-7000-8103-' || lpad(n::text, 12, '0'))::uuid;

-- ---- trainings -----------------------------------------------------------------------------------------------
INSERT INTO training (id, kind, title, starts_on, ends_on, region_code) VALUES
    (pg_temp.t(1), 'fasilitator', 'Bimtek', '2020-03-01', '2020-03-05', '97.01'), (pg_temp.t(2), 'tik', 'Nanti', today() + 1, NULL, NULL);
SELECT throws_ok($$INSERT INTO training (kind, title) VALUES ('tik', 'X')$$, 'TB001', 'refused: training_date_required', 'a training has its day');
SELECT throws_ok($$INSERT INTO training (kind, title, origin) VALUES ('tik', 'X', 'historical')$$, 'TB001', 'refused: source_required', 'one of the past a source');
SELECT lives_ok($$INSERT INTO training (kind, title, origin, source) VALUES ('tik', 'X', 'historical', 'S0')$$, 'and perhaps no day');
SELECT throws_ok($$UPDATE training SET ends_on = '2020-02-01' WHERE id = pg_temp.t(1)$$, 'TB001', 'refused: period_reversed', 'a period runs forward');
SELECT throws_ok($$UPDATE training SET region_code = '97.01.01.2009' WHERE id = pg_temp.t(1)$$, 'TB001', 'refused: region_unknown', 'in a region that is in force');
SELECT throws_ok($$UPDATE training SET origin = 'historical', source = 'S0' WHERE id = pg_temp.t(1)$$, '23001', NULL, 'its origin stays');
SELECT throws_ok($$DELETE FROM training WHERE id = pg_temp.t(1)$$, '23001', NULL, 'a training is not removed');

-- ---- participants --------------------------------------------------------------------------------------------
INSERT INTO person (id, name, library_id) VALUES (pg_temp.p(1), 'Ani', pg_temp.l(3)), (pg_temp.p(2), 'Budi', NULL);
INSERT INTO training_participant (id, training_id, person_id, role, attended) VALUES (pg_temp.m(1), pg_temp.t(1), pg_temp.p(1), 'fasilitator', true);
INSERT INTO training_participant (id, training_id, name, library_id, role, attended) VALUES
    (pg_temp.m(2), pg_temp.t(1), 'Citra', pg_temp.l(4), 'fasilitator', true), (pg_temp.m(3), pg_temp.t(1), 'Dodi', NULL, 'fasilitator', true),
    (pg_temp.m(4), pg_temp.t(1), 'Eka', pg_temp.l(5), 'pengelola', false), (pg_temp.m(5), pg_temp.t(1), 'Fitri', pg_temp.l(5), 'pengelola', true);
SELECT is((SELECT library_id FROM training_participant WHERE id = pg_temp.m(1)), pg_temp.l(3), 'a person''s library is the participant''s, unless told');
SELECT throws_ok($$INSERT INTO training_participant (training_id, person_id, role) VALUES (pg_temp.t(1), pg_temp.p(1), 'staf')$$, '23505', NULL, 'nobody takes part twice');
SELECT throws_ok($$INSERT INTO training_participant (training_id, role) VALUES (pg_temp.t(1), 'staf')$$, '23514', NULL, 'a participant is somebody');
SELECT throws_ok($$INSERT INTO training_participant (training_id, role, name, person_id) VALUES (pg_temp.t(1), 'staf', 'X', pg_temp.p(2))$$, '23514', NULL, 'a person or a name');
SELECT throws_ok($$INSERT INTO training_participant (training_id, role, name, attended) VALUES (pg_temp.t(2), 'staf', 'X', true)$$, 'TB001', 'refused: training_not_begun', 'nobody attends before it begins');
SELECT throws_ok($$UPDATE training SET starts_on = today() + 1, ends_on = NULL WHERE id = pg_temp.t(1)$$, 'TB001', 'refused: training_not_begun', 'nor does it begin after they attended');
SELECT throws_ok($$UPDATE training_participant SET training_id = pg_temp.t(2) WHERE id = pg_temp.m(4)$$, '23001', NULL, 'a participant stays in the training');

-- ---- certificates --------------------------------------------------------------------------------------------
SELECT throws_ok($$UPDATE training_participant SET certified_on = '2020-03-05' WHERE id = pg_temp.m(4)$$, 'TB001', 'refused: participant_not_attended', 'who did not attend is not certified');
SELECT throws_ok($$UPDATE training_participant SET certified_on = '2020-03-05' WHERE id = pg_temp.m(3)$$, 'TB001', 'refused: certificate_library_required', 'a facilitator has a library');
SELECT throws_ok($$UPDATE training_participant SET certified_on = '2020-02-28' WHERE id = pg_temp.m(1)$$, 'TB001', 'refused: training_not_begun', 'not before the training');
SELECT throws_ok($$UPDATE training_participant SET certified_on = today() + 1 WHERE id = pg_temp.m(1)$$, 'TB001', 'refused: date_in_future', 'not tomorrow');
SELECT throws_ok($$UPDATE training_participant SET certified_on = '2020-03-05', certificate_until = '2020-03-04' WHERE id = pg_temp.m(1)$$, 'TB001', 'refused: period_reversed', 'nor for less than a day');
SELECT throws_ok($$UPDATE training_participant SET certificate_until = '2020-03-04' WHERE id = pg_temp.m(1)$$, '23514', NULL, 'no end without a certificate');
SELECT is((SELECT published FROM person WHERE id = pg_temp.p(1)), false, 'a trainee''s name is not published');
SELECT set_config('tpbis.actor', 'provinsi', true);
UPDATE training_participant SET certified_on = '2020-03-05', certificate_until = '2023-03-04' WHERE id IN (pg_temp.m(1), pg_temp.m(2));
SELECT is((SELECT certified_by FROM training_participant WHERE id = pg_temp.m(1)), 'provinsi', 'who certified is on record');
SELECT is((SELECT (facilitates, published)::text FROM person WHERE id = pg_temp.p(1)), '(t,t)', 'a certified facilitator''s is');
SELECT is((SELECT (p.name, p.library_id, p.region_code, p.published, m.name)::text FROM training_participant m JOIN person p ON p.id = m.person_id WHERE m.id = pg_temp.m(2)),
          format('(Citra,%s,97.02,t,)', pg_temp.l(4)), 'one who was a name is a person from then on');
UPDATE training_participant SET certified_on = '2020-03-05' WHERE id = pg_temp.m(5);
SELECT is((SELECT (name, person_id)::text FROM training_participant WHERE id = pg_temp.m(5)), '(Fitri,)', 'a manager stays a name');
SELECT throws_ok(format('UPDATE training_participant SET %s WHERE id = pg_temp.m(1)', change), 'TB001', 'refused: participant_certified', change || ' of a certified one is refused')
FROM (VALUES ('attended = false'), ('role = ''staf'''), ('person_id = pg_temp.p(2)')) AS c (change);
SELECT throws_ok($$SELECT training_participant_remove(pg_temp.m(1))$$, 'TB001', 'refused: participant_certified', 'nor is a certified one taken off');

SELECT is((SELECT count(*) FROM facilitators_on(day) f WHERE f.person_id = pg_temp.p(1)), n::bigint, 'on ' || day || ': ' || n)
FROM (VALUES (date '2020-03-04', 0), ('2020-03-05', 1), ('2023-03-04', 1), ('2023-03-05', 0)) AS d (day, n);
SELECT is((SELECT (library_id, place, role)::text FROM facilitators_on('2021-01-01') WHERE person_id = pg_temp.p(1)), format('(%s,97.01,fasilitator)', pg_temp.l(3)), 'with the library and its place');
INSERT INTO training_participant (id, training_id, person_id, role, attended, certified_on)
SELECT pg_temp.m(9), t.id, pg_temp.p(1), 'master_trainer', true, '2020-03-05' FROM training t WHERE t.title = 'X' AND t.origin = 'historical';
SELECT is((SELECT array_agg(role) FROM facilitators_on('2021-01-01') WHERE person_id = pg_temp.p(1)), '{master_trainer}', 'once, by the highest certificate');
DELETE FROM training_participant WHERE id = pg_temp.m(9);
SELECT is((SELECT facilitates FROM person WHERE id = pg_temp.p(1)), true, 'the other certificate still stands');
UPDATE training_participant SET certified_on = NULL, certificate_until = NULL WHERE id = pg_temp.m(1);
SELECT is((SELECT (facilitates, published)::text FROM person WHERE id = pg_temp.p(1)), '(f,f)', 'withdrawn, the name is no longer published');
SELECT is((SELECT certified_by FROM training_participant WHERE id = pg_temp.m(1)), NULL, 'and nobody certified');

-- ---- erasure and contacts ------------------------------------------------------------------------------------
INSERT INTO person_contact (person_id, phone, email, purpose) VALUES (pg_temp.p(1), '0812-rahasia', 'ani@rahasia.example.id', 'uji');
SELECT is((SELECT count(*) FROM audit WHERE xid = pg_current_xact_id() AND (coalesce(before, '{}') || coalesce(after, '{}'))::text ~ 'rahasia|Ani|Citra|Fitri'), 0::bigint,
          'neither contacts nor names stand in the audit');
UPDATE person SET erased_at = now() WHERE id = pg_temp.p(1);
SELECT is((SELECT (name, position)::text FROM person WHERE id = pg_temp.p(1)), '(,)', 'erased, nothing is left of the person');
SELECT is((SELECT count(*) FROM person_contact WHERE person_id = pg_temp.p(1)), 0::bigint, 'nor of the contact');
SELECT is((SELECT count(*) FROM training_participant WHERE training_id = pg_temp.t(1) AND attended), 4::bigint, 'the count stands');
SELECT throws_ok($$UPDATE person SET name = 'Ani', erased_at = NULL WHERE id = pg_temp.p(1)$$, 'TB001', 'refused: reference_unknown', 'for good');
SELECT throws_ok($$INSERT INTO person_contact (person_id, purpose) VALUES (pg_temp.p(1), 'uji')$$, 'TB001', 'refused: reference_unknown', 'and has no contact again');
SELECT throws_ok($$INSERT INTO training_participant (training_id, person_id, role) VALUES (pg_temp.t(2), pg_temp.p(1), 'staf')$$, 'TB001', 'refused: reference_unknown', 'nor takes part');
SELECT training_participant_remove(pg_temp.m(4)), training_participant_remove(pg_temp.m(3));
SELECT is((SELECT count(*) FROM training_participant WHERE id = pg_temp.m(4)), 0::bigint, 'who did not attend goes');
SELECT is((SELECT (name, attended)::text FROM training_participant WHERE id = pg_temp.m(3)), '(,t)', 'who did is counted without a name');
SELECT throws_ok($$UPDATE training_participant SET name = 'Dodi', erased_at = NULL WHERE id = pg_temp.m(3)$$, 'TB001', 'refused: participant_erased', 'for good');
SELECT throws_ok($$DELETE FROM person WHERE id = pg_temp.p(2)$$, '23001', NULL, 'a person is erased, never removed');

SELECT finish();
ROLLBACK;
