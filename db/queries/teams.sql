-- Tim Sinergi. What a team is on a day (its members, decree, sectors, ...) comes from team_standing() (db/functions/team_view.sql), for the
-- rows of the page only, and for a filter that asks it.

-- name: list_teams :many
SELECT t.id, t.name, t.level, t.region_code, t.formed_on, t.formed_on_precision, t.dissolved_on, s.status
    , c.member_id AS "coordinator.member_id", c.name AS "coordinator.name", c.position AS "coordinator.position"
    , c.organization_id AS "coordinator.organization.id", c.organization_name AS "coordinator.organization.name"
    , c.organization_sector AS "coordinator.organization.sector", c.starts_on AS "coordinator.from", c.ends_on AS "coordinator.until"
    , s.member_count, s.max_members
    , d.id AS "decree.id", d.kind AS "decree.kind", d.number AS "decree.number", d.issued_by AS "decree.issued_by"
    , d.signed_on AS "decree.signed_on", d.valid_from AS "decree.valid_from", d.valid_until AS "decree.valid_until"
    , to_jsonb(s.present) AS "sectors.present", to_jsonb(s.missing) AS "sectors.missing", to_jsonb(s.vacancies) AS vacancies
    , s.next_meeting_due, s.meeting_overdue, t.origin, t.source, t.undocumented, t.created_at, t.updated_at
    , r.code AS "region.code", r.name AS "region.name", r.type AS "region.type"                                  --? expand.region
    , r1.code AS "region.province.code", r1.name AS "region.province.name", r1.type AS "region.province.type"    --? expand.region
    , r2.code AS "region.regency.code", r2.name AS "region.regency.name", r2.type AS "region.regency.type"       --? expand.region
    , NULL AS "region.district.code", NULL AS "region.district.name", NULL AS "region.district.type"             --? expand.region
    , NULL AS "region.village.code", NULL AS "region.village.name", NULL AS "region.village.type"                --? expand.region
FROM (
    SELECT t.id, t.name, t.level, t.region_code, t.formed_on, t.formed_on_precision, t.dissolved_on, t.origin, t.source, t.undocumented,
        t.created_at, t.updated_at
    FROM team t
    WHERE true
      AND t.region_code >= :within AND t.region_code < :within || '/'                                                            --? within
      AND t.region_code = :region                                                                                                --? region
      AND t.level = :level                                                                                                       --? level
      AND t.period @> :as_of                                                                                                     --? as_of
      AND (SELECT w.status FROM team_standing(t.id, t.level, t.formed_on, t.dissolved_on, coalesce(:as_of, today())) w) = ANY (:status) --? status
      AND name_vector(t.name) @@ (SELECT name_query(:q))                                                                       --? q
      AND :missing_sector = ANY ((SELECT w.missing FROM team_standing(t.id, t.level, t.formed_on, t.dissolved_on, coalesce(:as_of, today())) w)::text[]) --? missing_sector
      AND :vacancy = ANY ((SELECT w.vacancies FROM team_standing(t.id, t.level, t.formed_on, t.dissolved_on, coalesce(:as_of, today())) w)::text[]) --? vacancy
      AND (SELECT w.meeting_overdue FROM team_standing(t.id, t.level, t.formed_on, t.dissolved_on, coalesce(:as_of, today())) w) = :meeting_overdue --? meeting_overdue
      AND (SELECT w.decree_valid_until FROM team_standing(t.id, t.level, t.formed_on, t.dissolved_on, coalesce(:as_of, today())) w) < :decree_expiring_before --? decree_expiring_before
      AND t.updated_at >= :updated_since                                                                                         --? updated_since
      AND (t.region_code, t.id) > (:key.1, :key.2)                                                                               --? cursor and sort.region
      AND (t.name, t.id) > (:key.1, :key.2)                                                                                      --? cursor and sort.name
      AND (t.updated_at, t.id) > (:key.1, :key.2)                                                                                --? cursor and sort.updated_at
    ORDER BY t.region_code, t.id                                                                                                 --? sort.region
    ORDER BY t.name, t.id                                                                                                        --? sort.name
    ORDER BY t.updated_at, t.id                                                                                                  --? sort.updated_at
    LIMIT :page_rows                                                                                                             --? page_rows
) t
CROSS JOIN LATERAL team_standing(t.id, t.level, t.formed_on, t.dissolved_on, coalesce(:as_of, today())) s
LEFT JOIN LATERAL team_coordinator_on(t.id, coalesce(:as_of, today())) c ON true
LEFT JOIN LATERAL (SELECT w.id, w.kind, w.number, w.issued_by, w.signed_on, w.valid_from, w.valid_until FROM team_decree w WHERE w.id = s.decree_id
    OFFSET 0) d ON true
LEFT JOIN LATERAL (SELECT w.code, w.name, w.type FROM region w WHERE w.code = t.region_code OFFSET 0) r ON true  --? expand.region
LEFT JOIN LATERAL (SELECT w.code, w.name, w.type FROM region w WHERE w.code = left(t.region_code, 2) OFFSET 0) r1 ON true --? expand.region
LEFT JOIN LATERAL (SELECT w.code, w.name, w.type FROM region w WHERE w.code = t.region_code AND length(w.code) = 5 --? expand.region
    OFFSET 0) r2 ON true                                                                                         --? expand.region
ORDER BY t.region_code, t.id                                                                                                     --? sort.region
ORDER BY t.name, t.id                                                                                                            --? sort.name
ORDER BY t.updated_at, t.id                                                                                                      --? sort.updated_at

-- name: get_team :one
SELECT t.row_version AS "@version", t.id, t.name, t.level, t.region_code, t.formed_on, t.formed_on_precision, t.dissolved_on, s.status
    , c.member_id AS "coordinator.member_id", c.name AS "coordinator.name", c.position AS "coordinator.position"
    , c.organization_id AS "coordinator.organization.id", c.organization_name AS "coordinator.organization.name"
    , c.organization_sector AS "coordinator.organization.sector", c.starts_on AS "coordinator.from", c.ends_on AS "coordinator.until"
    , s.member_count, s.max_members
    , d.id AS "decree.id", d.kind AS "decree.kind", d.number AS "decree.number", d.issued_by AS "decree.issued_by"
    , d.signed_on AS "decree.signed_on", d.valid_from AS "decree.valid_from", d.valid_until AS "decree.valid_until"
    , to_jsonb(s.present) AS "sectors.present", to_jsonb(s.missing) AS "sectors.missing", to_jsonb(s.vacancies) AS vacancies
    , s.next_meeting_due, s.meeting_overdue, t.origin, t.source, t.undocumented, t.created_at, t.updated_at
    , r.code AS "region.code", r.name AS "region.name", r.type AS "region.type"                                  --? expand.region
    , r1.code AS "region.province.code", r1.name AS "region.province.name", r1.type AS "region.province.type"    --? expand.region
    , r2.code AS "region.regency.code", r2.name AS "region.regency.name", r2.type AS "region.regency.type"       --? expand.region
    , NULL AS "region.district.code", NULL AS "region.district.name", NULL AS "region.district.type"             --? expand.region
    , NULL AS "region.village.code", NULL AS "region.village.name", NULL AS "region.village.type"                --? expand.region
FROM (SELECT today() AS day) x                                                                                   --? not as_of
FROM (SELECT :as_of AS day) x                                                                                    --? as_of
CROSS JOIN team t
CROSS JOIN LATERAL team_standing(t.id, t.level, t.formed_on, t.dissolved_on, x.day) s
LEFT JOIN LATERAL team_coordinator_on(t.id, x.day) c ON true
LEFT JOIN team_decree d ON d.id = s.decree_id
LEFT JOIN LATERAL (SELECT w.code, w.name, w.type FROM region w WHERE w.code = t.region_code OFFSET 0) r ON true  --? expand.region
LEFT JOIN LATERAL (SELECT w.code, w.name, w.type FROM region w WHERE w.code = left(t.region_code, 2) OFFSET 0) r1 ON true --? expand.region
LEFT JOIN LATERAL (SELECT w.code, w.name, w.type FROM region w WHERE w.code = t.region_code AND length(w.code) = 5 --? expand.region
    OFFSET 0) r2 ON true                                                                                         --? expand.region
WHERE t.id = :id

-- The read gate of everything below one team.
-- name: team_exists :one
SELECT true AS found FROM team t WHERE t.id = :team_id

-- ---- writes ---------------------------------------------------------------------------------------------

-- name: gate_create_team :one
SELECT true AS passed                                                                                            --? not reach
SELECT gate_team_place(:region_code, :reach.from, :reach.to, :reach.rank) AND gate_origin(:origin) AS passed     --? reach

-- name: create_team :exec
INSERT INTO team (id, name, region_code, formed_on, formed_on_precision, origin, source, undocumented)
VALUES (:id, :name, :region_code, :formed_on, :formed_on_precision, coalesce(:origin, 'recorded'), :source, coalesce(:undocumented, '[]'))

-- name: gate_team :one
SELECT gate_team(:id, :if_match) AS passed                                                                       --? not reach
SELECT gate_team(:id, :if_match, 'team', :reach.from, :reach.to, :reach.rank) AND gate_team_past(:id) AS passed  --? reach

-- The last line changes nothing.
-- name: update_team :exec
UPDATE team SET
    name = :name,                               --? name
    formed_on = :formed_on,                     --? formed_on
    formed_on_precision = :formed_on_precision, --? formed_on_precision
    dissolved_on = :dissolved_on,               --? dissolved_on
    source = :source,                           --? source
    undocumented = :undocumented,               --? undocumented
    row_version = row_version
WHERE id = :id

-- ---- policies -------------------------------------------------------------------------------------------

-- name: list_team_policies :many
SELECT coalesce(p.starts_on, '0001-01-01') AS "@starts", p.id, p.level, p.starts_on, p.ends_on, p.max_members,
    to_jsonb(p.wanted_sectors) AS wanted_sectors, p.meeting_interval_months, p.source, p.created_at, p.updated_at
FROM team_policy p
WHERE true
  AND p.level = :level                                                                                           --? level
  AND p.period @> :as_of                                                                                         --? as_of
  AND p.updated_at >= :updated_since                                                                             --? updated_since
  AND (coalesce(p.starts_on, '0001-01-01'), p.id) > (:key.1, :key.2)                                             --? cursor and sort.starts_on
  AND (p.updated_at, p.id) > (:key.1, :key.2)                                                                    --? cursor and sort.updated_at
ORDER BY coalesce(p.starts_on, '0001-01-01'), p.id                                                               --? sort.starts_on
ORDER BY p.updated_at, p.id                                                                                      --? sort.updated_at
LIMIT :page_rows                                                                                                 --? page_rows

-- name: get_team_policy :one
SELECT p.row_version AS "@version", p.id, p.level, p.starts_on, p.ends_on, p.max_members,
    to_jsonb(p.wanted_sectors) AS wanted_sectors, p.meeting_interval_months, p.source, p.created_at, p.updated_at
FROM team_policy p
WHERE p.id = :id

-- name: gate_create_team_policy :one
SELECT true AS passed                                                                                            --? not reach
SELECT gate_nation() AS passed                                                                                       --? reach

-- name: create_team_policy :exec
SELECT team_policy_begin(:id, :level, :starts_on, :max_members, ARRAY(SELECT jsonb_array_elements_text(:wanted_sectors)),
    :meeting_interval_months, :source, NULL)
