-- Organizations and people. Contacts are read by the contact statements alone, in the caller's reach, and that they were is
-- recorded. A person who is not published is shown only to those in whose reach the person works.

-- name: list_organizations :many
SELECT o.id, o.name, o.sector, o.region_code, o.website, o.created_at, o.updated_at
    , r.code AS "region.code", r.name AS "region.name", r.type AS "region.type"                                      --? expand.region
    , r1.code AS "region.province.code", r1.name AS "region.province.name", r1.type AS "region.province.type"        --? expand.region
    , r2.code AS "region.regency.code", r2.name AS "region.regency.name", r2.type AS "region.regency.type"           --? expand.region
    , r3.code AS "region.district.code", r3.name AS "region.district.name", r3.type AS "region.district.type"        --? expand.region
    , r4.code AS "region.village.code", r4.name AS "region.village.name", r4.type AS "region.village.type"           --? expand.region
FROM organization o
LEFT JOIN region r ON r.code = o.region_code                                                                         --? expand.region
LEFT JOIN region r1 ON r1.code = left(o.region_code, 2) AND length(o.region_code) >= 2                               --? expand.region
LEFT JOIN region r2 ON r2.code = left(o.region_code, 5) AND length(o.region_code) >= 5                               --? expand.region
LEFT JOIN region r3 ON r3.code = left(o.region_code, 8) AND length(o.region_code) >= 8                               --? expand.region
LEFT JOIN region r4 ON r4.code = left(o.region_code, 13) AND length(o.region_code) >= 13                             --? expand.region
WHERE true
  AND o.place >= :within AND o.place < :within || '/'                                                                --? within
  AND o.sector = ANY (:sector)                                                                                       --? sector
  AND name_vector(o.name) @@ (SELECT name_query(:q))                                                               --? q
  AND o.updated_at >= :updated_since                                                                                 --? updated_since
  AND (o.name, o.id) > (:key.1, :key.2)                                                                              --? cursor and sort.name
  AND (o.updated_at, o.id) > (:key.1, :key.2)                                                                        --? cursor and sort.updated_at
ORDER BY o.name, o.id                                                                                                --? sort.name
ORDER BY o.updated_at, o.id                                                                                          --? sort.updated_at
LIMIT :page_rows                                                                                                     --? page_rows

-- name: get_organization :one
SELECT o.row_version AS "@version", o.id, o.name, o.sector, o.region_code, o.website, o.created_at, o.updated_at
    , r.code AS "region.code", r.name AS "region.name", r.type AS "region.type"                                      --? expand.region
    , r1.code AS "region.province.code", r1.name AS "region.province.name", r1.type AS "region.province.type"        --? expand.region
    , r2.code AS "region.regency.code", r2.name AS "region.regency.name", r2.type AS "region.regency.type"           --? expand.region
    , r3.code AS "region.district.code", r3.name AS "region.district.name", r3.type AS "region.district.type"        --? expand.region
    , r4.code AS "region.village.code", r4.name AS "region.village.name", r4.type AS "region.village.type"           --? expand.region
FROM organization o
LEFT JOIN region r ON r.code = o.region_code                                                                         --? expand.region
LEFT JOIN region r1 ON r1.code = left(o.region_code, 2) AND length(o.region_code) >= 2                               --? expand.region
LEFT JOIN region r2 ON r2.code = left(o.region_code, 5) AND length(o.region_code) >= 5                               --? expand.region
LEFT JOIN region r3 ON r3.code = left(o.region_code, 8) AND length(o.region_code) >= 8                               --? expand.region
LEFT JOIN region r4 ON r4.code = left(o.region_code, 13) AND length(o.region_code) >= 13                             --? expand.region
WHERE o.id = :id

-- name: gate_create_organization :one
SELECT true AS passed                                                                                                --? not reach
SELECT gate_area(:region_code, NULL, :reach.from, :reach.to, :reach.rank) AS passed                                  --? reach

-- name: create_organization :exec
INSERT INTO organization (id, name, sector, region_code, website)
VALUES (:id, :name, :sector, :region_code, :website)

-- An organization is moved to another region by whoever writes both.
-- name: gate_organization :one
SELECT gate_organization(:id, :if_match) AS passed                                                                   --? not reach
SELECT gate_organization(:id, :if_match, :reach.from, :reach.to, :reach.rank)                                        --? reach
    AND gate_area(:region_code, NULL, :reach.from, :reach.to, :reach.rank)                                           --? reach and region_code
    AS passed                                                                                                        --? reach

-- name: update_organization :exec
UPDATE organization SET
    name = :name,                                                                                                    --? name
    sector = :sector,                                                                                                --? sector
    region_code = :region_code,                                                                                      --? region_code
    website = :website,                                                                                              --? website
    row_version = row_version
WHERE id = :id

-- name: gate_organization_contact :one
SELECT gate_organization(:id, NULL) AND audit_read('organization_contact', :id) AS passed                            --? not reach
SELECT gate_organization(:id, NULL, :reach.from, :reach.to, :reach.rank) AND audit_read('organization_contact', :id) AS passed --? reach

-- name: get_organization_contact :one
SELECT coalesce((extract(epoch FROM c.updated_at) * 1000000)::bigint, 0) AS "@version", c.phone, c.email, c.address, c.purpose, c.legal_basis, c.collected_at, c.retain_until, c.created_at, c.updated_at
FROM organization o LEFT JOIN organization_contact c ON c.organization_id = o.id
WHERE o.id = :id
  AND in_reach(o.place, 6, :reach.from, :reach.to, :reach.rank)                                                      --? reach

-- name: current_organization_contact :one
SELECT coalesce((extract(epoch FROM c.updated_at) * 1000000)::bigint, 0) AS "@version", c.organization_id IS NOT NULL AS "@exists"
FROM organization o LEFT JOIN organization_contact c ON c.organization_id = o.id
WHERE o.id = :id

-- name: gate_put_organization_contact :one
SELECT gate_organization(:id, NULL) AS passed                                                                        --? not reach
SELECT gate_organization(:id, NULL, :reach.from, :reach.to, :reach.rank) AS passed                                   --? reach

-- name: put_organization_contact :exec
INSERT INTO organization_contact (organization_id, phone, email, address, purpose, legal_basis, retain_until)
SELECT :id, :phone, :email, :address, :purpose, :legal_basis, :retain_until
WHERE true                                                                                                           --? not reach
WHERE cardinality(:reach.from) > 0                                                                                   --? reach
ON CONFLICT ON CONSTRAINT organization_contact_pkey DO UPDATE
SET phone = excluded.phone, email = excluded.email, address = excluded.address, purpose = excluded.purpose,
    legal_basis = excluded.legal_basis, collected_at = excluded.collected_at, retain_until = excluded.retain_until

-- name: delete_organization_contact :exec
DELETE FROM organization_contact c WHERE c.organization_id = :id
  AND cardinality(:reach.from) > 0                                                                                   --? reach

-- ---- people ---------------------------------------------------------------------------------------------

-- Erased people come only with deleted=include, as tombstones.
-- name: list_people :many
SELECT p.id, p.name, p.position, p.organization_id, p.library_id, p.region_code, p.published,
    p.restricted_at IS NOT NULL AS restricted, p.created_at, p.updated_at
    , o.id AS "organization.id", o.name AS "organization.name", o.sector AS "organization.sector"                    --? expand.organization
    , l.id AS "library.id", l.name AS "library.name", l.kind AS "library.kind", l.region_code AS "library.region_code" --? expand.library
    , p.erased_at AS "@deleted_at"                                                                                   --? deleted.include
FROM person p
LEFT JOIN organization o ON o.id = p.organization_id                                                                 --? expand.organization
LEFT JOIN library l ON l.id = p.library_id                                                                           --? expand.library
WHERE true
  AND p.erased_at IS NULL                                                                                            --? not deleted.include
  AND may_know_person(p.place, p.published, p.library_id, :reach.from, :reach.to, :reach.rank, :reach.libraries)     --? reach
  AND p.place >= :within AND p.place < :within || '/'                                                                --? within
  AND p.organization_id = :organization                                                                              --? organization
  AND p.library_id = :library                                                                                        --? library
  AND name_vector(p.name) @@ (SELECT name_query(:q))                                                               --? q
  AND p.updated_at >= :updated_since                                                                                 --? updated_since
  AND p.id > :key.1                                                                                                  --? cursor and sort.id
  AND (p.updated_at, p.id) > (:key.1, :key.2)                                                                        --? cursor and sort.updated_at
ORDER BY p.id                                                                                                        --? sort.id
ORDER BY p.updated_at, p.id                                                                                          --? sort.updated_at
LIMIT :page_rows                                                                                                     --? page_rows

-- name: get_person :one
SELECT p.row_version AS "@version", p.id, p.name, p.position, p.organization_id, p.library_id, p.region_code, p.published,
    p.restricted_at IS NOT NULL AS restricted, p.created_at, p.updated_at
    , o.id AS "organization.id", o.name AS "organization.name", o.sector AS "organization.sector"                    --? expand.organization
    , l.id AS "library.id", l.name AS "library.name", l.kind AS "library.kind", l.region_code AS "library.region_code" --? expand.library
FROM person p
LEFT JOIN organization o ON o.id = p.organization_id                                                                 --? expand.organization
LEFT JOIN library l ON l.id = p.library_id                                                                           --? expand.library
WHERE p.id = :id AND p.erased_at IS NULL
  AND may_know_person(p.place, p.published, p.library_id, :reach.from, :reach.to, :reach.rank, :reach.libraries)     --? reach

-- name: gate_create_person :one
SELECT true AS passed                                                                                                --? not reach
SELECT gate_person_place(:region_code, :library_id, :organization_id, :reach.from, :reach.to, :reach.rank) AS passed --? reach

-- name: create_person :exec
INSERT INTO person (id, name, position, organization_id, library_id, region_code)
VALUES (:id, :name, :position, :organization_id, :library_id, :region_code)

-- A person moves to another region by whoever writes both.
-- name: gate_person :one
SELECT gate_person(:id, :if_match) AS passed                                                                         --? not reach
SELECT gate_person(:id, :if_match, :reach.from, :reach.to, :reach.rank, NULL)                                        --? reach
    AND gate_area(:region_code, NULL, :reach.from, :reach.to, :reach.rank)                                           --? reach and region_code
    AND gate_person_place(NULL, :library_id, NULL, :reach.from, :reach.to, :reach.rank)                              --? reach and library_id
    AS passed                                                                                                        --? reach

-- name: update_person :exec
UPDATE person SET
    name = :name,                                                                                                    --? name
    position = :position,                                                                                            --? position
    organization_id = :organization_id,                                                                              --? organization_id
    library_id = :library_id,                                                                                        --? library_id
    region_code = :region_code,                                                                                      --? region_code
    row_version = row_version
WHERE id = :id

-- name: gate_erase_person :one
SELECT gate_person(:id, :if_match) AS passed                                                                         --? not reach
SELECT gate_person(:id, :if_match, :reach.from, :reach.to, :reach.rank, NULL) AS passed                              --? reach

-- What the person was named, and the contact, are gone; counts and decrees stand.
-- name: erase_person :exec
UPDATE person SET erased_at = now() WHERE id = :id

-- Of somebody whose data are restricted nothing is shown, not even that there is something.
-- name: gate_person_contact :one
SELECT gate_person(:id, NULL)                                                                                        --? not reach
SELECT gate_person_contact(:id, :reach.from, :reach.to, :reach.rank, :reach.libraries)                               --? reach
    AND person_restricted_refuse(:id) AND audit_read('person_contact', :id) AS passed

-- name: get_person_contact :one
SELECT coalesce((extract(epoch FROM c.updated_at) * 1000000)::bigint, 0) AS "@version", c.phone, c.email, c.address, c.purpose, c.legal_basis, c.collected_at, c.retain_until, c.created_at, c.updated_at
FROM person p LEFT JOIN person_contact c ON c.person_id = p.id
WHERE p.id = :id
  AND person_contact_in_reach(p.id, :reach.from, :reach.to, :reach.rank, :reach.libraries)                           --? reach

-- name: current_person_contact :one
SELECT coalesce((extract(epoch FROM c.updated_at) * 1000000)::bigint, 0) AS "@version", c.person_id IS NOT NULL AS "@exists"
FROM person p LEFT JOIN person_contact c ON c.person_id = p.id
WHERE p.id = :id

-- name: gate_put_person_contact :one
SELECT gate_person(:id, NULL) AS passed                                                                              --? not reach
SELECT gate_person(:id, NULL, :reach.from, :reach.to, :reach.rank, NULL) AS passed                                   --? reach

-- name: put_person_contact :exec
INSERT INTO person_contact (person_id, phone, email, address, purpose, legal_basis, retain_until)
SELECT :id, :phone, :email, :address, :purpose, :legal_basis, :retain_until
WHERE true                                                                                                           --? not reach
WHERE cardinality(:reach.from) > 0                                                                                   --? reach
ON CONFLICT ON CONSTRAINT person_contact_pkey DO UPDATE
SET phone = excluded.phone, email = excluded.email, address = excluded.address, purpose = excluded.purpose,
    legal_basis = excluded.legal_basis, collected_at = excluded.collected_at, retain_until = excluded.retain_until

-- name: delete_person_contact :exec
DELETE FROM person_contact c WHERE c.person_id = :id
  AND cardinality(:reach.from) > 0                                                                                   --? reach
