-- Members of a team, their positions, substitutions, and who coordinates.

-- name: list_team_members :many
SELECT m.role_rank AS "@role_rank", m.id, CASE WHEN p.published THEN m.person_id END AS person_id, coalesce(m.name, CASE WHEN p.published THEN p.name END) AS name
    , o.id AS "organization.id", o.name AS "organization.name", o.sector AS "organization.sector", h.position, m.role
    , EXISTS (SELECT FROM team_coordinator c WHERE c.member_id = m.id AND c.period @> x.day) AS coordinator
    , m.starts_on, m.starts_on_precision, m.ends_on, m.ends_on_precision, m.end_reason, m.replaces_id, m.decree_id, m.source
    , m.created_at, m.updated_at
FROM (SELECT today() AS day) x                                                                                   --? not as_of
FROM (SELECT :as_of AS day) x                                                                                    --? as_of
CROSS JOIN team_member m
JOIN LATERAL (SELECT w.position, w.organization_id FROM team_member_position w WHERE w.member_id = m.id
    AND w.period @> greatest(m.starts_on, least(x.day, coalesce(m.ends_on, x.day))) OFFSET 0) h ON true
JOIN organization o ON o.id = h.organization_id
LEFT JOIN person p ON p.id = m.person_id
WHERE m.team_id = :team_id
  AND m.starts_on <= x.day AND coalesce(m.ends_on, 'infinity') >= x.day    --? not history
  AND :history = 'include'                                                                                         --? history
  AND m.role = ANY (:role)                                                                                         --? role
  AND o.sector = :sector                                                                                           --? sector
  AND m.updated_at >= :updated_since                                                                               --? updated_since
  AND (m.role_rank, m.id) > (:key.1, :key.2)                                                                       --? cursor and sort.role
  AND (m.starts_on, m.id) > (:key.1, :key.2)                                                                       --? cursor and sort.starts_on
  AND (m.updated_at, m.id) > (:key.1, :key.2)                                                                      --? cursor and sort.updated_at
ORDER BY m.role_rank, m.id                                                                                         --? sort.role
ORDER BY m.starts_on, m.id                                                                                         --? sort.starts_on
ORDER BY m.updated_at, m.id                                                                                        --? sort.updated_at
LIMIT :page_rows                                                                                                   --? page_rows

-- name: get_team_member :one
SELECT m.row_version AS "@version", m.role_rank AS "@role_rank", m.id, CASE WHEN p.published THEN m.person_id END AS person_id, coalesce(m.name, CASE WHEN p.published THEN p.name END) AS name
    , o.id AS "organization.id", o.name AS "organization.name", o.sector AS "organization.sector", h.position, m.role
    , EXISTS (SELECT FROM team_coordinator c WHERE c.member_id = m.id AND c.period @> x.day) AS coordinator
    , m.starts_on, m.starts_on_precision, m.ends_on, m.ends_on_precision, m.end_reason, m.replaces_id, m.decree_id, m.source
    , m.created_at, m.updated_at
FROM (SELECT today() AS day) x                                                                                   --? not as_of
FROM (SELECT :as_of AS day) x                                                                                    --? as_of
CROSS JOIN team_member m
JOIN LATERAL (SELECT w.position, w.organization_id FROM team_member_position w WHERE w.member_id = m.id
    AND w.period @> greatest(m.starts_on, least(x.day, coalesce(m.ends_on, x.day))) OFFSET 0) h ON true
JOIN organization o ON o.id = h.organization_id
LEFT JOIN person p ON p.id = m.person_id
WHERE m.team_id = :team_id AND m.id = :id

-- name: gate_team_part :one
SELECT gate_team(:team_id, NULL) AS passed                                                                       --? not reach
SELECT gate_team(:team_id, NULL, 'team', :reach.from, :reach.to, :reach.rank)                                    --? reach
    AND gate_precision(:starts_on_precision)                                                                     --? reach and starts_on_precision
    AND gate_precision(:ends_on_precision)                                                                       --? reach and ends_on_precision
    AS passed                                                                                                    --? reach

-- name: create_team_member :exec
INSERT INTO team_member (id, team_id, person_id, name, position, organization_id, role, starts_on, starts_on_precision, ends_on, ends_on_precision,
    end_reason, decree_id, source, person_vouched)
VALUES (:id, :team_id, :person_id, :name, :position,
    coalesce(:organization_id, team_organization(:team_id, :organization.name, :organization.sector)), :role, :starts_on,
    :starts_on_precision, :ends_on, :ends_on_precision, :end_reason, :decree_id, :source
    , true                                                                                                       --? not reach
    , person_in_reach(:person_id, :reach.from, :reach.to, :reach.rank, :reach.libraries)                         --? reach
    )

-- name: gate_team_member :one
SELECT gate_team(:team_id, NULL) AND gate_team_row('member', :id, :team_id, :if_match) AS passed                 --? not reach
SELECT gate_team(:team_id, NULL, 'team', :reach.from, :reach.to, :reach.rank) AND gate_precision(:starts_on_precision) --? reach
    AND gate_precision(:ends_on_precision) AND gate_team_row('member', :id, :team_id, :if_match) AS passed       --? reach

-- name: update_team_member :exec
UPDATE team_member SET
    person_id = :person_id,                     --? person_id
    person_vouched = true,                      --? person_id and not reach
    person_vouched = person_in_reach(:person_id, :reach.from, :reach.to, :reach.rank, :reach.libraries), --? person_id and reach
    name = :name,                               --? name
    role = :role,                               --? role
    starts_on = :starts_on,                     --? starts_on
    starts_on_precision = :starts_on_precision, --? starts_on_precision
    ends_on = :ends_on,                         --? ends_on
    ends_on_precision = :ends_on_precision,     --? ends_on_precision
    end_reason = :end_reason,                   --? end_reason
    decree_id = :decree_id,                     --? decree_id
    source = :source,                           --? source
    row_version = row_version
WHERE team_id = :team_id AND id = :id

-- ---- contacts: only for those in whose reach the team is, and that they read them is recorded --------------------

-- name: gate_team_member_contact :one
SELECT gate_team(:team_id, NULL)                                                                                 --? not reach
SELECT gate_team(:team_id, NULL, 'work', :reach.from, :reach.to, :reach.rank)                                    --? reach
    AND gate_member_contact_reach(:id, :team_id, :reach.from, :reach.to, :reach.rank, :reach.libraries)          --? reach
    AND gate_member_contact(:id, :team_id) AS passed

-- Of today's members. (Others' contacts are read by those in whose reach the person works.)
-- name: get_team_member_contact :one
SELECT c.phone, c.email, c.address
FROM team_member m JOIN person_contact c ON c.person_id = m.person_id
WHERE m.team_id = :team_id AND m.id = :id AND m.period @> today()
  AND team_in_reach((SELECT t.region_code FROM team t WHERE t.id = :team_id), 'work', :reach.from, :reach.to, :reach.rank) --? reach

-- ---- positions --------------------------------------------------------------------------------------------

-- name: team_member_exists :one
SELECT true AS found FROM team_member m WHERE m.team_id = :team_id AND m.id = :member_id

-- name: list_position_changes :many
SELECT h.id, h.position, o.id AS "organization.id", o.name AS "organization.name", o.sector AS "organization.sector"
    , coalesce(h.starts_on, m.starts_on) AS starts_on, coalesce(h.ends_on, m.ends_on) AS ends_on, h.created_at, h.updated_at
FROM team_member_position h JOIN team_member m ON m.id = h.member_id JOIN organization o ON o.id = h.organization_id
WHERE m.team_id = :team_id AND m.id = :member_id
  AND (coalesce(h.starts_on, m.starts_on), h.id) > (:key.1, :key.2)                                              --? cursor and sort.starts_on
ORDER BY coalesce(h.starts_on, m.starts_on), h.id                                                                --? sort.starts_on
LIMIT :page_rows                                                                                                 --? page_rows

-- name: get_position_change :one
SELECT h.row_version AS "@version", h.id, h.position, o.id AS "organization.id", o.name AS "organization.name", o.sector AS "organization.sector"
    , coalesce(h.starts_on, m.starts_on) AS starts_on, coalesce(h.ends_on, m.ends_on) AS ends_on, h.created_at, h.updated_at
FROM team_member_position h JOIN team_member m ON m.id = h.member_id JOIN organization o ON o.id = h.organization_id
WHERE m.team_id = :team_id AND m.id = :member_id AND h.id = :id

-- name: gate_position_change :one
SELECT gate_team(:team_id, NULL) AND gate_team_row('member', :member_id, :team_id, NULL) AS passed               --? not reach
SELECT gate_team(:team_id, NULL, 'team', :reach.from, :reach.to, :reach.rank)                                    --? reach
    AND gate_team_row('member', :member_id, :team_id, NULL) AS passed                                            --? reach

-- name: create_position_change :exec
SELECT team_position_change(
    to_position => :position,                                                                                    --? position
    keep_position => true,                                                                                       --? not position
    to_organization => :organization_id,                                                                         --? organization_id
    to_organization => team_organization(:team_id, :organization.name, :organization.sector),                    --? organization.name and not organization_id
    keep_organization => true,                                                                                   --? not organization_id and not organization.name
    new_id => :id, member => :member_id, on_day => :on)

-- ---- substitutions -----------------------------------------------------------------------------------------

-- name: list_substitutions :many
SELECT m.starts_on AS "on", m.id, l.end_reason AS reason, l.id AS leaving_member_id
    , coalesce(l.name, CASE WHEN q.published THEN q.name END) AS leaving_name, l.position AS leaving_position
    , m.id AS member_id, coalesce(m.name, CASE WHEN p.published THEN p.name END) AS name, m.position
    , o.id AS "organization.id", o.name AS "organization.name", o.sector AS "organization.sector", m.role, m.created_at
FROM team_member m
JOIN team_member l ON l.id = m.replaces_id
JOIN organization o ON o.id = m.organization_id
LEFT JOIN person p ON p.id = m.person_id
LEFT JOIN person q ON q.id = l.person_id
WHERE m.team_id = :team_id
  AND m.updated_at >= :updated_since                                                                             --? updated_since
  AND (m.starts_on, m.id) > (:key.1, :key.2)                                                                     --? cursor and sort.on
ORDER BY m.starts_on, m.id                                                                                       --? sort.on
LIMIT :page_rows                                                                                                 --? page_rows

-- name: get_substitution :one
SELECT m.row_version AS "@version", m.starts_on AS "on", m.id, l.end_reason AS reason, l.id AS leaving_member_id
    , coalesce(l.name, CASE WHEN q.published THEN q.name END) AS leaving_name, l.position AS leaving_position
    , m.id AS member_id, coalesce(m.name, CASE WHEN p.published THEN p.name END) AS name, m.position
    , o.id AS "organization.id", o.name AS "organization.name", o.sector AS "organization.sector", m.role, m.created_at
FROM team_member m
JOIN team_member l ON l.id = m.replaces_id
JOIN organization o ON o.id = m.organization_id
LEFT JOIN person p ON p.id = m.person_id
LEFT JOIN person q ON q.id = l.person_id
WHERE m.team_id = :team_id AND m.id = :id

-- name: create_substitution :exec
SELECT team_substitute(:team_id, :leaving_member_id, :on, :reason, :id, :member.person_id, :member.name, :member.position,
    coalesce(:member.organization_id, team_organization(:team_id, :member.organization.name, :member.organization.sector)),
    :member.role, :member.decree_id
    , true                                                                                                       --? not reach
    , person_in_reach(:member.person_id, :reach.from, :reach.to, :reach.rank, :reach.libraries)                  --? reach
    )

-- ---- the coordinator ----------------------------------------------------------------------------------------

-- name: get_team_coordinator :one
SELECT (SELECT (extract(epoch FROM max(v.updated_at)) * 1000000)::bigint FROM team_coordinator v WHERE v.team_id = :team_id) AS "@version",
    c.member_id, c.name, c.position, c.organization_id AS "organization.id", c.organization_name AS "organization.name"
    , c.organization_sector AS "organization.sector", c.starts_on AS "from", c.ends_on AS "until"
FROM (SELECT today() AS day) x                                                                                   --? not as_of
FROM (SELECT :as_of AS day) x                                                                                    --? as_of
CROSS JOIN LATERAL team_coordinator_on(:team_id, x.day) c

-- name: gate_team_coordinator :one
SELECT gate_team(:team_id, NULL) AS passed                                                                       --? not reach
SELECT gate_team(:team_id, NULL, 'team', :reach.from, :reach.to, :reach.rank) AS passed                          --? reach

-- Whoever names a coordinator changes who was named before: the version is of them all.
-- name: current_team_coordinator :one
SELECT (extract(epoch FROM max(c.updated_at)) * 1000000)::bigint AS "@version",
    bool_or(coalesce(c.ends_on, 'infinity') >= today()) AS "@exists"
FROM team_coordinator c
WHERE c.team_id = :team_id
HAVING count(*) > 0

-- name: put_team_coordinator :exec
SELECT team_coordinate(:team_id, :member_id, :from)

-- Who was just named.
-- name: get_team_coordinator_named :one
SELECT (SELECT (extract(epoch FROM max(v.updated_at)) * 1000000)::bigint FROM team_coordinator v WHERE v.team_id = :team_id) AS "@version",
    c.member_id, c.name, c.position, c.organization_id AS "organization.id", c.organization_name AS "organization.name"
    , c.organization_sector AS "organization.sector", c.starts_on AS "from", c.ends_on AS "until"
FROM team_coordinator_on(:team_id, (SELECT max(w.starts_on) FROM team_coordinator w WHERE w.team_id = :team_id)) c
