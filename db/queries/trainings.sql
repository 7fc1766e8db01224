-- Trainings and who took part. How many took part is published; who, only of certified facilitators and master trainers. Every
-- other name is for those in whose reach the training or the participant's library lies (v.near).

-- name: list_trainings :many
SELECT coalesce(t.starts_on, '0001-01-01') AS "@starts", t.id, t.phase_id, t.kind, t.title, t.starts_on, t.starts_on_precision, t.ends_on, t.region_code, t.place,
    t.organizer_id, n.participants_count, n.attended_count, n.certified_count, t.origin, t.source,
    CASE WHEN t.origin = 'historical' OR v.near THEN t.note END AS note, t.created_at, t.updated_at
    , ph.id AS "phase.id", ph.name AS "phase.name", ph.program_slug AS "phase.program", ph.status AS "phase.status"  --? expand.phase
    , o.id AS "organizer.id", o.name AS "organizer.name", o.sector AS "organizer.sector"                             --? expand.organizer
    , r.code AS "region.code", r.name AS "region.name", r.type AS "region.type"                                      --? expand.region
    , r1.code AS "region.province.code", r1.name AS "region.province.name", r1.type AS "region.province.type"        --? expand.region
    , r2.code AS "region.regency.code", r2.name AS "region.regency.name", r2.type AS "region.regency.type"           --? expand.region
    , r3.code AS "region.district.code", r3.name AS "region.district.name", r3.type AS "region.district.type"        --? expand.region
    , r4.code AS "region.village.code", r4.name AS "region.village.name", r4.type AS "region.village.type"           --? expand.region
FROM training t
LEFT JOIN LATERAL (SELECT count(*) AS participants_count, count(*) FILTER (WHERE m.attended) AS attended_count,
                          count(m.certified_on) AS certified_count
                   FROM training_participant m WHERE m.training_id = t.id) n ON true
CROSS JOIN LATERAL (SELECT true AS near) v                                                                           --? not reach
CROSS JOIN LATERAL (SELECT in_reach(t.area, 6, :reach.from, :reach.to, :reach.rank) AS near) v                       --? reach
LEFT JOIN phase ph ON ph.id = t.phase_id                                                                             --? expand.phase
LEFT JOIN organization o ON o.id = t.organizer_id                                                                    --? expand.organizer
LEFT JOIN region r ON r.code = t.region_code                                                                         --? expand.region
LEFT JOIN region r1 ON r1.code = left(t.region_code, 2) AND length(t.region_code) >= 2                               --? expand.region
LEFT JOIN region r2 ON r2.code = left(t.region_code, 5) AND length(t.region_code) >= 5                               --? expand.region
LEFT JOIN region r3 ON r3.code = left(t.region_code, 8) AND length(t.region_code) >= 8                               --? expand.region
LEFT JOIN region r4 ON r4.code = left(t.region_code, 13) AND length(t.region_code) >= 13                             --? expand.region
WHERE true
  AND t.phase_id = :phase                                                                                            --? phase
  AND t.kind = ANY (:kind)                                                                                           --? kind
  AND t.organizer_id = :organizer                                                                                    --? organizer
  AND t.area >= :within AND t.area < :within || '/'                                                                  --? within
  AND t.updated_at >= :updated_since                                                                                 --? updated_since
  AND (coalesce(t.starts_on, '0001-01-01'), t.id) > (:key.1, :key.2)                                                 --? cursor and sort.starts_on
  AND (t.updated_at, t.id) > (:key.1, :key.2)                                                                        --? cursor and sort.updated_at
ORDER BY coalesce(t.starts_on, '0001-01-01'), t.id                                                                   --? sort.starts_on
ORDER BY t.updated_at, t.id                                                                                          --? sort.updated_at
LIMIT :page_rows                                                                                                     --? page_rows

-- name: get_training :one
SELECT t.row_version AS "@version", t.id, t.phase_id, t.kind, t.title, t.starts_on, t.starts_on_precision, t.ends_on, t.region_code, t.place,
    t.organizer_id, n.participants_count, n.attended_count, n.certified_count, t.origin, t.source,
    CASE WHEN t.origin = 'historical' OR v.near THEN t.note END AS note, t.created_at, t.updated_at
    , ph.id AS "phase.id", ph.name AS "phase.name", ph.program_slug AS "phase.program", ph.status AS "phase.status"  --? expand.phase
    , o.id AS "organizer.id", o.name AS "organizer.name", o.sector AS "organizer.sector"                             --? expand.organizer
    , r.code AS "region.code", r.name AS "region.name", r.type AS "region.type"                                      --? expand.region
    , r1.code AS "region.province.code", r1.name AS "region.province.name", r1.type AS "region.province.type"        --? expand.region
    , r2.code AS "region.regency.code", r2.name AS "region.regency.name", r2.type AS "region.regency.type"           --? expand.region
    , r3.code AS "region.district.code", r3.name AS "region.district.name", r3.type AS "region.district.type"        --? expand.region
    , r4.code AS "region.village.code", r4.name AS "region.village.name", r4.type AS "region.village.type"           --? expand.region
FROM training t
LEFT JOIN LATERAL (SELECT count(*) AS participants_count, count(*) FILTER (WHERE m.attended) AS attended_count,
                          count(m.certified_on) AS certified_count
                   FROM training_participant m WHERE m.training_id = t.id) n ON true
CROSS JOIN LATERAL (SELECT true AS near) v                                                                           --? not reach
CROSS JOIN LATERAL (SELECT in_reach(t.area, 6, :reach.from, :reach.to, :reach.rank) AS near) v                       --? reach
LEFT JOIN phase ph ON ph.id = t.phase_id                                                                             --? expand.phase
LEFT JOIN organization o ON o.id = t.organizer_id                                                                    --? expand.organizer
LEFT JOIN region r ON r.code = t.region_code                                                                         --? expand.region
LEFT JOIN region r1 ON r1.code = left(t.region_code, 2) AND length(t.region_code) >= 2                               --? expand.region
LEFT JOIN region r2 ON r2.code = left(t.region_code, 5) AND length(t.region_code) >= 5                               --? expand.region
LEFT JOIN region r3 ON r3.code = left(t.region_code, 8) AND length(t.region_code) >= 8                               --? expand.region
LEFT JOIN region r4 ON r4.code = left(t.region_code, 13) AND length(t.region_code) >= 13                             --? expand.region
WHERE t.id = :id

-- name: gate_create_training :one
SELECT true AS passed                                                                                                --? not reach
SELECT gate_origin(:origin) AND gate_area(:region_code, NULL, :reach.from, :reach.to, :reach.rank) AS passed         --? reach

-- name: create_training :exec
INSERT INTO training (id, phase_id, kind, title, starts_on, starts_on_precision, ends_on, region_code, place, organizer_id, origin,
    source, note)
VALUES (:id, :phase_id, :kind, :title, :starts_on, :starts_on_precision, :ends_on, :region_code, :place, :organizer_id, :origin,
    :source, :note)

-- name: gate_training :one
SELECT gate_training(:id, :if_match) AS passed                                                                       --? not reach
SELECT gate_training(:id, :if_match, :reach.from, :reach.to, :reach.rank)                                            --? reach
    AND gate_area(:region_code, NULL, :reach.from, :reach.to, :reach.rank)                                           --? reach and region_code
    AS passed                                                                                                        --? reach

-- name: update_training :exec
UPDATE training SET
    phase_id = :phase_id,                                                                                            --? phase_id
    kind = :kind,                                                                                                    --? kind
    title = :title,                                                                                                  --? title
    starts_on = :starts_on,                                                                                          --? starts_on
    starts_on_precision = :starts_on_precision,                                                                      --? starts_on_precision
    ends_on = :ends_on,                                                                                              --? ends_on
    region_code = :region_code,                                                                                      --? region_code
    place = :place,                                                                                                  --? place
    organizer_id = :organizer_id,                                                                                    --? organizer_id
    source = :source,                                                                                                --? source
    note = :note,                                                                                                    --? note
    row_version = row_version
WHERE id = :id

-- ---- participants -------------------------------------------------------------------------------------------

-- name: training_exists :one
SELECT true AS found FROM training t WHERE t.id = :training_id

-- name: list_training_participants :many
SELECT m.id, m.training_id, CASE WHEN v.near THEN m.person_id END AS person_id,
    CASE WHEN v.near THEN coalesce(p.name, m.name) END AS name, m.library_id, m.role, m.attended, m.certified_on,
    m.certificate_until, m.created_at, m.updated_at
FROM training_participant m
JOIN training t ON t.id = m.training_id
LEFT JOIN person p ON p.id = m.person_id
LEFT JOIN library l ON l.id = m.library_id
CROSS JOIN LATERAL (SELECT true AS near) v                                                                           --? not reach
CROSS JOIN LATERAL (SELECT m.certified_on IS NOT NULL AND m.role IN ('fasilitator', 'master_trainer') AND p.published --? reach
                        OR in_reach(t.area, 6, :reach.from, :reach.to, :reach.rank)                                  --? reach
                        OR in_reach(l.place, 6, :reach.from, :reach.to, :reach.rank)                                 --? reach
                        OR m.library_id = ANY (:reach.libraries) AS near) v                                          --? reach
WHERE m.training_id = :training_id
  AND m.role = ANY (:role)                                                                                           --? role
  AND m.id > :key.1                                                                                                  --? cursor and sort.id
ORDER BY m.id                                                                                                        --? sort.id
LIMIT :page_rows                                                                                                     --? page_rows

-- name: get_training_participant :one
SELECT m.row_version AS "@version", m.id, m.training_id, CASE WHEN v.near THEN m.person_id END AS person_id,
    CASE WHEN v.near THEN coalesce(p.name, m.name) END AS name, m.library_id, m.role, m.attended, m.certified_on,
    m.certificate_until, m.created_at, m.updated_at
FROM training_participant m
JOIN training t ON t.id = m.training_id
LEFT JOIN person p ON p.id = m.person_id
LEFT JOIN library l ON l.id = m.library_id
CROSS JOIN LATERAL (SELECT true AS near) v                                                                           --? not reach
CROSS JOIN LATERAL (SELECT m.certified_on IS NOT NULL AND m.role IN ('fasilitator', 'master_trainer') AND p.published --? reach
                        OR in_reach(t.area, 6, :reach.from, :reach.to, :reach.rank)                                  --? reach
                        OR in_reach(l.place, 6, :reach.from, :reach.to, :reach.rank)                                 --? reach
                        OR m.library_id = ANY (:reach.libraries) AS near) v                                          --? reach
WHERE m.id = :id AND m.training_id = :training_id

-- name: gate_create_training_participant :one
SELECT gate_training(:training_id, NULL) AS passed                                                                   --? not reach
SELECT gate_training(:training_id, NULL, :reach.from, :reach.to, :reach.rank) AS passed                              --? reach

-- name: create_training_participant :exec
INSERT INTO training_participant (id, training_id, person_id, name, library_id, role, attended)
VALUES (:id, :training_id, :person_id, :name, :library_id, :role, :attended)

-- name: gate_training_participant :one
SELECT gate_training_participant(:id, :training_id, :if_match) AS passed                                             --? not reach
SELECT gate_training(:training_id, NULL, :reach.from, :reach.to, :reach.rank)                                        --? reach
    AND gate_training_participant(:id, :training_id, :if_match) AS passed                                            --? reach

-- name: update_training_participant :exec
UPDATE training_participant SET
    library_id = :library_id,                                                                                        --? library_id
    role = :role,                                                                                                    --? role
    attended = :attended,                                                                                            --? attended
    row_version = row_version
WHERE id = :id

-- name: delete_training_participant :exec
SELECT training_participant_remove(:id)

-- Certificates are given above the participant, by province or nation.
-- name: gate_certification :one
SELECT gate_training_participant(:id, :training_id, NULL) AS passed                                                  --? not reach
SELECT gate_certification(:id, :training_id, :reach.from, :reach.to, :reach.rank) AS passed                          --? reach

-- name: current_certification :one
SELECT m.row_version AS "@version", m.certified_on IS NOT NULL AS "@exists"
FROM training_participant m
WHERE m.id = :id AND m.training_id = :training_id

-- name: put_certification :exec
UPDATE training_participant SET certified_on = :certified_on, certificate_until = :certificate_until WHERE id = :id

-- name: delete_certification :exec
UPDATE training_participant SET certified_on = NULL, certificate_until = NULL WHERE id = :id

-- ---- facilitators -------------------------------------------------------------------------------------------

-- Whoever holds a certificate valid on the day, one row a person; not who asked that the data be only kept.
-- name: list_facilitators :many
SELECT p.id, p.name, p.position, p.organization_id, f.library_id, nullif(f.place, '') AS region_code, f.role, f.certified_on,
    f.certificate_until, f.training_id, facilitator_villages(p.id, coalesce(:on, today())) AS villages_mentored,
    p.created_at, p.updated_at
    , l.id AS "library.id", l.name AS "library.name", l.kind AS "library.kind", l.region_code AS "library.region_code" --? expand.library
    , r.code AS "region.code", r.name AS "region.name", r.type AS "region.type"                                      --? expand.region
    , r1.code AS "region.province.code", r1.name AS "region.province.name", r1.type AS "region.province.type"        --? expand.region
    , r2.code AS "region.regency.code", r2.name AS "region.regency.name", r2.type AS "region.regency.type"           --? expand.region
    , r3.code AS "region.district.code", r3.name AS "region.district.name", r3.type AS "region.district.type"        --? expand.region
    , r4.code AS "region.village.code", r4.name AS "region.village.name", r4.type AS "region.village.type"           --? expand.region
FROM facilitators_on(coalesce(:on, today())) f
JOIN person p ON p.id = f.person_id
LEFT JOIN library l ON l.id = f.library_id                                                                           --? expand.library
LEFT JOIN region r ON r.code = f.place                                                                               --? expand.region
LEFT JOIN region r1 ON r1.code = left(f.place, 2) AND length(f.place) >= 2                                           --? expand.region
LEFT JOIN region r2 ON r2.code = left(f.place, 5) AND length(f.place) >= 5                                           --? expand.region
LEFT JOIN region r3 ON r3.code = left(f.place, 8) AND length(f.place) >= 8                                           --? expand.region
LEFT JOIN region r4 ON r4.code = left(f.place, 13) AND length(f.place) >= 13                                         --? expand.region
WHERE p.published
  AND f.place >= :within AND f.place < :within || '/'                                                                --? within
  AND f.role = ANY (:role)                                                                                           --? role
  AND f.library_id = :library                                                                                        --? library
  AND name_vector(p.name) @@ (SELECT name_query(:q))                                                               --? q
  AND (p.name, p.id) > (:key.1, :key.2)                                                                              --? cursor and sort.name
ORDER BY p.name, p.id                                                                                                --? sort.name
LIMIT :page_rows                                                                                                     --? page_rows
