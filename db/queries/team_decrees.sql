-- Decrees of a team. A decree is in force on every day of its period.

-- name: list_team_decrees :many
SELECT d.strength AS "@strength", d.id, d.kind, d.number, d.issued_by, d.signed_on, d.signed_on_precision, d.valid_from, d.valid_until, d.max_members,
    d.replaces_id, d.origin, d.source, d.created_at, d.updated_at
FROM team_decree d
WHERE d.team_id = :team_id
  AND d.period @> :as_of                                                                                           --? as_of
  AND d.period @> coalesce(:as_of, today()) AND d.valid_until < :expiring_before                                   --? expiring_before
  AND d.updated_at >= :updated_since                                                                               --? updated_since
  AND (d.strength, d.id) > (:key.1, :key.2)                                                                        --? cursor and sort.strength
  AND (d.updated_at, d.id) > (:key.1, :key.2)                                                                      --? cursor and sort.updated_at
ORDER BY d.strength, d.id                                                                                          --? sort.strength
ORDER BY d.updated_at, d.id                                                                                        --? sort.updated_at
LIMIT :page_rows                                                                                                   --? page_rows

-- name: get_team_decree :one
SELECT d.row_version AS "@version", d.strength AS "@strength", d.id, d.kind, d.number, d.issued_by, d.signed_on, d.signed_on_precision, d.valid_from, d.valid_until, d.max_members,
    d.replaces_id, d.origin, d.source, d.created_at, d.updated_at
FROM team_decree d
WHERE d.team_id = :team_id AND d.id = :id

-- name: gate_team_basis :one
SELECT gate_team(:team_id, NULL) AS passed                                                                       --? not reach
SELECT gate_team(:team_id, NULL, 'basis', :reach.from, :reach.to, :reach.rank)                                   --? reach
    AND gate_origin(:origin)                                                                                     --? reach and origin
    AS passed                                                                                                    --? reach

-- name: create_team_decree :exec
INSERT INTO team_decree (id, team_id, kind, number, issued_by, signed_on, signed_on_precision, valid_from, valid_until, max_members, replaces_id,
    origin, source)
VALUES (:id, :team_id, :kind, :number, :issued_by, :signed_on, :signed_on_precision, :valid_from, :valid_until, :max_members, :replaces_id,
    coalesce(:origin, 'recorded'), :source)

-- name: gate_team_decree :one
SELECT gate_team(:team_id, NULL) AND gate_team_row('decree', :id, :team_id, :if_match) AS passed                 --? not reach
SELECT gate_team(:team_id, NULL, 'basis', :reach.from, :reach.to, :reach.rank)                                   --? reach
    AND gate_team_row('decree', :id, :team_id, :if_match)                                                        --? reach
    AND gate_origin((SELECT d.origin FROM team_decree d WHERE d.id = :id)) AS passed                             --? reach

-- name: update_team_decree :exec
UPDATE team_decree SET
    number = :number,                            --? number
    issued_by = :issued_by,                      --? issued_by
    signed_on = :signed_on,                      --? signed_on
    signed_on_precision = :signed_on_precision,  --? signed_on_precision
    valid_from = :valid_from,                    --? valid_from
    valid_until = :valid_until,                  --? valid_until
    max_members = :max_members,                  --? max_members
    replaces_id = :replaces_id,                  --? replaces_id
    source = :source,                            --? source
    row_version = row_version
WHERE team_id = :team_id AND id = :id
