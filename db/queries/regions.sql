-- Regions. Names are collated by code point, so that a row comparison pages them without losing one.

-- With q its words are looked up first (OFFSET 0), whatever order is asked for.
-- A code that is no longer in force comes only with as_of, or with deleted=include as a tombstone.
-- name: list_regions :many
SELECT r.code, r.name, r.level, r.type, r.parent_code, r.valid_from, r.valid_to, r.successors, r.created_at, r.updated_at
    , CASE WHEN r.valid_to < today() THEN (r.valid_to + 1)::timestamp AT TIME ZONE 'Asia/Jakarta' END AS "@deleted_at" --? deleted.include and not as_of
FROM region r                                                                       --? not q
FROM (SELECT w.code, w.name, w.level, w.type, w.parent_code, w.valid_from, w.valid_to, w.successors, w.created_at, w.updated_at --? q
      FROM region w WHERE name_vector(w.name) @@ (SELECT name_query(:q)) OFFSET 0) r --? q
WHERE true
  AND (r.valid_to IS NULL OR r.valid_to >= today())                                 --? not as_of and not deleted.include
  AND (r.valid_from IS NULL OR r.valid_from <= :as_of)                              --? as_of
  AND (r.valid_to IS NULL OR r.valid_to >= :as_of)                                  --? as_of
  AND r.parent_code = :parent                                                       --? parent
  AND r.level = :level                                                              --? level
  AND r.type = :type                                                                --? type
  AND r.code >= :within AND r.code < :within || '/'                                 --? within
  AND r.updated_at >= :updated_since                                                --? updated_since
  AND r.code > :key.1                                                               --? cursor and sort.code
  AND (r.name, r.code) > (:key.1, :key.2)                                           --? cursor and sort.name
  AND (r.updated_at, r.code) > (:key.1, :key.2)                                     --? cursor and sort.updated_at
ORDER BY r.code                                                                     --? sort.code
ORDER BY r.name, r.code                                                             --? sort.name
ORDER BY r.updated_at, r.code                                                       --? sort.updated_at
LIMIT :page_rows                                                                    --? page_rows

-- name: get_region :one
SELECT r.row_version AS "@version",
    r.code, r.name, r.level, r.type, r.parent_code, r.valid_from, r.valid_to, r.successors, r.created_at, r.updated_at
FROM region r
WHERE r.code = :code
