-- What is recorded in a phase, computed now, beside what was aimed at and what the programme published. The three are never
-- mixed: a measure the service does not compute has recorded NULL, whatever was published of it.

-- Participations count from being confirmed on, and not when withdrawn; a library counts where it stands today, a replication once active. People
-- count when they attended a training of the phase, each once; where they work is their library's region, else the training's.
CREATE OR REPLACE FUNCTION phase_recorded(wanted text, within text)
RETURNS TABLE (measure text, value bigint)
LANGUAGE sql STABLE AS $$
    WITH taking_part AS (
        SELECT l.kind, l.place
        FROM participation p JOIN library l ON l.id = p.library_id
        WHERE p.phase_id = wanted AND p.status IN ('confirmed', 'active', 'graduated')
          AND (within IS NULL OR l.place >= within AND l.place < within || '/')
    ), libraries AS (
        SELECT count(DISTINCT left(t.place, 2)) FILTER (WHERE t.place <> '') AS provinces,
               count(DISTINCT left(t.place, 5)) FILTER (WHERE length(t.place) >= 5) AS regencies,
               count(DISTINCT t.place) FILTER (WHERE length(t.place) = 13) AS villages,
               count(*) AS libraries,
               count(*) FILTER (WHERE t.kind = 'provincial') AS provincial_libraries,
               count(*) FILTER (WHERE t.kind = 'regency') AS regency_libraries,
               count(*) FILTER (WHERE t.kind = 'district') AS district_libraries,
               count(*) FILTER (WHERE t.kind = 'village') AS village_libraries,
               count(*) FILTER (WHERE t.kind = 'tbm') AS tbm
        FROM taking_part t
    ), replicated AS (
        SELECT count(*) AS replications FROM replication r
        WHERE r.phase_id = wanted AND r.status IN ('active', 'independent')
          AND (within IS NULL OR r.village_code >= within AND r.village_code < within || '/')
    ), trained AS (
        SELECT coalesce(m.person_id, m.id) AS who, m.role, m.certified_on
        FROM training t JOIN training_participant m ON m.training_id = t.id LEFT JOIN library l ON l.id = m.library_id
        WHERE t.phase_id = wanted AND m.attended
          AND (within IS NULL OR coalesce(l.place, t.area) >= within AND coalesce(l.place, t.area) < within || '/')
    ), people AS (
        SELECT count(DISTINCT t.who) AS people_trained,
               count(DISTINCT t.who) FILTER (WHERE t.role = 'fasilitator') AS facilitators_trained,
               count(DISTINCT t.who) FILTER (WHERE t.role = 'fasilitator' AND t.certified_on IS NOT NULL) AS facilitators_certified,
               count(DISTINCT t.who) FILTER (WHERE t.role = 'pengelola') AS managers_trained,
               count(DISTINCT t.who) FILTER (WHERE t.role = 'staf') AS staff_trained
        FROM trained t
    )
    SELECT v.measure, v.value
    FROM libraries l CROSS JOIN replicated r CROSS JOIN people p CROSS JOIN LATERAL (VALUES
        ('provinces', l.provinces), ('regencies', l.regencies), ('villages', l.villages), ('libraries', l.libraries),
        ('provincial_libraries', l.provincial_libraries), ('regency_libraries', l.regency_libraries),
        ('district_libraries', l.district_libraries), ('village_libraries', l.village_libraries), ('tbm', l.tbm),
        ('replications', r.replications), ('people_trained', p.people_trained),
        ('facilitators_trained', p.facilitators_trained), ('facilitators_certified', p.facilitators_certified),
        ('managers_trained', p.managers_trained), ('staff_trained', p.staff_trained)) v (measure, value)
$$;

-- Every measure that is aimed at, computed or published. Targets are the whole phase's, so within a region there is none;
-- published figures within a region are those of that region and below.
CREATE OR REPLACE FUNCTION phase_progress(wanted text, within text) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    WITH targets AS (
        SELECT t.measure, t.value, t.note FROM phase_target t WHERE t.phase_id = wanted AND within IS NULL
    ), recorded AS (
        SELECT r.measure, r.value FROM phase_recorded(wanted, within) r
    ), published AS (
        SELECT f.measure, jsonb_agg(published_figure_json(f) - 'measure' ORDER BY f.as_of, f.number) AS figures
        FROM published_figure f
        WHERE f.phase_id = wanted
          AND (within IS NULL OR f.region_code >= within AND f.region_code < within || '/')
        GROUP BY f.measure
    )
    SELECT coalesce(jsonb_agg(jsonb_build_object('measure', n.measure, 'target', t.value, 'target_note', t.note,
               'recorded', r.value, 'published', coalesce(p.figures, '[]')) ORDER BY n.measure), '[]')
    FROM (SELECT measure FROM targets UNION SELECT measure FROM recorded UNION SELECT measure FROM published) n
    LEFT JOIN targets t USING (measure) LEFT JOIN recorded r USING (measure) LEFT JOIN published p USING (measure)
$$;
