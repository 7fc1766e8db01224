-- Replications: who may replicate to whom, one live replication per target, and what every transition asks for; all of it
-- under plain SQL, as any writer would meet it.
BEGIN;
\ir fixture.psql
SELECT plan(82);

CREATE FUNCTION pg_temp.n(n integer) RETURNS uuid LANGUAGE sql IMMUTABLE
RETURN ('00000000-0000-7000-9000-' || lpad(n::text, 12, '0'))::uuid;
CREATE FUNCTION pg_temp.missing(n integer, to_status text, day date DEFAULT today()) RETURNS text[] LANGUAGE sql STABLE
AS 'SELECT array_agg(m.code) FROM replication r, replication_missing(r, to_status, day) m WHERE r.id = pg_temp.n(n)';
-- Refused with that code, or not at all; and replication_missing() says the same before it is tried.
CREATE FUNCTION pg_temp.step(n integer, to_status text, day date DEFAULT today()) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    UPDATE replication SET status = to_status, status_on = day, status_note = NULL WHERE id = pg_temp.n(n);
    RETURN (SELECT status FROM replication WHERE id = pg_temp.n(n));
EXCEPTION WHEN SQLSTATE 'TB001' OR unique_violation THEN
    RETURN SQLERRM;
END
$$;

INSERT INTO program (slug, name) VALUES ('coba', 'Program Coba'), ('lain', 'Program Lain');
INSERT INTO phase (id, program_slug, name, status) VALUES ('coba-1', 'coba', 'Satu', 'open'), ('coba-0', 'coba', 'Nol', 'closed'),
    ('lain-1', 'lain', 'Lain', 'open');
INSERT INTO library (id, name, kind, region_code, supervisor_id, founded_on) VALUES
    (pg_temp.l(7), 'Perpustakaan Desa Melati', 'village', '97.01.01.2002', pg_temp.l(3), '2015-01-01'),
    (pg_temp.l(8), 'Perpustakaan Desa Mawar Dua', 'village', '97.02.01.2001', pg_temp.l(4), '2015-01-01');

CREATE FUNCTION pg_temp.propose(n integer, replicator integer, village text, of_phase text DEFAULT 'coba-1', named uuid DEFAULT NULL,
    more_funding jsonb DEFAULT '[]') RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO replication (id, phase_id, replicator_id, village_code, library_id, status_on, funding)
    VALUES (pg_temp.n(n), of_phase, pg_temp.l(replicator), village, named, today() - 300, more_funding);
    RETURN 'made';
EXCEPTION WHEN SQLSTATE 'TB001' OR unique_violation THEN
    RETURN SQLERRM;
END
$$;

-- ---- who replicates, and to whom ---------------------------------------------------------------------------
SELECT is(pg_temp.propose(1, 3, '97.01.01.2002'), 'refused: replicator_not_participant', 'a kabupaten takes part in the programme first');
INSERT INTO participation (id, phase_id, library_id, support, status_on) VALUES (pg_temp.n(100), 'coba-1', pg_temp.l(3), 'full', today() - 900);
SELECT is(pg_temp.propose(1, 3, '97.01.01.2002'), 'refused: replicator_not_participant', 'and is active in it or graduated');
UPDATE participation SET status = 'confirmed', status_on = today() - 800 WHERE id = pg_temp.n(100);
UPDATE participation SET status = 'active', status_on = today() - 700 WHERE id = pg_temp.n(100);
SELECT is(pg_temp.propose(1, 5, '97.01.01.2001'), 'refused: replicator_level', 'a village library does not replicate');
SELECT is(pg_temp.propose(1, 6, '97.01.01.2001'), 'refused: replicator_level', 'nor a TBM');
SELECT is(pg_temp.propose(1, 99, '97.01.01.2001'), 'refused: reference_unknown', 'nor one that is not there');
SELECT is(pg_temp.propose(1, 3, '97.02.01.2001'), 'refused: village_elsewhere', 'the village lies in the replicator''s own region');
SELECT is(pg_temp.propose(1, 3, '97.01.01.2999'), 'refused: region_unknown', 'and is there');
SELECT is(pg_temp.propose(1, 3, '97.01.01.2009'), 'refused: region_unknown', 'today');
SELECT is(pg_temp.propose(1, 3, '97.01.01.2002', 'coba-0'), 'refused: phase_closed', 'a closed phase takes no more');
SELECT is(pg_temp.propose(1, 3, '97.01.01.2002', 'lain-1'), 'refused: replicator_not_participant', 'taking part in another programme says nothing');
SELECT is(pg_temp.propose(1, 3, '97.01.01.2002', NULL), 'refused: replication_program_missing', 'a replication is of a programme');
SELECT throws_ok($$INSERT INTO replication (program_slug, phase_id, replicator_id, village_code) VALUES ('coba', 'lain-1', pg_temp.l(3), '97.01.01.2002')$$,
    'TB001', 'refused: phase_of_other_program', 'whose phase it names');
SELECT throws_ok($$INSERT INTO replication (phase_id, replicator_id, village_code, status) VALUES ('coba-1', pg_temp.l(3), '97.01.01.2002', 'training')$$,
    'TB001', 'refused: replication_beginning', 'and begins as proposed');
SELECT throws_ok($$INSERT INTO replication (phase_id, replicator_id, village_code, status_on) VALUES ('coba-1', pg_temp.l(3), '97.01.01.2002', today() + 1)$$,
    'TB001', 'refused: date_in_future', 'not tomorrow');
SELECT throws_ok($$INSERT INTO replication (phase_id, replicator_id, village_code, undocumented) VALUES ('coba-1', pg_temp.l(3), '97.01.01.2002', '["commitment"]')$$,
    'TB001', 'refused: record_not_historical', 'what lacks proof is of the past');
SELECT is(pg_temp.propose(1, 3, '97.01.01.2002', 'coba-1', pg_temp.l(5)), 'refused: replication_library_elsewhere', 'the library stands in the village');
SELECT is(pg_temp.propose(1, 3, '97.01.01.2002', 'coba-1', pg_temp.l(4)), 'refused: replication_library_kind', 'and is a village''s or a TBM');
SELECT is(pg_temp.propose(1, 3, '97.01.01.2002', 'coba-1', pg_temp.l(98)), 'refused: reference_unknown', 'and is there');
SELECT throws_ok($$INSERT INTO replication (phase_id, replicator_id, village_code, funding) VALUES ('coba-1', pg_temp.l(3), '97.01.01.2002', '[{"source": "kas"}]')$$,
    '23514', NULL, 'funds have a known source');

SELECT is(pg_temp.propose(1, 3, '97.01.01.2002'), 'made', 'so it can be made');
SELECT is((SELECT (status, program_slug, library_id = pg_temp.l(7), target, origin, live, self_funded)::text FROM replication WHERE id = pg_temp.n(1)),
    '(proposed,coba,t,97.01.01.2002,recorded,t,f)', 'with the village''s only library as its own');
SELECT is(pg_temp.propose(2, 2, '97.02.01.2001'), 'made', 'a province needs no participation');
SELECT is(pg_temp.propose(3, 3, '97.01.01.2002'), 'duplicate key value violates unique constraint "replication_live_key"', 'one live replication per village');
SELECT is(pg_temp.propose(3, 2, '97.01.01.2002'), 'duplicate key value violates unique constraint "replication_live_key"', 'whoever replicates');
SELECT is(pg_temp.propose(3, 3, '97.01.01.2001', 'coba-1', pg_temp.l(6), '[{"source": "dana_desa", "amount": 1000000}]'), 'made', 'a named TBM is a target of its own');
SELECT is((SELECT (target = pg_temp.l(6)::text, self_funded)::text FROM replication WHERE id = pg_temp.n(3)), '(t,t)', 'on own funds');
SELECT is(pg_temp.propose(4, 3, '97.01.01.2001'), 'made', 'beside the village''s library');
SELECT is(pg_temp.propose(5, 3, '97.01.01.1003', 'coba-1', NULL, '[{"source": "apbn"}, {"source": "csr"}]'), 'made', 'the library need not be on record yet');
SELECT is((SELECT (library_id, self_funded)::text FROM replication WHERE id = pg_temp.n(5)), '(,f)', 'funds of the centre make it the centre''s');

-- ---- the way to active -----------------------------------------------------------------------------------
SELECT is(pg_temp.step(1, 'active'), 'refused: replication_transition', 'no step is left out');
SELECT is(pg_temp.step(1, 'committed'), 'refused: replication_commitment_missing', 'a commitment has a document');
SELECT throws_ok($$UPDATE replication SET commitment_kind = 'mou', commitment_signed_on = '2020-01-01' WHERE id = pg_temp.n(1)$$, '23514', NULL, 'with kind, number and date');
SELECT throws_ok($$UPDATE replication SET commitment_kind = 'mou', commitment_number = '1', commitment_signed_on = today() + 1 WHERE id = pg_temp.n(1)$$,
    'TB001', 'refused: date_in_future', 'signed already');
UPDATE replication SET commitment_kind = 'mou', commitment_number = '1', commitment_signed_on = today() - 250 WHERE id = pg_temp.n(1);
SELECT is(pg_temp.step(1, 'committed', today() - 260), 'refused: replication_commitment_late', 'before it counts');
SELECT is(pg_temp.step(1, 'committed', today() - 301), 'refused: date_before_previous', 'a day is not before the one before');
SELECT is(pg_temp.step(1, 'committed', today() + 1), 'refused: date_in_future', 'nor in the future');
SELECT is(pg_temp.step(1, 'committed', today() - 240), 'committed', 'so it is committed');
SELECT throws_ok($$UPDATE replication SET commitment_number = '2' WHERE id = pg_temp.n(1)$$, 'TB001', 'refused: replication_committed', 'and the document stands');
SELECT throws_ok($$UPDATE replication SET status_on = today() WHERE id = pg_temp.n(1)$$, '23001', NULL, 'a day comes with its status');
SELECT throws_ok($$UPDATE replication SET village_code = '97.01.01.2001' WHERE id = pg_temp.n(1)$$, '23001', NULL, 'the village never changes');
SELECT is(pg_temp.step(1, 'approved', today() - 230), 'approved', 'approved');
SELECT is(pg_temp.missing(1, 'training'), '{replication_facilitator_missing}', 'training needs a facilitator');
INSERT INTO training (id, kind, title, starts_on, region_code) VALUES
    (pg_temp.n(200), 'fasilitator', 'Bimtek fasilitator', today() - 400, '97'), (pg_temp.n(201), 'spp_tik', 'Bimtek pengelola', today() - 200, '97.01');
INSERT INTO training_participant (id, training_id, name, library_id, role, attended) VALUES
    (pg_temp.n(210), pg_temp.n(200), 'Fasilitator Satu', pg_temp.l(3), 'fasilitator', true),
    (pg_temp.n(211), pg_temp.n(200), 'Fasilitator Dua', pg_temp.l(4), 'fasilitator', true);
SELECT is(pg_temp.step(1, 'training'), 'refused: replication_facilitator_missing', 'who is certified');
UPDATE training_participant SET certified_on = today() - 390 WHERE id = pg_temp.n(211);
SELECT is(pg_temp.step(1, 'training'), 'refused: replication_facilitator_missing', 'for this kabupaten or its province');
UPDATE training_participant SET certified_on = today() - 390, certificate_until = today() - 250 WHERE id = pg_temp.n(210);
SELECT is(pg_temp.step(1, 'training', today() - 220), 'refused: replication_facilitator_missing', 'on that day');
UPDATE training_participant SET certificate_until = NULL WHERE id = pg_temp.n(210);
SELECT is(pg_temp.step(1, 'training', today() - 220), 'training', 'then it can begin');
SELECT is((SELECT evidence -> 'facilitators' -> 0 ->> 'certified_on' FROM replication_history WHERE replication_id = pg_temp.n(1) AND to_status = 'training'),
    (today() - 390)::text, 'and the history says who was certified');
SELECT is(pg_temp.step(1, 'mentoring', today() - 190), 'mentoring', 'mentoring');
SELECT is(pg_temp.missing(1, 'active'), '{replication_manager_missing}', 'active needs a trained manager');
INSERT INTO training_participant (id, training_id, name, library_id, role, attended) VALUES
    (pg_temp.n(220), pg_temp.n(201), 'Pengelola', pg_temp.l(7), 'pengelola', false), (pg_temp.n(221), pg_temp.n(201), 'Staf', pg_temp.l(7), 'staf', true);
SELECT is(pg_temp.step(1, 'active'), 'refused: replication_manager_missing', 'who was there');
UPDATE training_participant SET attended = true WHERE id = pg_temp.n(220);
SELECT is(pg_temp.step(1, 'active', today() - 100), 'active', 'active');
SELECT is((SELECT (p.phase_id, p.library_id = pg_temp.l(7), p.support, p.status, p.status_on = today() - 100)::text
           FROM replication r JOIN participation p ON p.id = r.participation_id WHERE r.id = pg_temp.n(1)),
    '(coba-1,t,self_replication,active,t)', 'makes the library a participant');
SELECT throws_ok($$UPDATE replication SET library_id = pg_temp.l(5) WHERE id = pg_temp.n(1)$$, 'TB001', 'refused: replication_settled', 'for good');
SELECT throws_ok($$UPDATE replication SET phase_id = NULL WHERE id = pg_temp.n(1)$$, 'TB001', 'refused: replication_settled', 'of that phase');
SELECT is((SELECT array_agg(to_status ORDER BY number) FROM replication_history WHERE replication_id = pg_temp.n(1)),
    '{proposed,committed,approved,training,mentoring,active}', 'every step is on record');
SELECT is((SELECT count(*) FROM audit WHERE table_name = 'replication_history' AND action = 'insert'
             AND after ->> 'replication_id' = pg_temp.n(1)::text), 6::bigint, 'and audited');
SELECT throws_ok($$UPDATE replication_history SET note = 'x'$$, '23001', NULL, 'the history stays');
SELECT throws_ok($$DELETE FROM replication_history$$, '23001', NULL, 'whole');
SELECT throws_ok($$DELETE FROM replication WHERE id = pg_temp.n(2)$$, '23001', NULL, 'a replication is cancelled, never deleted');
SELECT is(pg_temp.step(1, 'cancelled'), 'refused: replication_transition', 'but not when it is active');

-- ---- lapsed and back ---------------------------------------------------------------------------------------
SELECT is(pg_temp.step(1, 'lapsed', today() - 50), 'lapsed', 'a library stops');
SELECT is(pg_temp.propose(6, 2, '97.01.01.2002'), 'made', 'somebody else may begin there');
SELECT is(pg_temp.step(1, 'mentoring', today() - 40), 'refused: village_already_replicated', 'then the old one does not start again');
SELECT is(pg_temp.step(6, 'cancelled'), 'cancelled', 'until that one is cancelled');
SELECT is(pg_temp.step(6, 'committed'), 'refused: replication_transition', 'which is the end of it');
SELECT is(pg_temp.step(1, 'mentoring', today() - 40), 'mentoring', 'then it does');
SELECT is(pg_temp.step(1, 'active', today() - 30), 'active', 'with the same participation');
SELECT is(pg_temp.step(1, 'independent', today() - 20), 'independent', 'and stands on its own');

-- ---- records of the past -----------------------------------------------------------------------------------
SELECT throws_ok($$INSERT INTO replication (program_slug, replicator_id, village_code, origin, status) VALUES ('lain', pg_temp.l(4), '97.02.01.2001', 'historical', 'training')$$,
    'TB001', 'refused: source_required', 'a record of the past has a source');
INSERT INTO replication (id, phase_id, replicator_id, village_code, origin, source, status) VALUES (pg_temp.n(7), 'coba-0', pg_temp.l(4), '97.02.01.2001', 'historical', 'S3', 'rejected');
INSERT INTO replication (id, program_slug, replicator_id, village_code, origin, source, status)
VALUES (pg_temp.n(8), 'lain', pg_temp.l(4), '97.02.01.2001', 'historical', 'S3', 'training');
SELECT is((SELECT (status, status_on, undocumented)::text FROM replication WHERE id = pg_temp.n(8)),
    '(training,,"[""commitment"", ""approval"", ""facilitator""]")', 'begins anywhere, and says what it lacks');
SELECT is(pg_temp.step(8, 'active'), 'refused: replication_transition', 'its later steps obey every rule');
SELECT is(pg_temp.step(8, 'mentoring'), 'mentoring', 'one by one');
SELECT is(pg_temp.missing(8, 'active'), '{replication_phase_missing,replication_manager_missing}', 'everything that is missing is said at once');
SELECT throws_ok($$INSERT INTO replication (program_slug, replicator_id, village_code, origin, source, status) VALUES ('lain', pg_temp.l(2), '97.02.01.2001', 'historical', 'S3', 'training')$$,
    '23505', NULL, 'one live replication counts for the past, too');

-- ---- a participation that is there -------------------------------------------------------------------------
UPDATE replication SET phase_id = 'lain-1' WHERE id = pg_temp.n(8);
INSERT INTO training_participant (training_id, name, library_id, role, attended) VALUES (pg_temp.n(201), 'Pengelola Dua', pg_temp.l(8), 'pengelola', true);
INSERT INTO participation (id, phase_id, library_id, support, status_on) VALUES (pg_temp.n(101), 'lain-1', pg_temp.l(8), 'book_grant', today());
UPDATE participation SET status = 'withdrawn' WHERE id = pg_temp.n(101);
SELECT is(pg_temp.step(8, 'active'), 'refused: participation_withdrawn', 'a library that withdrew is not made a participant again');
INSERT INTO phase (id, program_slug, name, status) VALUES ('lain-2', 'lain', 'Lain dua', 'open');
UPDATE replication SET phase_id = 'lain-2' WHERE id = pg_temp.n(8);
INSERT INTO participation (id, phase_id, library_id, support, status_on) VALUES (pg_temp.n(102), 'lain-2', pg_temp.l(8), 'book_grant', today());
SELECT is(pg_temp.step(8, 'active'), 'active', 'one that is there');
SELECT is((SELECT (r.participation_id = pg_temp.n(102), p.support, p.status)::text FROM replication r JOIN participation p ON p.id = r.participation_id
           WHERE r.id = pg_temp.n(8)), '(t,book_grant,active)', 'is linked');

-- ---- facilitators ------------------------------------------------------------------------------------------
SELECT lives_ok($$INSERT INTO replication_facilitator (replication_id, person_id, starts_on)
    SELECT pg_temp.n(1), person_id, today() - 200 FROM training_participant WHERE id = pg_temp.n(210)$$, 'a certified facilitator mentors');
SELECT throws_ok($$INSERT INTO replication_facilitator (replication_id, person_id, starts_on)
    SELECT pg_temp.n(1), person_id, today() FROM training_participant WHERE id = pg_temp.n(211)$$, 'TB001', 'refused: facilitator_not_certified', 'but none of another kabupaten');

-- ---- policies ----------------------------------------------------------------------------------------------
CREATE FUNCTION pg_temp.authority(n integer, to_status text, scopes text[], place text, rank bigint) RETURNS text LANGUAGE sql STABLE
AS $$SELECT a.code FROM replication r, replication_authority(r, to_status, today(), scopes, true, ARRAY[place], ARRAY[place || '/'], ARRAY[rank]) a
     WHERE r.id = pg_temp.n(n)$$;
SELECT is(ARRAY[pg_temp.authority(3, 'approved', '{replications:write}', '97.01', 4), pg_temp.authority(3, 'approved', '{replications:approve}', '97', 3),
                pg_temp.authority(2, 'approved', '{replications:approve}', '97', 3), pg_temp.authority(3, 'rejected', '{replications:write}', '97.01', 4),
                pg_temp.authority(3, 'cancelled', '{replications:approve}', '97', 3), pg_temp.authority(3, 'cancelled', '{replications:write}', '97.02', 4)],
    '{replication_needs_province,NULL,replication_needs_nation,replication_needs_province,insufficient_scope,out_of_reach}',
    'approving is done above the replicator, all else by those who write there');
SELECT throws_ok($$INSERT INTO replication_policy (replicator_kind, approver) VALUES ('regency', 'national')$$, '23P01', NULL, 'one policy a day');
UPDATE replication_policy SET ends_on = today() - 1 WHERE replicator_kind = 'regency';
INSERT INTO replication_policy (replicator_kind, approver, self_funded_freed, starts_on) VALUES ('regency', 'provincial', true, today());
SELECT is(ARRAY[pg_temp.authority(3, 'approved', '{replications:write}', '97.01', 4), pg_temp.authority(4, 'approved', '{replications:write}', '97.01', 4),
                pg_temp.authority(3, 'rejected', '{replications:write}', '97.01', 4)],
    '{NULL,replication_needs_province,replication_needs_province}', 'a policy frees the self-funded from approval, from its day on');

SELECT finish();
ROLLBACK;
