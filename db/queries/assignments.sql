-- Assignments: who is charged with what, where, from when until when. Shown to those in whose reach they lie.

-- name: list_assignments :many
SELECT a.id, a.user_id, a.client_id, a.role, a.national, a.region_code, a.library_id, a.starts_on, a.ends_on,
    a.starts_on <= :today AND (a.ends_on IS NULL OR a.ends_on >= :today) AS in_force, a.note, s.appointed_by, a.created_at, a.updated_at
    , u.id AS "user.id", u.name AS "user.name", u.status AS "user.status"                                            --? expand.user
    , c.id AS "client.id", c.name AS "client.name", c.status AS "client.status"                                      --? expand.client
    , g.code AS "region.code", g.name AS "region.name", g.type AS "region.type"                                      --? expand.region
    , l.id AS "library.id", l.name AS "library.name", l.kind AS "library.kind", l.region_code AS "library.region_code" --? expand.library
FROM assignment a
CROSS JOIN LATERAL (SELECT a.appointed_by AS appointed_by) s                                                         --? not reach
CROSS JOIN LATERAL (SELECT actor_shown(a.appointed_by, :caller.subject, :reach.from, :reach.to, :reach.libraries) AS appointed_by) s--? reach
LEFT JOIN app_user u ON u.id = a.user_id                                                                             --? expand.user
LEFT JOIN client c ON c.id = a.client_id                                                                             --? expand.client
LEFT JOIN region g ON g.code = a.region_code                                                                         --? expand.region
LEFT JOIN library l ON l.id = a.library_id                                                                           --? expand.library
WHERE true
  AND in_reach(a.place, 7, :reach.from, :reach.to, :reach.rank)                                                      --? reach
  AND a.place >= (SELECT min(f COLLATE "C") FROM unnest(:reach.from) f)                                              --? reach
  AND a.place < (SELECT max(t COLLATE "C") FROM unnest(:reach.to) t)                                                 --? reach
  AND a.user_id = :user                                                                                              --? user
  AND a.client_id = :client                                                                                          --? client
  AND s.appointed_by = :appointed_by                                                                                 --? appointed_by
  AND a.role = ANY (:role)                                                                                           --? role
  AND a.library_id = :library                                                                                        --? library
  AND a.place >= :within AND a.place < :within || '/'                                                                --? within
  AND a.starts_on <= :as_of AND (a.ends_on IS NULL OR a.ends_on >= :as_of)                                           --? as_of
  AND a.updated_at >= :updated_since                                                                                 --? updated_since
  AND a.id > :key.1                                                                                                  --? cursor and sort.id
  AND (a.updated_at, a.id) > (:key.1, :key.2)                                                                        --? cursor and sort.updated_at
ORDER BY a.id                                                                                                        --? sort.id
ORDER BY a.updated_at, a.id                                                                                          --? sort.updated_at
LIMIT :page_rows                                                                                                     --? page_rows

-- name: get_assignment :one
SELECT a.row_version AS "@version", a.id, a.user_id, a.client_id, a.role, a.national, a.region_code, a.library_id, a.starts_on, a.ends_on,
    a.starts_on <= :today AND (a.ends_on IS NULL OR a.ends_on >= :today) AS in_force, a.note, s.appointed_by, a.created_at, a.updated_at
    , u.id AS "user.id", u.name AS "user.name", u.status AS "user.status"                                            --? expand.user
    , c.id AS "client.id", c.name AS "client.name", c.status AS "client.status"                                      --? expand.client
    , g.code AS "region.code", g.name AS "region.name", g.type AS "region.type"                                      --? expand.region
    , l.id AS "library.id", l.name AS "library.name", l.kind AS "library.kind", l.region_code AS "library.region_code" --? expand.library
FROM assignment a
CROSS JOIN LATERAL (SELECT a.appointed_by AS appointed_by) s                                                         --? not reach
CROSS JOIN LATERAL (SELECT actor_shown(a.appointed_by, :caller.subject, :reach.from, :reach.to, :reach.libraries) AS appointed_by) s--? reach
LEFT JOIN app_user u ON u.id = a.user_id                                                                             --? expand.user
LEFT JOIN client c ON c.id = a.client_id                                                                             --? expand.client
LEFT JOIN region g ON g.code = a.region_code                                                                         --? expand.region
LEFT JOIN library l ON l.id = a.library_id                                                                           --? expand.library
WHERE a.id = :id
  AND place_inside(a.place, :reach.from, :reach.to, :reach.rank)                                                     --? reach

-- name: gate_create_assignment :one
SELECT gate_create_assignment(:caller.subject, :caller.client, :user_id, :client_id, :role, :region_code, :library_id, :starts_on, :ends_on) AS passed --? not reach
SELECT gate_create_assignment(:caller.subject, :caller.client, :user_id, :client_id, :role, :region_code, :library_id, :starts_on, :ends_on, --? reach
    :reach.from, :reach.to, :reach.rank) AS passed                                                                   --? reach

-- An account that must be opened anew gets its link by mail, where there is mail (user_close).
-- name: create_assignment :exec
INSERT INTO assignment (id, user_id, client_id, role, national, region_code, library_id, starts_on, ends_on, note)
SELECT :id, :user_id, :client_id, :role, coalesce(:national, false), :region_code, :library_id, coalesce(:starts_on, today()), :ends_on, :note
FROM (SELECT set_config('tpbis.mail', coalesce(:service.mail, false)::text, true)) told

-- name: gate_update_assignment :one
SELECT gate_assignment_reach(:id, :reach.from, :reach.to, :reach.rank) AND                                           --? reach
SELECT                                                                                                               --? not reach
    gate_assignment(:id, :if_match, :caller.subject, :caller.client, false
    , :starts_on, true                                                                                               --? starts_on
    , NULL, false                                                                                                    --? not starts_on
    , :ends_on, true                                                                                                 --? ends_on
    , NULL, false                                                                                                    --? not ends_on
    ) AS passed

-- name: update_assignment :exec
UPDATE assignment SET
    starts_on = :starts_on,                                                                                          --? starts_on
    ends_on = :ends_on,                                                                                              --? ends_on
    note = :note,                                                                                                    --? note
    row_version = row_version
WHERE id = :id

-- name: gate_end_assignment :one
SELECT gate_assignment_reach(:id, :reach.from, :reach.to, :reach.rank) AND                                           --? reach
SELECT                                                                                                               --? not reach
    gate_assignment(:id, :if_match, :caller.subject, :caller.client, true, NULL, false, NULL, false) AS passed

-- From this moment: its last day was yesterday, and of one that would begin today or later the day before.
-- name: end_assignment :exec
UPDATE assignment SET
    note = :note,                                                                                                    --? note
    ends_on = greatest(today(), starts_on) - 1
WHERE id = :id
