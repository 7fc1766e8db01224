-- Programmes, phases, participations: under plain SQL the rules are the same.
BEGIN;
\ir fixture.psql
SELECT plan(51);

CREATE FUNCTION pg_temp.join_phase(phase text, library integer, more text DEFAULT '') RETURNS text LANGUAGE sql AS $$
    SELECT format('INSERT INTO participation (phase_id, library_id, support%s) SELECT %L, %L, ''full''%s',
                  CASE WHEN more <> '' THEN ', ' || split_part(more, ' => ', 1) ELSE '' END, phase, pg_temp.l(library),
                  CASE WHEN more <> '' THEN ', ' || split_part(more, ' => ', 2) ELSE '' END) $$;
CREATE FUNCTION pg_temp.status(phase text, library integer) RETURNS text LANGUAGE sql AS
    'SELECT p.status FROM public.participation p WHERE (p.phase_id, p.library_id) = (phase, pg_temp.l(library))';

-- ---- programmes and phases -----------------------------------------------------------------------------------
INSERT INTO program (slug, name) VALUES ('coba', 'Coba'), ('lain', 'Lain');
INSERT INTO phase (id, program_slug, name, status) VALUES
    ('coba-1', 'coba', 'Satu', 'open'), ('coba-2', 'coba', 'Dua', 'closed'), ('lain-1', 'lain', 'Satu', 'planned');
SELECT throws_ok(format('INSERT INTO program (slug, name) VALUES (%L, ''X'')', slug), '23514', NULL, slug || ' is no slug')
FROM (VALUES ('Coba'), ('coba-'), ('co ba'), (''), ('coba--1')) AS w (slug);
SELECT throws_ok($$UPDATE program SET slug = 'baru' WHERE slug = 'lain'$$, '23001', NULL, 'a slug never changes');
SELECT throws_ok($$UPDATE phase SET id = 'baru' WHERE id = 'lain-1'$$, '23001', NULL, 'nor that of a phase');
SELECT throws_ok($$UPDATE phase SET program_slug = 'coba' WHERE id = 'lain-1'$$, '23001', NULL, 'nor its programme');
SELECT throws_ok($$DELETE FROM phase WHERE id = 'lain-1'$$, '23001', NULL, 'a phase is closed, never removed');
SELECT throws_ok($$DELETE FROM program WHERE slug = 'lain'$$, '23001', NULL, 'nor is a programme');
SELECT throws_ok($$UPDATE phase SET starts_on = '2020-01-02', ends_on = '2020-01-01' WHERE id = 'lain-1'$$, 'TB001', 'refused: period_reversed', 'a period runs forward');
SELECT throws_ok($$UPDATE program SET started_on = 'infinity' WHERE slug = 'lain'$$, '23514', NULL, 'dates are finite');
SELECT throws_ok($$INSERT INTO phase_target (phase_id, measure, value) VALUES ('coba-1', 'libraries', 'NaN')$$, '23514', NULL, 'so are targets');
SELECT throws_ok($$INSERT INTO published_figure (program_slug, phase_id, measure, value, unit, source, as_of) VALUES ('coba', 'coba-1', 'tbm', 1, 'tbm', 'S0', today() + 1)$$,
                 'TB001', 'refused: date_in_future', 'nothing was published of tomorrow');
INSERT INTO published_figure (program_slug, phase_id, measure, value, unit, source) VALUES ('lain', 'coba-1', 'village_libraries', 300, 'libraries', 'S4');
SELECT is((SELECT program_slug FROM published_figure WHERE phase_id = 'coba-1'), 'coba', 'a figure of a phase is of the phase''s programme');
SELECT is((SELECT row_version FROM phase WHERE id = 'coba-1'), 2::bigint, 'a figure makes a new version of its phase');
SELECT is((SELECT row_version FROM program WHERE slug = 'coba'), 1::bigint, 'not of the programme');
INSERT INTO phase_target (phase_id, measure, value) VALUES ('coba-1', 'village_libraries', 5);
DELETE FROM phase_target WHERE phase_id = 'coba-1';
SELECT is((SELECT row_version FROM phase WHERE id = 'coba-1'), 4::bigint, 'so does a target, and its end');
INSERT INTO phase_target (phase_id, measure, value) VALUES ('coba-1', 'village_libraries', 5);

-- ---- nominations ---------------------------------------------------------------------------------------------
SELECT lives_ok(pg_temp.join_phase('coba-1', 5), 'a library is nominated');
SELECT is((SELECT (status, status_on, joined_on, origin)::text FROM participation WHERE library_id = pg_temp.l(5)),
          format('(nominated,%s,,recorded)', today()), 'today, unless told');
SELECT throws_ok(pg_temp.join_phase('coba-1', 5), '23505', NULL, 'a library takes part in a phase at most once');
SELECT lives_ok(pg_temp.join_phase('lain-1', 5), 'in another it may');
SELECT throws_ok(pg_temp.join_phase('coba-2', 5), 'TB001', 'refused: phase_closed', 'a closed phase takes no more');
SELECT throws_ok(pg_temp.join_phase('coba-1', 6, 'status => ''active'''), 'TB001', 'refused: participation_beginning', 'it begins as nominated');
SELECT throws_ok(pg_temp.join_phase('coba-1', 6, 'status_on => today() + 1'), 'TB001', 'refused: date_in_future', 'not tomorrow');
SELECT throws_ok(pg_temp.join_phase('coba-1', 6, 'status => ''gone'''), 'TB001', NULL, 'in no other state');
SELECT throws_ok(pg_temp.join_phase('coba-1', 6, 'origin => ''historical'''), 'TB001', 'refused: source_required', 'the past has a source');
SELECT lives_ok($$INSERT INTO participation (phase_id, library_id, support, origin, source, status, joined_on, joined_on_precision)
                  VALUES ('coba-2', pg_temp.l(6), 'full', 'historical', 'S3', 'active', '2019-01-01', 'year')$$, 'and begins anywhere, in a closed phase too');
UPDATE library SET status = 'closed' WHERE id = pg_temp.l(6);
SELECT throws_ok(pg_temp.join_phase('coba-1', 6), 'TB001', 'refused: library_closed', 'a closed library is not nominated');

-- ---- transitions ---------------------------------------------------------------------------------------------
SELECT throws_ok(format('UPDATE participation SET status = %L WHERE phase_id = ''coba-1''', wrong), 'TB001', 'refused: participation_transition', 'nominated is not ' || wrong)
FROM (VALUES ('active'), ('graduated')) AS w (wrong);
SELECT throws_ok($$UPDATE participation SET status = 'confirmed', status_on = today() + 1 WHERE phase_id = 'coba-1'$$, 'TB001', 'refused: date_in_future', 'no step tomorrow');
SELECT throws_ok($$UPDATE participation SET status = 'confirmed', status_on = today() - 1 WHERE phase_id = 'coba-1'$$, 'TB001', 'refused: date_before_previous', 'none before the one before');
SELECT throws_ok($$UPDATE participation SET status_on = today() - 9 WHERE phase_id = 'coba-1'$$, '23001', NULL, 'the day of a state is not rewritten');
SELECT throws_ok($$UPDATE participation SET phase_id = 'coba-2' WHERE phase_id = 'coba-1'$$, '23001', NULL, 'a participation stays in its phase');
SELECT throws_ok($$DELETE FROM participation WHERE phase_id = 'coba-1'$$, '23001', NULL, 'it is withdrawn, never removed');
SELECT set_config('tpbis.actor', 'siti', true);
UPDATE participation SET status = 'confirmed', status_note = 'Karena siap' WHERE phase_id = 'coba-1';
UPDATE participation SET status = 'active', status_on = NULL, status_note = NULL WHERE phase_id = 'coba-1';
SELECT is((SELECT array_agg((h.from_status, h.to_status, h.happened_on = today(), h.note)::text ORDER BY h.number)
           FROM participation_history h JOIN participation p ON p.id = h.participation_id WHERE p.phase_id = 'coba-1'),
          '{"(,nominated,t,)","(nominated,confirmed,t,\"Karena siap\")","(confirmed,active,t,)"}', 'every change is kept: what, when, why');
SELECT is((SELECT array_agg(DISTINCT h.actor) FROM participation_history h WHERE h.from_status IS NOT NULL), '{siti}', 'and who');
SELECT throws_ok($$UPDATE participation_history SET note = 'lain'$$, '23001', NULL, 'for ever');
SELECT throws_ok($$DELETE FROM participation_history$$, '23001', NULL, 'and ever');
SELECT is((SELECT joined_on FROM participation WHERE phase_id = 'coba-1'), today(), 'confirmed, it joined');
SELECT is((SELECT count(*) FROM audit WHERE table_name = 'participation' AND xid = pg_current_xact_id()), 5::bigint, 'and the audit has a row of each change');

-- ---- joining by replication ------------------------------------------------------------------------------------
SELECT isnt(participation_join('coba-1', pg_temp.l(3), 'self_replication', today(), 'replikasi'), NULL, 'becoming active makes a participation');
SELECT is(pg_temp.status('coba-1', 3), 'active', 'that is active');
SELECT is((SELECT array_agg(h.to_status ORDER BY h.number) FROM participation_history h JOIN participation p ON p.id = h.participation_id
           WHERE p.library_id = pg_temp.l(3)), '{nominated,confirmed,active}', 'with every step on record');
SELECT is(participation_join('coba-1', pg_temp.l(3), 'full', today(), NULL), (SELECT id FROM participation WHERE library_id = pg_temp.l(3)), 'again, it links the one that is there');
UPDATE participation SET status = 'withdrawn', status_on = NULL WHERE phase_id = 'coba-1' AND library_id = pg_temp.l(3);
SELECT throws_ok($$SELECT participation_join('coba-1', pg_temp.l(3), 'full', today(), NULL)$$, 'TB001', 'refused: participation_withdrawn', 'but not one that withdrew');
SELECT is((SELECT ended_on FROM participation WHERE library_id = pg_temp.l(3)), today(), 'which ended then');

-- ---- progress --------------------------------------------------------------------------------------------------
SELECT is((SELECT jsonb_path_query_first(phase_progress('coba-1', NULL), '$[*] ? (@.measure == "village_libraries")') - 'published'),
          '{"measure": "village_libraries", "target": 5, "target_note": null, "recorded": 1}', 'target and recorded stand apart');
SELECT is((SELECT jsonb_path_query_first(phase_progress('coba-1', NULL), '$[*] ? (@.measure == "village_libraries").published[0].value')), '300', 'from what was published');
SELECT is((SELECT value FROM phase_recorded('coba-1', '97.02') WHERE measure = 'libraries'), 0::bigint, 'and each region counts its own');

SELECT finish();
ROLLBACK;
