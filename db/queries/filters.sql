-- What a filter refers to (x-refers in the contract): which of the values name nothing that it could find. A row for each of
-- these; successors is NULL where nothing of that name is on record, and else what took its place, '' for nothing.

-- A region in force, or on record for who asks about the past or about what is gone.
-- name: refers_region :many internal
-- param: references.region text_list
SELECT w.code AS value, CASE WHEN r.code IS NOT NULL THEN array_to_string(ARRAY(SELECT jsonb_array_elements_text(r.successors)), ', ') END AS successors
FROM unnest(:references.region) w(code)
LEFT JOIN region r ON r.code = w.code
WHERE r.code IS NULL
   OR r.valid_to < today()                                                                                            --? not as_of and not deleted.include

-- A region of any time: what is recorded of the past keeps its code.
-- name: refers_region_ever :many internal
-- param: references.region_ever text_list
SELECT w.code AS value, NULL AS successors
FROM unnest(:references.region_ever) w(code) WHERE NOT EXISTS (SELECT FROM region r WHERE r.code = w.code)

-- name: refers_program :many internal
-- param: references.program text_list
SELECT w.slug AS value, NULL AS successors
FROM unnest(:references.program) w(slug) WHERE NOT EXISTS (SELECT FROM program p WHERE p.slug = w.slug)

-- name: refers_phase :many internal
-- param: references.phase text_list
SELECT w.id AS value, NULL AS successors
FROM unnest(:references.phase) w(id) WHERE NOT EXISTS (SELECT FROM phase p WHERE p.id = w.id)

-- name: refers_library :many internal
-- param: references.library uuid_list
SELECT w.id AS value, NULL AS successors
FROM unnest(:references.library) w(id) WHERE NOT EXISTS (SELECT FROM library l WHERE l.id = w.id)

-- name: refers_team :many internal
-- param: references.team uuid_list
SELECT w.id AS value, NULL AS successors
FROM unnest(:references.team) w(id) WHERE NOT EXISTS (SELECT FROM team t WHERE t.id = w.id)

-- name: refers_organization :many internal
-- param: references.organization uuid_list
SELECT w.id AS value, NULL AS successors
FROM unnest(:references.organization) w(id) WHERE NOT EXISTS (SELECT FROM organization o WHERE o.id = w.id)

-- name: refers_replication :many internal
-- param: references.replication uuid_list
SELECT w.id AS value, NULL AS successors
FROM unnest(:references.replication) w(id) WHERE NOT EXISTS (SELECT FROM replication r WHERE r.id = w.id)

-- name: refers_personal_data_category :many internal
-- param: references.personal_data_category text_list
SELECT w.code AS value, NULL AS successors
FROM unnest(:references.personal_data_category) w(code) WHERE NOT EXISTS (SELECT FROM personal_data_category c WHERE c.code = w.code)

-- Of the record of what was done: a table that is there, or was.
-- name: refers_table :many internal
-- param: references.table text_list
SELECT w.name AS value, NULL AS successors
FROM unnest(:references.table) w(name)
WHERE to_regclass('public.' || w.name) IS NULL AND NOT EXISTS (SELECT FROM audit a WHERE a.table_name = w.name)

-- name: refers_client :many internal
-- param: references.client text_list
SELECT w.id AS value, NULL AS successors
FROM unnest(:references.client) w(id)
WHERE NOT EXISTS (SELECT FROM client c WHERE c.id = w.id) AND NOT EXISTS (SELECT FROM audit a WHERE a.client_id = w.id)

-- An operation of the contract, or a name under which something was done: of an operation that is gone, a job or a migration.
-- name: refers_operation :many internal
-- param: references.operation text_list
SELECT w.name AS value, NULL AS successors
FROM unnest(:references.operation) w(name)
WHERE NOT w.name = ANY (:contract.operations) AND NOT EXISTS (SELECT FROM audit a WHERE a.operation = w.name)
