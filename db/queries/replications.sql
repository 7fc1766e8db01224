-- Replications. Notes are for those who write or approve in the village (v.near), those of records of the past for everybody.
-- What may follow, and what is missing for it, is said to the one who asks: replication_transitions().

-- With as_of the status is that of the day, and a replication without any on that day is not there; everything else is as it
-- is now. A beginning nobody published the day of stands before every day. Whom a facilitator mentors who is not published is told where the village
-- is in reach, as list_replication_facilitators tells it.
-- name: list_replications :many
SELECT r.id, r.program_slug AS program, r.phase_id, r.replicator_id, r.partner_organization_id, r.village_code, r.library_id,
    s.status, s.status_on, s.status_on_precision, r.participation_id, r.origin, r.source, r.undocumented, r.funding, r.self_funded,
    r.commitment_kind AS "commitment.kind", r.commitment_number AS "commitment.number",
    r.commitment_signed_on AS "commitment.signed_on", CASE WHEN r.origin = 'historical' OR v.near THEN r.note END AS note,
    r.created_at, r.updated_at
    , replication_transitions(r, :caller.language, :caller.scopes, :reach, :reach.from, :reach.to, :reach.rank) AS allowed_transitions --? expand.allowed_transitions
    , p.id AS "replicator.id", p.name AS "replicator.name", p.kind AS "replicator.kind", p.region_code AS "replicator.region_code" --? expand.replicator
    , l.id AS "library.id", l.name AS "library.name", l.kind AS "library.kind", l.region_code AS "library.region_code" --? expand.library
    , ph.id AS "phase.id", ph.name AS "phase.name", ph.program_slug AS "phase.program", ph.status AS "phase.status"  --? expand.phase
    , r0.code AS "region.code", r0.name AS "region.name", r0.type AS "region.type"                                   --? expand.region
    , r1.code AS "region.province.code", r1.name AS "region.province.name", r1.type AS "region.province.type"        --? expand.region
    , r2.code AS "region.regency.code", r2.name AS "region.regency.name", r2.type AS "region.regency.type"           --? expand.region
    , r3.code AS "region.district.code", r3.name AS "region.district.name", r3.type AS "region.district.type"        --? expand.region
    , r4.code AS "region.village.code", r4.name AS "region.village.name", r4.type AS "region.village.type"           --? expand.region
FROM replication r
CROSS JOIN LATERAL (SELECT r.status, r.status_on, r.status_on_precision) s                                           --? not as_of
JOIN LATERAL (SELECT h.to_status AS status, h.happened_on AS status_on, h.happened_on_precision AS status_on_precision --? as_of
              FROM replication_history h                                                                             --? as_of
              WHERE h.replication_id = r.id AND coalesce(h.happened_on, '-infinity') <= :as_of                       --? as_of
              ORDER BY h.number DESC LIMIT 1) s ON true                                                              --? as_of
CROSS JOIN LATERAL (SELECT true AS near) v                                                                           --? not reach
CROSS JOIN LATERAL (SELECT in_reach(r.village_code, 5, :reach.from, :reach.to, :reach.rank) AS near) v               --? reach
LEFT JOIN library p ON p.id = r.replicator_id                                                                        --? expand.replicator
LEFT JOIN library l ON l.id = r.library_id                                                                           --? expand.library
LEFT JOIN phase ph ON ph.id = r.phase_id                                                                             --? expand.phase
LEFT JOIN region r0 ON r0.code = r.village_code                                                                      --? expand.region
LEFT JOIN region r1 ON r1.code = left(r.village_code, 2)                                                             --? expand.region
LEFT JOIN region r2 ON r2.code = left(r.village_code, 5)                                                             --? expand.region
LEFT JOIN region r3 ON r3.code = left(r.village_code, 8)                                                             --? expand.region
LEFT JOIN region r4 ON r4.code = r.village_code                                                                      --? expand.region
WHERE true
  AND r.village_code >= :within AND r.village_code < :within || '/'                                                  --? within
  AND r.village_code = :village_code                                                                                 --? village_code
  AND r.program_slug = :program                                                                                      --? program
  AND r.phase_id = :phase                                                                                            --? phase
  AND r.replicator_id = :replicator                                                                                  --? replicator
  AND r.partner_organization_id = :partner                                                                           --? partner
  AND r.library_id = :library                                                                                        --? library
  AND s.status = ANY (:status)                                                                                       --? status
  AND r.origin = :origin                                                                                             --? origin
  AND r.self_funded = :self_funded                                                                                   --? self_funded
  AND r.id IN (SELECT f.replication_id FROM replication_facilitator f WHERE f.person_id = :facilitator)              --? facilitator
  AND (v.near OR EXISTS (SELECT FROM person w WHERE w.id = :facilitator AND w.published))                            --? facilitator
  AND r.updated_at >= :updated_since                                                                                 --? updated_since
  AND r.id > :key.1                                                                                                  --? cursor and sort.id
  AND (r.village_code, r.id) > (:key.1, :key.2)                                                                      --? cursor and sort.region
  AND (r.updated_at, r.id) > (:key.1, :key.2)                                                                        --? cursor and sort.updated_at
ORDER BY r.id                                                                                                        --? sort.id
ORDER BY r.village_code, r.id                                                                                        --? sort.region
ORDER BY r.updated_at, r.id                                                                                          --? sort.updated_at
LIMIT :page_rows                                                                                                     --? page_rows

-- name: get_replication :one
SELECT r.row_version AS "@version", r.id, r.program_slug AS program, r.phase_id, r.replicator_id, r.partner_organization_id,
    r.village_code, r.library_id, r.status, r.status_on, r.status_on_precision, r.participation_id, r.origin, r.source,
    r.undocumented, r.funding, r.self_funded,
    r.commitment_kind AS "commitment.kind", r.commitment_number AS "commitment.number",
    r.commitment_signed_on AS "commitment.signed_on", CASE WHEN r.origin = 'historical' OR v.near THEN r.note END AS note,
    replication_transitions(r, :caller.language, :caller.scopes, :reach, :reach.from, :reach.to, :reach.rank) AS allowed_transitions,
    r.created_at, r.updated_at
    , p.id AS "replicator.id", p.name AS "replicator.name", p.kind AS "replicator.kind", p.region_code AS "replicator.region_code" --? expand.replicator
    , l.id AS "library.id", l.name AS "library.name", l.kind AS "library.kind", l.region_code AS "library.region_code" --? expand.library
    , ph.id AS "phase.id", ph.name AS "phase.name", ph.program_slug AS "phase.program", ph.status AS "phase.status"  --? expand.phase
    , r0.code AS "region.code", r0.name AS "region.name", r0.type AS "region.type"                                   --? expand.region
    , r1.code AS "region.province.code", r1.name AS "region.province.name", r1.type AS "region.province.type"        --? expand.region
    , r2.code AS "region.regency.code", r2.name AS "region.regency.name", r2.type AS "region.regency.type"           --? expand.region
    , r3.code AS "region.district.code", r3.name AS "region.district.name", r3.type AS "region.district.type"        --? expand.region
    , r4.code AS "region.village.code", r4.name AS "region.village.name", r4.type AS "region.village.type"           --? expand.region
FROM replication r
CROSS JOIN LATERAL (SELECT true AS near) v                                                                           --? not reach
CROSS JOIN LATERAL (SELECT in_reach(r.village_code, 5, :reach.from, :reach.to, :reach.rank) AS near) v               --? reach
LEFT JOIN library p ON p.id = r.replicator_id                                                                        --? expand.replicator
LEFT JOIN library l ON l.id = r.library_id                                                                           --? expand.library
LEFT JOIN phase ph ON ph.id = r.phase_id                                                                             --? expand.phase
LEFT JOIN region r0 ON r0.code = r.village_code                                                                      --? expand.region
LEFT JOIN region r1 ON r1.code = left(r.village_code, 2)                                                             --? expand.region
LEFT JOIN region r2 ON r2.code = left(r.village_code, 5)                                                             --? expand.region
LEFT JOIN region r3 ON r3.code = left(r.village_code, 8)                                                             --? expand.region
LEFT JOIN region r4 ON r4.code = r.village_code                                                                      --? expand.region
WHERE r.id = :id

-- The read gate of everything below one replication.
-- name: replication_exists :one
SELECT true AS found FROM replication r WHERE r.id = :id

-- Records of the past are the nation's.
-- name: gate_create_replication :one
SELECT true AS passed                                                                                                --? not reach
SELECT gate_origin(:origin) AND gate_replication_new(:village_code, :replicator_id, :reach.from, :reach.to, :reach.rank) AS passed --? reach

-- name: create_replication :exec
INSERT INTO replication (id, program_slug, phase_id, replicator_id, partner_organization_id, village_code, library_id, status,
    status_on, status_on_precision, status_note, funding, commitment_kind, commitment_number, commitment_signed_on, origin, source,
    undocumented, note)
VALUES (:id, :program, :phase_id, :replicator_id, :partner_organization_id, :village_code, :library_id, :status,
    :status_on, :status_on_precision, :reason, :funding, :commitment.kind, :commitment.number, :commitment.signed_on, :origin, :source,
    :undocumented, :note)

-- The sources of a record of the past are the nation's.
-- name: gate_update_replication :one
SELECT gate_replication(:id, :if_match) AS passed                                                                    --? not reach
SELECT gate_replication(:id, :if_match, :reach.from, :reach.to, :reach.rank)                                         --? reach
    AND gate_origin('historical')                                                                                    --? reach and source
    AND gate_origin('historical')                                                                                    --? reach and undocumented
    AS passed                                                                                                        --? reach

-- name: update_replication :exec
UPDATE replication SET
    phase_id = :phase_id,                                                                                            --? phase_id
    partner_organization_id = :partner_organization_id,                                                              --? partner_organization_id
    library_id = :library_id,                                                                                        --? library_id
    funding = :funding,                                                                                              --? funding
    commitment_kind = :commitment.kind,                                                                              --? commitment.kind
    commitment_number = :commitment.number,                                                                          --? commitment.number
    commitment_signed_on = :commitment.signed_on,                                                                    --? commitment.signed_on
    source = :source,                                                                                                --? source
    undocumented = :undocumented,                                                                                    --? undocumented
    note = :note,                                                                                                    --? note
    row_version = row_version
WHERE id = :id

-- Who may do it; whether it can be done is the trigger's to say.
-- name: gate_replication_transition :one
SELECT gate_replication_transition(:id, :if_match, :to, :on, :caller.scopes, :reach, :reach.from, :reach.to, :reach.rank) AS passed

-- name: move_replication :exec
UPDATE replication SET
    commitment_kind = :commitment.kind,                                                                              --? commitment.kind
    commitment_number = :commitment.number,                                                                          --? commitment.number
    commitment_signed_on = :commitment.signed_on,                                                                    --? commitment.signed_on
    library_id = :library_id,                                                                                        --? library_id
    status = :to, status_on = coalesce(:on, today()), status_note = :note
WHERE id = :id AND (status <> :to OR refuse_replication_stay(status))

-- name: list_replication_history :many
SELECT h.number AS "@number", h.id, h.from_status AS "from", h.to_status AS "to", h.happened_on AS "on",
    h.happened_on_precision AS on_precision, CASE WHEN r.origin = 'historical' OR v.near THEN h.note END AS note, h.evidence,
    CASE WHEN v.near THEN h.actor END AS actor, h.created_at, h.created_at AS updated_at
FROM replication_history h
JOIN replication r ON r.id = h.replication_id
CROSS JOIN LATERAL (SELECT true AS near) v                                                                           --? not reach
CROSS JOIN LATERAL (SELECT in_reach(r.village_code, 5, :reach.from, :reach.to, :reach.rank) AS near) v               --? reach
WHERE h.replication_id = :id
  AND h.number > :key.1                                                                                              --? cursor and sort.number
ORDER BY h.number                                                                                                    --? sort.number
LIMIT :page_rows                                                                                                     --? page_rows

-- ---- facilitators ------------------------------------------------------------------------------------------

-- Those who are certified no more are not published: they are shown where the village is in reach, without their names.
-- name: list_replication_facilitators :many
SELECT f.person_id, CASE WHEN p.published THEN p.name END AS name, p.library_id, f.starts_on, f.ends_on, f.created_at, f.updated_at
FROM replication_facilitator f
JOIN person p ON p.id = f.person_id
JOIN replication r ON r.id = f.replication_id
WHERE f.replication_id = :id
  AND (p.published OR in_reach(r.village_code, 5, :reach.from, :reach.to, :reach.rank))                              --? reach
  AND f.person_id > :key.1                                                                                           --? cursor and sort.person
ORDER BY f.person_id                                                                                                 --? sort.person
LIMIT :page_rows                                                                                                     --? page_rows

-- name: get_replication_facilitator :one
SELECT (extract(epoch FROM f.updated_at) * 1000000)::bigint AS "@version", f.person_id, CASE WHEN p.published THEN p.name END AS name, p.library_id, f.starts_on, f.ends_on,
    f.created_at, f.updated_at
FROM replication_facilitator f
JOIN person p ON p.id = f.person_id
WHERE f.replication_id = :id AND f.person_id = :person_id

-- name: gate_replication :one
SELECT gate_replication(:id, NULL) AS passed                                                                         --? not reach
SELECT gate_replication(:id, NULL, :reach.from, :reach.to, :reach.rank) AS passed                                    --? reach

-- name: put_replication_facilitator :exec
INSERT INTO replication_facilitator (replication_id, person_id, starts_on, ends_on)
VALUES (:id, :person_id, coalesce(:starts_on, today()), :ends_on)
ON CONFLICT ON CONSTRAINT replication_facilitator_pkey
    DO UPDATE SET starts_on = coalesce(:starts_on, replication_facilitator.starts_on), ends_on = :ends_on

-- name: delete_replication_facilitator :exec
WITH gone AS (DELETE FROM replication_facilitator f WHERE f.replication_id = :id AND f.person_id = :person_id RETURNING f.person_id)
SELECT refuse('not_found') WHERE NOT EXISTS (SELECT FROM gone)

-- ---- lineage -----------------------------------------------------------------------------------------------

-- Who replicated to the library, who to that one (-1, -2, ...), whom it replicated, whom those (1, 2, ...).
-- name: list_lineage :many
WITH RECURSIVE up (id, generation, replicator_id) AS (
    SELECT r.id, -1, r.replicator_id FROM replication r
    WHERE r.library_id = :id AND r.status NOT IN ('rejected', 'cancelled')
    UNION ALL
    SELECT r.id, up.generation - 1, r.replicator_id FROM up JOIN replication r ON r.library_id = up.replicator_id
    WHERE r.status NOT IN ('rejected', 'cancelled') AND up.generation > -10
), down (id, generation, library_id) AS (
    SELECT r.id, 1, r.library_id FROM replication r
    WHERE r.replicator_id = :id AND r.status NOT IN ('rejected', 'cancelled')
    UNION ALL
    SELECT r.id, down.generation + 1, r.library_id FROM down JOIN replication r ON r.replicator_id = down.library_id
    WHERE r.status NOT IN ('rejected', 'cancelled') AND down.generation < 10
), kin (id, generation) AS (
    SELECT up.id, up.generation FROM up UNION ALL SELECT down.id, down.generation FROM down
)
SELECT k.generation, r.village_code, r.id AS replication_id, r.program_slug AS program, r.phase_id, r.status, r.status_on, r.origin,
    p.id AS "replicator.id", p.name AS "replicator.name", p.kind AS "replicator.kind", p.region_code AS "replicator.region_code",
    l.id AS "library.id", l.name AS "library.name", l.kind AS "library.kind", l.region_code AS "library.region_code",
    r.created_at, r.updated_at
FROM kin k
JOIN replication r ON r.id = k.id
JOIN library p ON p.id = r.replicator_id
LEFT JOIN library l ON l.id = r.library_id
WHERE true
  AND (k.generation, r.village_code, r.id) > (:key.1, :key.2, :key.3)                                                --? cursor and sort.generation
ORDER BY k.generation, r.village_code, r.id                                                                          --? sort.generation
LIMIT :page_rows                                                                                                     --? page_rows
