-- Participations. Notes are for those who write in the library's region or the library itself (v.near), those of records of
-- the past for everybody.

-- With as_of the status is that of the day, the place is where the library then stood, and a participation without any state
-- on that day is not there; everything else is as it is now. A beginning nobody published the day of stands before every day.
-- name: list_participations :many
SELECT p.id, p.phase_id, p.library_id, p.support, s.status, s.status_on, p.joined_on, p.joined_on_precision,
    p.ended_on, p.proposed_by_team_id, p.origin, p.source, CASE WHEN p.origin = 'historical' OR v.near THEN p.note END AS note,
    p.created_at, p.updated_at
    , ph.id AS "phase.id", ph.name AS "phase.name", ph.program_slug AS "phase.program", ph.status AS "phase.status"  --? expand.phase
    , l.id AS "library.id", l.name AS "library.name", l.kind AS "library.kind", l.region_code AS "library.region_code" --? expand.library
    , r.code AS "region.code", r.name AS "region.name", r.type AS "region.type"                                      --? expand.region
    , r1.code AS "region.province.code", r1.name AS "region.province.name", r1.type AS "region.province.type"        --? expand.region
    , r2.code AS "region.regency.code", r2.name AS "region.regency.name", r2.type AS "region.regency.type"           --? expand.region
    , r3.code AS "region.district.code", r3.name AS "region.district.name", r3.type AS "region.district.type"        --? expand.region
    , r4.code AS "region.village.code", r4.name AS "region.village.name", r4.type AS "region.village.type"           --? expand.region
FROM participation p
JOIN library l ON l.id = p.library_id
CROSS JOIN LATERAL (SELECT p.status, p.status_on, l.place) s                                                         --? not as_of
JOIN LATERAL (SELECT h.to_status AS status, h.happened_on AS status_on, q.place                                      --? as_of
              FROM participation_history h JOIN library_placement q ON q.library_id = p.library_id AND q.period @> :as_of --? as_of
              WHERE h.participation_id = p.id AND coalesce(h.happened_on, '-infinity') <= :as_of                     --? as_of
              ORDER BY h.number DESC LIMIT 1) s ON true                                                              --? as_of
CROSS JOIN LATERAL (SELECT true AS near) v                                                                           --? not reach
CROSS JOIN LATERAL (SELECT in_reach(l.place, library_rank(l.kind), :reach.from, :reach.to, :reach.rank)              --? reach
                        OR l.id = ANY (:reach.libraries) AS near) v                                                  --? reach
LEFT JOIN phase ph ON ph.id = p.phase_id                                                                             --? expand.phase
LEFT JOIN region r ON r.code = l.region_code                                                                         --? expand.region
LEFT JOIN region r1 ON r1.code = left(l.region_code, 2) AND length(l.region_code) >= 2                               --? expand.region
LEFT JOIN region r2 ON r2.code = left(l.region_code, 5) AND length(l.region_code) >= 5                               --? expand.region
LEFT JOIN region r3 ON r3.code = left(l.region_code, 8) AND length(l.region_code) >= 8                               --? expand.region
LEFT JOIN region r4 ON r4.code = left(l.region_code, 13) AND length(l.region_code) >= 13                             --? expand.region
WHERE true
  AND p.phase_id = :phase                                                                                            --? phase
  AND p.library_id = :library                                                                                        --? library
  AND p.proposed_by_team_id = :team                                                                                  --? team
  AND p.support = ANY (:support)                                                                                     --? support
  AND s.status = ANY (:status)                                                                                       --? status
  AND s.place >= :within AND s.place < :within || '/'                                                                --? within
  AND l.kind = ANY (:kind)                                                                                           --? kind
  AND p.updated_at >= :updated_since                                                                                 --? updated_since
  AND p.id > :key.1                                                                                                  --? cursor and sort.id
  AND (p.updated_at, p.id) > (:key.1, :key.2)                                                                        --? cursor and sort.updated_at
ORDER BY p.id                                                                                                        --? sort.id
ORDER BY p.updated_at, p.id                                                                                          --? sort.updated_at
LIMIT :page_rows                                                                                                     --? page_rows

-- name: get_participation :one
SELECT p.row_version AS "@version", p.id, p.phase_id, p.library_id, p.support, s.status, s.status_on, p.joined_on, p.joined_on_precision,
    p.ended_on, p.proposed_by_team_id, p.origin, p.source, CASE WHEN p.origin = 'historical' OR v.near THEN p.note END AS note,
    p.created_at, p.updated_at
    , ph.id AS "phase.id", ph.name AS "phase.name", ph.program_slug AS "phase.program", ph.status AS "phase.status"  --? expand.phase
    , l.id AS "library.id", l.name AS "library.name", l.kind AS "library.kind", l.region_code AS "library.region_code" --? expand.library
    , r.code AS "region.code", r.name AS "region.name", r.type AS "region.type"                                      --? expand.region
    , r1.code AS "region.province.code", r1.name AS "region.province.name", r1.type AS "region.province.type"        --? expand.region
    , r2.code AS "region.regency.code", r2.name AS "region.regency.name", r2.type AS "region.regency.type"           --? expand.region
    , r3.code AS "region.district.code", r3.name AS "region.district.name", r3.type AS "region.district.type"        --? expand.region
    , r4.code AS "region.village.code", r4.name AS "region.village.name", r4.type AS "region.village.type"           --? expand.region
FROM participation p
JOIN library l ON l.id = p.library_id
CROSS JOIN LATERAL (SELECT p.status, p.status_on) s
CROSS JOIN LATERAL (SELECT true AS near) v                                                                           --? not reach
CROSS JOIN LATERAL (SELECT in_reach(l.place, library_rank(l.kind), :reach.from, :reach.to, :reach.rank)              --? reach
                        OR l.id = ANY (:reach.libraries) AS near) v                                                  --? reach
LEFT JOIN phase ph ON ph.id = p.phase_id                                                                             --? expand.phase
LEFT JOIN region r ON r.code = l.region_code                                                                         --? expand.region
LEFT JOIN region r1 ON r1.code = left(l.region_code, 2) AND length(l.region_code) >= 2                               --? expand.region
LEFT JOIN region r2 ON r2.code = left(l.region_code, 5) AND length(l.region_code) >= 5                               --? expand.region
LEFT JOIN region r3 ON r3.code = left(l.region_code, 8) AND length(l.region_code) >= 8                               --? expand.region
LEFT JOIN region r4 ON r4.code = left(l.region_code, 13) AND length(l.region_code) >= 13                             --? expand.region
WHERE p.id = :id

-- The read gate of everything below one participation.
-- name: participation_exists :one
SELECT true AS found FROM participation p WHERE p.id = :id

-- Records of the past are the nation's.
-- name: gate_create_participation :one
SELECT true AS passed                                                                                                --? not reach
SELECT gate_origin(:origin) AND gate_library_about(:library_id, :reach.from, :reach.to, :reach.rank, :reach.libraries) AS passed --? reach

-- name: create_participation :exec
INSERT INTO participation (id, phase_id, library_id, support, status, status_on, status_note, joined_on, joined_on_precision,
    ended_on, proposed_by_team_id, origin, source, note)
VALUES (:id, :phase_id, :library_id, :support, :status, :on, :reason, :joined_on, :joined_on_precision,
    :ended_on, :proposed_by_team_id, :origin, :source, :note)

-- name: gate_participation :one
SELECT gate_participation(:id, :if_match) AS passed                                                                  --? not reach
SELECT gate_participation(:id, :if_match, :reach.from, :reach.to, :reach.rank, :reach.libraries) AS passed           --? reach

-- name: update_participation :exec
UPDATE participation SET
    support = :support,                                                                                              --? support
    proposed_by_team_id = :proposed_by_team_id,                                                                      --? proposed_by_team_id
    source = :source,                                                                                                --? source
    note = :note,                                                                                                    --? note
    row_version = row_version
WHERE id = :id

-- name: gate_participation_transition :one
SELECT gate_participation(:id, NULL) AS passed                                                                       --? not reach
SELECT gate_participation(:id, NULL, :reach.from, :reach.to, :reach.rank, :reach.libraries) AND gate_participation_step(:to) AS passed --? reach

-- name: move_participation :exec
SELECT participation_move(:id, :to, :on, :note)

-- Why somebody did it is a note, too.
-- name: list_participation_history :many
SELECT h.number AS "@number", h.id, h.from_status AS "from", h.to_status AS "to", h.happened_on AS "on",
    CASE WHEN p.origin = 'historical' OR v.near THEN h.note END AS note, CASE WHEN v.near THEN h.actor END AS actor, h.created_at, h.created_at AS updated_at
FROM participation_history h
JOIN participation p ON p.id = h.participation_id
JOIN library l ON l.id = p.library_id
CROSS JOIN LATERAL (SELECT true AS near) v                                                                           --? not reach
CROSS JOIN LATERAL (SELECT in_reach(l.place, library_rank(l.kind), :reach.from, :reach.to, :reach.rank)              --? reach
                        OR l.id = ANY (:reach.libraries) AS near) v                                                  --? reach
WHERE h.participation_id = :id
  AND h.number > :key.1                                                                                              --? cursor and sort.number
ORDER BY h.number                                                                                                    --? sort.number
LIMIT :page_rows                                                                                                     --? page_rows

-- ---- the library's own work plan ----------------------------------------------------------------------------

-- name: participation_plan_exists :one
SELECT true AS found FROM participation p WHERE p.id = :participation_id

-- name: list_participation_plan :many
SELECT w.id, w.participation_id, w.title, w.kind, w.due_on, w.status, w.result, w.created_at, w.updated_at
FROM participation_work_plan w
WHERE w.participation_id = :participation_id
  AND w.id > :key.1                                                                                                  --? cursor and sort.id
ORDER BY w.id                                                                                                        --? sort.id
LIMIT :page_rows                                                                                                     --? page_rows

-- name: get_participation_plan :one
SELECT w.row_version AS "@version", w.id, w.participation_id, w.title, w.kind, w.due_on, w.status, w.result, w.created_at,
    w.updated_at
FROM participation_work_plan w
WHERE w.id = :id AND w.participation_id = :participation_id

-- name: gate_create_participation_plan :one
SELECT gate_participation(:participation_id, NULL) AS passed                                                         --? not reach
SELECT gate_participation(:participation_id, NULL, :reach.from, :reach.to, :reach.rank, :reach.libraries) AS passed  --? reach

-- name: create_participation_plan :exec
INSERT INTO participation_work_plan (id, participation_id, title, kind, due_on, status, result)
VALUES (:id, :participation_id, :title, :kind, :due_on, :status, :result)

-- name: gate_participation_plan :one
SELECT gate_participation_plan(:id, :participation_id, :if_match) AS passed                                          --? not reach
SELECT gate_participation(:participation_id, NULL, :reach.from, :reach.to, :reach.rank, :reach.libraries)            --? reach
    AND gate_participation_plan(:id, :participation_id, :if_match) AS passed                                         --? reach

-- name: update_participation_plan :exec
UPDATE participation_work_plan SET
    title = :title,                                                                                                  --? title
    kind = :kind,                                                                                                    --? kind
    due_on = :due_on,                                                                                                --? due_on
    status = :status,                                                                                                --? status
    result = :result,                                                                                                --? result
    row_version = row_version
WHERE id = :id

-- name: delete_participation_plan :exec
DELETE FROM participation_work_plan WHERE id = :id
