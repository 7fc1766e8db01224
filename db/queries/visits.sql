-- Visits. That there was one is published; what was found is for those in whose reach the library lies, and the library (v.near). Who visited is shown
-- to those who may know of the person (v.knows).

-- name: list_visits :many
SELECT t.id, t.library_id, t.kind, t.visited_on, t.team_id, t.replication_id, CASE WHEN v.knows THEN t.person_id END AS person_id,
    CASE WHEN v.near THEN t.findings END AS findings, CASE WHEN v.near THEN t.recommendations END AS recommendations,
    CASE WHEN v.near THEN t.follow_up END AS follow_up, t.follow_up_done_on, t.created_at, t.updated_at
    , l.id AS "library.id", l.name AS "library.name", l.kind AS "library.kind", l.region_code AS "library.region_code" --? expand.library
    , r0.code AS "region.code", r0.name AS "region.name", r0.type AS "region.type"                                   --? expand.region
    , r1.code AS "region.province.code", r1.name AS "region.province.name", r1.type AS "region.province.type"        --? expand.region
    , r2.code AS "region.regency.code", r2.name AS "region.regency.name", r2.type AS "region.regency.type"           --? expand.region
    , r3.code AS "region.district.code", r3.name AS "region.district.name", r3.type AS "region.district.type"        --? expand.region
    , r4.code AS "region.village.code", r4.name AS "region.village.name", r4.type AS "region.village.type"           --? expand.region
FROM visit t
JOIN library l ON l.id = t.library_id
LEFT JOIN person p ON p.id = t.person_id
CROSS JOIN LATERAL (SELECT true AS near, true AS knows) v                                                            --? not reach
CROSS JOIN LATERAL (SELECT in_reach(l.place, 7, :reach.from, :reach.to, :reach.rank)                                 --? reach
                        OR l.id = ANY (:reach.libraries) AS near                                                     --? reach
    , may_know_person(p.place, p.published, p.library_id, :reach.from, :reach.to, :reach.rank, :reach.libraries) AS knows) v--? reach
LEFT JOIN region r0 ON r0.code = l.region_code                                                                       --? expand.region
LEFT JOIN region r1 ON r1.code = left(l.region_code, 2) AND length(l.region_code) >= 2                               --? expand.region
LEFT JOIN region r2 ON r2.code = left(l.region_code, 5) AND length(l.region_code) >= 5                               --? expand.region
LEFT JOIN region r3 ON r3.code = left(l.region_code, 8) AND length(l.region_code) >= 8                               --? expand.region
LEFT JOIN region r4 ON r4.code = left(l.region_code, 13) AND length(l.region_code) >= 13                             --? expand.region
WHERE true
  AND l.place >= :within AND l.place < :within || '/'                                                                --? within
  AND t.library_id = :library                                                                                        --? library
  AND t.team_id = :team                                                                                              --? team
  AND t.replication_id = :replication                                                                                --? replication
  AND t.kind = ANY (:kind)                                                                                           --? kind
  AND t.visited_on >= :from                                                                                          --? from
  AND t.visited_on <= :to                                                                                            --? to
  AND t.updated_at >= :updated_since                                                                                 --? updated_since
  AND (t.visited_on, t.id) > (:key.1, :key.2)                                                                        --? cursor and sort.visited_on
  AND (t.updated_at, t.id) > (:key.1, :key.2)                                                                        --? cursor and sort.updated_at
ORDER BY t.visited_on, t.id                                                                                          --? sort.visited_on
ORDER BY t.updated_at, t.id                                                                                          --? sort.updated_at
LIMIT :page_rows                                                                                                     --? page_rows

-- name: get_visit :one
SELECT t.row_version AS "@version", t.id, t.library_id, t.kind, t.visited_on, t.team_id, t.replication_id, CASE WHEN v.knows THEN t.person_id END AS person_id,
    CASE WHEN v.near THEN t.findings END AS findings, CASE WHEN v.near THEN t.recommendations END AS recommendations,
    CASE WHEN v.near THEN t.follow_up END AS follow_up, t.follow_up_done_on, t.created_at, t.updated_at
FROM visit t
JOIN library l ON l.id = t.library_id
LEFT JOIN person p ON p.id = t.person_id
CROSS JOIN LATERAL (SELECT true AS near, true AS knows) v                                                            --? not reach
CROSS JOIN LATERAL (SELECT in_reach(l.place, 7, :reach.from, :reach.to, :reach.rank)                                 --? reach
                        OR l.id = ANY (:reach.libraries) AS near                                                     --? reach
    , may_know_person(p.place, p.published, p.library_id, :reach.from, :reach.to, :reach.rank, :reach.libraries) AS knows) v--? reach
WHERE t.id = :id

-- name: gate_create_visit :one
SELECT true AS passed                                                                                                --? not reach
SELECT gate_visit_place(:library_id, :team_id, :reach.from, :reach.to, :reach.rank) AS passed                        --? reach

-- name: create_visit :exec
INSERT INTO visit (id, library_id, kind, visited_on, team_id, replication_id, person_id, findings, recommendations, follow_up,
    follow_up_done_on)
VALUES (:id, :library_id, :kind, :visited_on, :team_id, :replication_id, :person_id, :findings, :recommendations, :follow_up,
    :follow_up_done_on)

-- Whoever gives a visit to another team must be able to write there, too.
-- name: gate_visit :one
SELECT gate_visit(:id, :if_match) AS passed                                                                          --? not reach
SELECT gate_visit(:id, :if_match, :reach.from, :reach.to, :reach.rank)                                               --? reach
    AND gate_visit_place((SELECT t.library_id FROM visit t WHERE t.id = :id), :team_id, :reach.from, :reach.to, :reach.rank) --? reach and team_id
    AS passed                                                                                                        --? reach

-- name: update_visit :exec
UPDATE visit SET
    kind = :kind,                                                                                                    --? kind
    visited_on = :visited_on,                                                                                        --? visited_on
    team_id = :team_id,                                                                                              --? team_id
    replication_id = :replication_id,                                                                                --? replication_id
    person_id = :person_id,                                                                                          --? person_id
    findings = :findings,                                                                                            --? findings
    recommendations = :recommendations,                                                                              --? recommendations
    follow_up = :follow_up,                                                                                          --? follow_up
    follow_up_done_on = :follow_up_done_on,                                                                          --? follow_up_done_on
    row_version = row_version
WHERE id = :id
