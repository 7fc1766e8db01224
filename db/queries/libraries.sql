-- Libraries. phone and email are shown only where they are public; get_library_contact shows them to those in reach.
--
-- A list first finds its page, p, mostly within an index, then looks up the page's rows one by one: the lateral joins
-- with OFFSET 0 are that, whatever a generic plan believes of its LIMIT; the codes above a place (c) are computed first, so
-- that the regions above many rows are looked up once. A count is of p alone (the other joins fall away). With as_of, a library
-- stands where its placement of that day says: its own row when that is the latest one, else one that has ended. A list of kinds or statuses is bounded from both sides too:
-- the bounds (one value, mostly) are decided inside the index. What is computed from parameters alone is a scalar subquery,
-- computed once. With q no index gives the order (|| ''), so that the words' own index is used, not a walk in order.

-- Closed libraries come only when status or as_of is given, or with deleted=include as tombstones.
-- name: list_libraries :many
SELECT p.place AS "@place", p.id, l.npp, l.name, l.kind, l.status, e.region_code, e.supervisor_id
    , l.address, l.postal_code, l.latitude, l.longitude
    , CASE WHEN l.contact_public THEN l.phone END AS phone, CASE WHEN l.contact_public THEN l.email END AS email
    , l.contact_public, l.website, l.founded_on
    , l.computers, l.servers, l.internet_mbps, l.staff_count, l.titles, l.copies, l.digital_titles
    , l.applications, l.identifiers, l.closed_on, l.created_at, l.updated_at
    , p.distance_km                                                                                              --? near
    , r.code AS "region.code", r.name AS "region.name", r.type AS "region.type"                                  --? page_rows and expand.region
    , r1.code AS "region.province.code", r1.name AS "region.province.name", r1.type AS "region.province.type"    --? page_rows and expand.region
    , r2.code AS "region.regency.code", r2.name AS "region.regency.name", r2.type AS "region.regency.type"       --? page_rows and expand.region
    , r3.code AS "region.district.code", r3.name AS "region.district.name", r3.type AS "region.district.type"    --? page_rows and expand.region
    , CASE WHEN length(e.region_code) = 13 THEN r.code END AS "region.village.code"                              --? page_rows and expand.region
    , CASE WHEN length(e.region_code) = 13 THEN r.name END AS "region.village.name"                              --? page_rows and expand.region
    , CASE WHEN length(e.region_code) = 13 THEN r.type END AS "region.village.type"                              --? page_rows and expand.region
    , s.id AS "supervisor.id", s.name AS "supervisor.name", s.kind AS "supervisor.kind"                          --? page_rows and expand.supervisor
    , s.region_code AS "supervisor.region_code"                                                                  --? page_rows and expand.supervisor
    , CASE WHEN l.status = 'closed' THEN l.closed_at END AS "@deleted_at"                                        --? deleted.include and not as_of
FROM (
    (SELECT l.id, l.place
        , l.region_code, l.supervisor_id                                                                         --? as_of
        , l.name                                                                                                 --? sort.name
        , l.updated_at                                                                                           --? sort.updated_at
        , earth_distance_km(l.location, (SELECT earth_point(:near.latitude, :near.longitude))) AS distance_km    --? near
    FROM library l
    WHERE true
      AND l.status <> 'closed'                                                                                   --? not status and not as_of and not deleted.include
      AND coalesce(l.placed_from, '-infinity') <= :as_of AND coalesce(l.closed_on, 'infinity') >= :as_of         --? as_of
      AND l.place >= :within AND l.place < :within || '/'                                                        --? within
      AND l.place = :region                                                                                      --? region
      AND l.supervisor_id = :supervisor                                                                          --? supervisor
      AND l.kind = ANY (:kind)                                                                                   --? kind
      AND l.kind >= (SELECT min(k) FROM unnest(:kind) k) AND l.kind <= (SELECT max(k) FROM unnest(:kind) k)      --? kind
      AND l.status = ANY (:status)                                                                               --? status
      AND l.status >= (SELECT min(k) FROM unnest(:status) k) AND l.status <= (SELECT max(k) FROM unnest(:status) k) --? status
      AND l.npp = :npp                                                                                           --? npp
      AND l.id = (SELECT i.library_id FROM library_identifier i WHERE i.scheme = split_part(:identifier, ':', 1) --? identifier
                  AND identifier_key(i.scheme, i.value) = identifier_key(split_part(:identifier, ':', 1),        --? identifier
                                                                         substr(:identifier, strpos(:identifier, ':') + 1))) --? identifier
      AND name_vector(l.name) @@ (SELECT name_query(:q))                                                          --? q
      AND l.location <@ (SELECT earth_box(earth_point(:near.latitude, :near.longitude), coalesce(:radius_km, 25))) --? near
      AND earth_distance_km(l.location, (SELECT earth_point(:near.latitude, :near.longitude))) <= coalesce(:radius_km, 25) --? near
      AND l.located = :has_location                                                                              --? has_location
      AND l.updated_at >= :updated_since                                                                         --? updated_since
      AND (l.place, l.id) > (:key.1, :key.2)                                                                     --? cursor and sort.region
      AND (l.name, l.id) > (:key.1, :key.2)                                                                      --? cursor and sort.name
      AND (l.updated_at, l.id) > (:key.1, :key.2)                                                                --? cursor and sort.updated_at
      AND (earth_distance_km(l.location, (SELECT earth_point(:near.latitude, :near.longitude))), l.id) > (:key.1, :key.2) --? cursor and sort.distance
    ORDER BY l.place, l.id                                                                                       --? sort.region and not q
    ORDER BY l.name, l.id                                                                                        --? sort.name and not q
    ORDER BY l.updated_at, l.id                                                                                  --? sort.updated_at and not q
    ORDER BY l.place || '', l.id                                                                                 --? sort.region and q
    ORDER BY l.name || '', l.id                                                                                  --? sort.name and q
    ORDER BY l.updated_at + interval '0', l.id                                                                   --? sort.updated_at and q
    ORDER BY distance_km, l.id                                                                                   --? sort.distance
    LIMIT :page_rows                                                                                             --? page_rows
    )
    UNION ALL                                                                                                    --? as_of
    SELECT l.id, l.place                                                                                         --? as_of
        , l.region_code, l.supervisor_id                                                                         --? as_of
        , l.name                                                                                                 --? as_of and sort.name
        , l.updated_at                                                                                           --? as_of and sort.updated_at
        , earth_distance_km(l.location, (SELECT earth_point(:near.latitude, :near.longitude))) AS distance_km    --? as_of and near
    FROM (SELECT h.library_id AS id, h.place, h.kind, h.region_code, h.supervisor_id, h.starts_on,               --? as_of
              w.name, w.npp, w.status, w.location, w.located, w.updated_at, w.placed_from                        --? as_of
          FROM library_placement h CROSS JOIN LATERAL (                                                          --? as_of
              SELECT w.name, w.npp, w.status, w.location, w.located, w.updated_at, w.placed_from                 --? as_of
              FROM library w WHERE w.id = h.library_id OFFSET 0) w                                               --? as_of
          WHERE h.ends_on >= :as_of AND coalesce(h.starts_on, '-infinity') <= :as_of) l                          --? as_of
    WHERE l.starts_on IS DISTINCT FROM l.placed_from                                                             --? as_of
      AND l.place >= :within AND l.place < :within || '/'                                                        --? as_of and within
      AND l.place = :region                                                                                      --? as_of and region
      AND l.supervisor_id = :supervisor                                                                          --? as_of and supervisor
      AND l.kind = ANY (:kind)                                                                                   --? as_of and kind
      AND l.status = ANY (:status)                                                                               --? as_of and status
      AND l.npp = :npp                                                                                           --? as_of and npp
      AND l.id = (SELECT i.library_id FROM library_identifier i WHERE i.scheme = split_part(:identifier, ':', 1) --? as_of and identifier
                  AND identifier_key(i.scheme, i.value) = identifier_key(split_part(:identifier, ':', 1),        --? as_of and identifier
                                                                         substr(:identifier, strpos(:identifier, ':') + 1))) --? as_of and identifier
      AND name_vector(l.name) @@ (SELECT name_query(:q))                                                          --? as_of and q
      AND l.location <@ (SELECT earth_box(earth_point(:near.latitude, :near.longitude), coalesce(:radius_km, 25))) --? as_of and near
      AND earth_distance_km(l.location, (SELECT earth_point(:near.latitude, :near.longitude))) <= coalesce(:radius_km, 25) --? as_of and near
      AND l.located = :has_location                                                                              --? as_of and has_location
      AND l.updated_at >= :updated_since                                                                         --? as_of and updated_since
      AND (l.place, l.id) > (:key.1, :key.2)                                                                     --? as_of and cursor and sort.region
      AND (l.name, l.id) > (:key.1, :key.2)                                                                      --? as_of and cursor and sort.name
      AND (l.updated_at, l.id) > (:key.1, :key.2)                                                                --? as_of and cursor and sort.updated_at
      AND (earth_distance_km(l.location, (SELECT earth_point(:near.latitude, :near.longitude))), l.id) > (:key.1, :key.2) --? as_of and cursor and sort.distance
    ORDER BY place, id                                                                                           --? as_of and sort.region
    ORDER BY name, id                                                                                            --? as_of and sort.name
    ORDER BY updated_at, id                                                                                      --? as_of and sort.updated_at
    ORDER BY distance_km, id                                                                                     --? as_of and sort.distance
    LIMIT :page_rows                                                                                             --? as_of and page_rows
) p
JOIN LATERAL (                                                                                                   --? page_rows
    SELECT w.id, w.npp, w.name, w.kind, w.status, w.region_code, w.supervisor_id, w.address, w.postal_code, w.latitude, --? page_rows
        w.longitude, w.phone, w.email, w.contact_public, w.website, w.founded_on, w.computers,                   --? page_rows
        w.servers, w.internet_mbps, w.staff_count, w.titles, w.copies, w.digital_titles, w.applications, w.identifiers, --? page_rows
        w.closed_on, w.closed_at, w.created_at, w.updated_at                                                     --? page_rows
    FROM library w WHERE w.id = p.id OFFSET 0) l ON true                                                         --? page_rows
LEFT JOIN library l ON l.id = p.id                                                                               --? not page_rows
CROSS JOIN LATERAL (SELECT l.region_code, l.supervisor_id) e                                                     --? not as_of
CROSS JOIN LATERAL (SELECT p.region_code, p.supervisor_id) e                                                     --? as_of
LEFT JOIN LATERAL (SELECT w.code, w.name, w.type FROM region w WHERE w.code = e.region_code OFFSET 0) r ON true  --? page_rows and expand.region
CROSS JOIN LATERAL (SELECT left(e.region_code, 2) AS province,                                                   --? page_rows and expand.region
        CASE WHEN length(e.region_code) >= 5 THEN left(e.region_code, 5) END AS regency,                         --? page_rows and expand.region
        CASE WHEN length(e.region_code) >= 8 THEN left(e.region_code, 8) END AS district OFFSET 0) c             --? page_rows and expand.region
LEFT JOIN LATERAL (SELECT w.code, w.name, w.type FROM region w WHERE w.code = c.province OFFSET 0) r1 ON true    --? page_rows and expand.region
LEFT JOIN LATERAL (SELECT w.code, w.name, w.type FROM region w WHERE w.code = c.regency OFFSET 0) r2 ON true     --? page_rows and expand.region
LEFT JOIN LATERAL (SELECT w.code, w.name, w.type FROM region w WHERE w.code = c.district OFFSET 0) r3 ON true    --? page_rows and expand.region
LEFT JOIN LATERAL (SELECT w.id, w.name, w.kind, w.region_code FROM library w WHERE w.id = e.supervisor_id        --? page_rows and expand.supervisor
    OFFSET 0) s ON true                                                                                          --? page_rows and expand.supervisor
ORDER BY p.place, p.id                                                                                           --? sort.region
ORDER BY l.name, p.id                                                                                            --? sort.name
ORDER BY l.updated_at, p.id                                                                                      --? sort.updated_at
ORDER BY p.distance_km, p.id                                                                                     --? sort.distance

-- name: get_library :one
SELECT l.row_version AS "@version", l.id, l.npp, l.name, l.kind, l.status, p.region_code, p.supervisor_id,
    l.address, l.postal_code, l.latitude, l.longitude,
    CASE WHEN l.contact_public THEN l.phone END AS phone,
    CASE WHEN l.contact_public THEN l.email END AS email, l.contact_public, l.website, l.founded_on,
    l.computers, l.servers, l.internet_mbps, l.staff_count, l.titles, l.copies, l.digital_titles,
    l.applications, l.identifiers, l.closed_on, l.created_at, l.updated_at
    , r.code AS "region.code", r.name AS "region.name", r.type AS "region.type"                                  --? expand.region
    , r1.code AS "region.province.code", r1.name AS "region.province.name", r1.type AS "region.province.type"    --? expand.region
    , r2.code AS "region.regency.code", r2.name AS "region.regency.name", r2.type AS "region.regency.type"       --? expand.region
    , r3.code AS "region.district.code", r3.name AS "region.district.name", r3.type AS "region.district.type"    --? expand.region
    , r4.code AS "region.village.code", r4.name AS "region.village.name", r4.type AS "region.village.type"       --? expand.region
    , s.id AS "supervisor.id", s.name AS "supervisor.name", s.kind AS "supervisor.kind"                          --? expand.supervisor
    , s.region_code AS "supervisor.region_code"                                                                  --? expand.supervisor
FROM library l CROSS JOIN LATERAL (SELECT l.place, l.kind, l.region_code, l.supervisor_id) p
LEFT JOIN LATERAL (SELECT w.code, w.name, w.type FROM region w WHERE w.code = p.region_code OFFSET 0) r ON true  --? expand.region
LEFT JOIN LATERAL (SELECT w.code, w.name, w.type FROM region w WHERE w.code = left(p.region_code, 2) OFFSET 0) r1 ON true --? expand.region
LEFT JOIN LATERAL (SELECT w.code, w.name, w.type FROM region w WHERE w.code = left(p.region_code, 5)             --? expand.region
    AND length(p.region_code) >= 5 OFFSET 0) r2 ON true                                                          --? expand.region
LEFT JOIN LATERAL (SELECT w.code, w.name, w.type FROM region w WHERE w.code = left(p.region_code, 8)             --? expand.region
    AND length(p.region_code) >= 8 OFFSET 0) r3 ON true                                                          --? expand.region
LEFT JOIN LATERAL (SELECT w.code, w.name, w.type FROM region w WHERE w.code = left(p.region_code, 13)            --? expand.region
    AND length(p.region_code) >= 13 OFFSET 0) r4 ON true                                                         --? expand.region
LEFT JOIN LATERAL (SELECT w.id, w.name, w.kind, w.region_code FROM library w WHERE w.id = p.supervisor_id        --? expand.supervisor
    OFFSET 0) s ON true                                                                                          --? expand.supervisor
WHERE l.id = :id

-- The read gate of everything below one library.
-- name: library_exists :one
SELECT true AS found FROM library l WHERE l.id = :id

-- ---- the hierarchy --------------------------------------------------------------------------------------

-- The supervisor, its supervisor, ...; nearest first.
-- name: list_ancestors :many
WITH RECURSIVE up (id, depth) AS (
    SELECT l.supervisor_id, 1 FROM library l WHERE l.id = :id                                                    --? not as_of
    SELECT p.supervisor_id, 1 FROM library_placement p WHERE p.library_id = :id AND p.period @> :as_of           --? as_of
    UNION ALL
    SELECT l.supervisor_id, up.depth + 1 FROM up JOIN library l ON l.id = up.id                                  --? not as_of
    SELECT p.supervisor_id, up.depth + 1 FROM up JOIN library_placement p ON p.library_id = up.id AND p.period @> :as_of --? as_of
)
SELECT up.depth AS "@depth", l.id, l.npp, l.name, l.kind, l.status, p.region_code, p.supervisor_id,
    l.address, l.postal_code, l.latitude, l.longitude,
    CASE WHEN l.contact_public THEN l.phone END AS phone,
    CASE WHEN l.contact_public THEN l.email END AS email, l.contact_public, l.website, l.founded_on,
    l.computers, l.servers, l.internet_mbps, l.staff_count, l.titles, l.copies, l.digital_titles,
    l.applications, l.identifiers, l.closed_on, l.created_at, l.updated_at
FROM up JOIN library l ON l.id = up.id
CROSS JOIN LATERAL (SELECT l.place, l.kind, l.region_code, l.supervisor_id) p                                    --? not as_of
JOIN library_placement p ON p.library_id = l.id AND p.period @> :as_of                                           --? as_of
ORDER BY up.depth

-- Everything below one library. Who stands under it stands in its region, so the region is walked in order and each
-- library asked whether it is one of them: a page costs the same below a regency and below the nation.
-- name: list_descendants :many
SELECT p.place AS "@place", p.depth AS "@depth", p.id, l.npp, l.name, l.kind, l.status, e.region_code, e.supervisor_id
    , l.address, l.postal_code, l.latitude, l.longitude
    , CASE WHEN l.contact_public THEN l.phone END AS phone, CASE WHEN l.contact_public THEN l.email END AS email
    , l.contact_public, l.website, l.founded_on
    , l.computers, l.servers, l.internet_mbps, l.staff_count, l.titles, l.copies, l.digital_titles
    , l.applications, l.identifiers, l.closed_on, l.created_at, l.updated_at
    , r.code AS "region.code", r.name AS "region.name", r.type AS "region.type"                                  --? page_rows and expand.region
    , r1.code AS "region.province.code", r1.name AS "region.province.name", r1.type AS "region.province.type"    --? page_rows and expand.region
    , r2.code AS "region.regency.code", r2.name AS "region.regency.name", r2.type AS "region.regency.type"       --? page_rows and expand.region
    , r3.code AS "region.district.code", r3.name AS "region.district.name", r3.type AS "region.district.type"    --? page_rows and expand.region
    , CASE WHEN length(e.region_code) = 13 THEN r.code END AS "region.village.code"                              --? page_rows and expand.region
    , CASE WHEN length(e.region_code) = 13 THEN r.name END AS "region.village.name"                              --? page_rows and expand.region
    , CASE WHEN length(e.region_code) = 13 THEN r.type END AS "region.village.type"                              --? page_rows and expand.region
FROM (
    SELECT p.id, p.place, above.depth
        , p.region_code, p.supervisor_id                                                                         --? as_of
    FROM library l CROSS JOIN LATERAL (SELECT l.id, l.place, l.kind, l.supervisor_id) p                          --? not as_of
    FROM (SELECT h.library_id AS id, h.place, h.kind, h.region_code, h.supervisor_id, h.starts_on, h.ends_on     --? as_of
          FROM library_placement h) p                                                                            --? as_of
    CROSS JOIN LATERAL (
        WITH RECURSIVE up (id, depth) AS (
            SELECT p.supervisor_id, 1
            UNION ALL
            SELECT s.supervisor_id, up.depth + 1 FROM up JOIN library s ON s.id = up.id                          --? not as_of
            SELECT s.supervisor_id, up.depth + 1 FROM up JOIN library_placement s ON s.library_id = up.id        --? as_of
                AND s.period @> :as_of                                                                           --? as_of
            WHERE up.id <> :id
        ) SELECT up.depth FROM up WHERE up.id = :id OFFSET 0) above
    WHERE true
      AND l.status <> 'closed'                                                                                   --? not as_of
      AND coalesce(p.starts_on, '-infinity') <= :as_of AND coalesce(p.ends_on, 'infinity') >= :as_of             --? as_of
      AND p.place >= (SELECT root.place FROM library root WHERE root.id = :id)                                   --? not as_of
      AND p.place < (SELECT CASE root.place WHEN '' THEN '~' ELSE root.place || '/' END FROM library root WHERE root.id = :id) --? not as_of
      AND p.place >= (SELECT root.place FROM library_placement root WHERE root.library_id = :id AND root.period @> :as_of) --? as_of
      AND p.place < (SELECT CASE root.place WHEN '' THEN '~' ELSE root.place || '/' END FROM library_placement root --? as_of
                     WHERE root.library_id = :id AND root.period @> :as_of)                                      --? as_of
      AND p.kind = ANY (:kind)                                                                                   --? kind
      AND p.kind >= (SELECT min(k) FROM unnest(:kind) k) AND p.kind <= (SELECT max(k) FROM unnest(:kind) k)      --? kind
      AND (p.place, p.id) > (:key.1, :key.2)                                                                     --? cursor and sort.region
    ORDER BY p.place, p.id                                                                                       --? sort.region
    LIMIT :page_rows                                                                                             --? page_rows
) p
JOIN LATERAL (                                                                                                   --? page_rows
    SELECT w.id, w.npp, w.name, w.kind, w.status, w.region_code, w.supervisor_id, w.address, w.postal_code, w.latitude, --? page_rows
        w.longitude, w.phone, w.email, w.contact_public, w.website, w.founded_on, w.computers,                   --? page_rows
        w.servers, w.internet_mbps, w.staff_count, w.titles, w.copies, w.digital_titles, w.applications, w.identifiers, --? page_rows
        w.closed_on, w.closed_at, w.created_at, w.updated_at                                                     --? page_rows
    FROM library w WHERE w.id = p.id OFFSET 0) l ON true                                                         --? page_rows
LEFT JOIN library l ON l.id = p.id                                                                               --? not page_rows
CROSS JOIN LATERAL (SELECT l.region_code, l.supervisor_id) e                                                     --? not as_of
CROSS JOIN LATERAL (SELECT p.region_code, p.supervisor_id) e                                                     --? as_of
LEFT JOIN LATERAL (SELECT w.code, w.name, w.type FROM region w WHERE w.code = e.region_code OFFSET 0) r ON true  --? page_rows and expand.region
CROSS JOIN LATERAL (SELECT left(e.region_code, 2) AS province,                                                   --? page_rows and expand.region
        CASE WHEN length(e.region_code) >= 5 THEN left(e.region_code, 5) END AS regency,                         --? page_rows and expand.region
        CASE WHEN length(e.region_code) >= 8 THEN left(e.region_code, 8) END AS district OFFSET 0) c             --? page_rows and expand.region
LEFT JOIN LATERAL (SELECT w.code, w.name, w.type FROM region w WHERE w.code = c.province OFFSET 0) r1 ON true    --? page_rows and expand.region
LEFT JOIN LATERAL (SELECT w.code, w.name, w.type FROM region w WHERE w.code = c.regency OFFSET 0) r2 ON true     --? page_rows and expand.region
LEFT JOIN LATERAL (SELECT w.code, w.name, w.type FROM region w WHERE w.code = c.district OFFSET 0) r3 ON true    --? page_rows and expand.region
ORDER BY p.place, p.id                                                                                           --? sort.region

-- name: list_placements :many
SELECT p.id, p.region_code, p.supervisor_id, p.starts_on, p.starts_on_precision, p.ends_on, p.reason, p.source, p.note,
    p.created_at, p.updated_at
FROM library_placement p
WHERE p.library_id = :id
ORDER BY p.starts_on NULLS FIRST

-- ---- writes ---------------------------------------------------------------------------------------------

-- A caller without national reach may make libraries of the kinds and in the region of the assignment.
-- name: gate_create_library :one
SELECT true AS passed                                                                                            --? not reach
SELECT gate_library_place(:kind, :region_code, :reach.from, :reach.to, :reach.rank) AS passed                    --? reach

-- Its first placement and its facts follow by trigger (db/functions/library.sql).
-- name: create_library :exec
INSERT INTO library (id, npp, name, kind, status, region_code, supervisor_id, address, postal_code, latitude, longitude,
    phone, email, contact_public, website, founded_on, computers, servers, internet_mbps, staff_count, titles, copies,
    digital_titles, applications)
VALUES (:id, :npp, :name, :kind, coalesce(:status, 'active'), :region_code, :supervisor_id, :address, :postal_code,
    :latitude, :longitude, :phone, :email, :contact_public, :website, :founded_on, :computers, :servers, :internet_mbps,
    :staff_count, :titles, :copies, :digital_titles, :applications)

-- Of a change or a closing: the region's writers and those charged with the library itself.
-- name: gate_library :one
SELECT gate_library(:id, :if_match) AS passed                                                                    --? not reach
SELECT gate_library(:id, :if_match, :reach.from, :reach.to, :reach.rank, :reach.libraries) AS passed             --? reach

-- The line of row_version changes nothing; what does is decided by trigger. Being charged with the library alone is
-- not enough for reopening it, as for closing it.
-- name: update_library :exec
UPDATE library SET
    npp = :npp,                                 --? npp
    name = :name,                               --? name
    status = :status,                           --? status
    address = :address,                         --? address
    postal_code = :postal_code,                 --? postal_code
    latitude = :latitude,                       --? latitude
    longitude = :longitude,                     --? longitude
    phone = :phone,                             --? phone
    email = :email,                             --? email
    contact_public = :contact_public,           --? contact_public
    website = :website,                         --? website
    founded_on = :founded_on,                   --? founded_on
    computers = :computers,                     --? computers
    servers = :servers,                         --? servers
    internet_mbps = :internet_mbps,             --? internet_mbps
    staff_count = :staff_count,                 --? staff_count
    titles = :titles,                           --? titles
    copies = :copies,                           --? copies
    digital_titles = :digital_titles,           --? digital_titles
    applications = :applications,               --? applications
    row_version = row_version
WHERE id = :id
  AND CASE WHEN library.status = 'closed' THEN gate_library_place(kind, coalesce(region_now(region_code), region_code), :reach.from, :reach.to, :reach.rank) ELSE true END --? reach and status

-- Closes. Being charged with the library alone is not enough for that.
-- name: delete_library :exec
UPDATE library SET status = 'closed', closed_on = coalesce(:closed_on, today())
WHERE id = :id AND gate_library_open(id)
  AND gate_library_place(kind, region_code, :reach.from, :reach.to, :reach.rank)                                 --? reach

-- A move needs the place it leaves and the place it goes to.
-- name: gate_move_library :one
SELECT gate_library(:id, :if_match) AS passed                                                                    --? not reach
SELECT gate_library(:id, :if_match, :reach.from, :reach.to, :reach.rank, NULL)                                   --? reach
    AND gate_library_place((SELECT l.kind FROM library l WHERE l.id = :id), :region_code, :reach.from, :reach.to, :reach.rank) --? reach and region_code
    AS passed                                                                                                    --? reach

-- What is absent stays as it is; null is no supervisor, or no region.
-- name: move_library :exec
SELECT library_move(
    to_region => :region_code,                                                                                   --? region_code
    keep_region => true,                                                                                         --? not region_code
    to_supervisor => :supervisor_id,                                                                             --? supervisor_id
    keep_supervisor => true,                                                                                     --? not supervisor_id
    moved => :id, effective_on => :effective_on, reason => :reason)

-- ---- identifiers ----------------------------------------------------------------------------------------

-- name: list_identifiers :many
SELECT i.scheme, i.value, i.created_at, i.updated_at
FROM library_identifier i
WHERE i.library_id = :id
ORDER BY i.scheme

-- An identifier that was removed and set again is another one: its version is the moment of its last change, not a count.
-- name: get_identifier :one
SELECT (extract(epoch FROM i.updated_at) * 1000000)::bigint AS "@version", i.scheme, i.value, i.created_at, i.updated_at
FROM library_identifier i
WHERE i.library_id = :id AND i.scheme = :scheme

-- name: gate_identifier :one
SELECT gate_library(:id, NULL)                                                                                   --? not reach
SELECT gate_library(:id, NULL, :reach.from, :reach.to, :reach.rank, :reach.libraries)                            --? reach
    AND gate_identifier(:id, :scheme, :if_match)                                                                 --? if_match
    AS passed

-- name: put_identifier :exec
INSERT INTO library_identifier (library_id, scheme, value) VALUES (:id, :scheme, :value)
ON CONFLICT ON CONSTRAINT library_identifier_pkey DO UPDATE SET value = excluded.value
WHERE library_identifier.value <> excluded.value

-- name: delete_identifier :exec
WITH gone AS (DELETE FROM library_identifier i WHERE i.library_id = :id AND i.scheme = :scheme RETURNING i.scheme)
SELECT refuse('not_found') WHERE NOT EXISTS (SELECT FROM gone)

-- ---- the contact, whether public or not -------------------------------------------------------------------

-- Only those who may write the library read it, and that they did is recorded.
-- name: gate_library_contact :one
SELECT gate_library(:id, NULL) AND audit_read('library', :id) AS passed                                          --? not reach
SELECT gate_library(:id, NULL, :reach.from, :reach.to, :reach.rank, :reach.libraries) AND audit_read('library', :id) AS passed --? reach

-- name: get_library_contact :one
SELECT l.row_version AS "@version", l.phone, l.email, l.contact_public FROM library l WHERE l.id = :id
