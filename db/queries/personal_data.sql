-- Personal data: what is kept and why, the subject's document, restriction, erasure, requests and purges. Whole documents and the
-- register are the nation's; a region's writers restrict and erase whom they may write.

-- name: list_personal_data_categories :many
SELECT c.code, c.title_id AS "title.id", c.title_en AS "title.en", c.purpose_id AS "purpose.id", c.purpose_en AS "purpose.en",
    c.legal_basis, c.legal_reference, c.retention_months, c.retention_from, c.retention_id AS "retention.id",
    c.retention_en AS "retention.en", c.readers_id AS "readers.id", c.readers_en AS "readers.en", to_jsonb(c.stored_in) AS stored_in,
    c.created_at, c.updated_at
FROM personal_data_category c
WHERE true
  AND c.code > :key.1                                                                                                --? cursor and sort.code
ORDER BY c.code                                                                                                      --? sort.code
LIMIT :page_rows                                                                                                     --? page_rows

-- ---- documents --------------------------------------------------------------------------------------------

-- name: gate_get_person_personal_data :one
SELECT gate_personal_data(NULL, :id, false) AS passed                                                                       --? not reach
SELECT gate_nation() AS passed                                                                                       --? reach

-- name: get_person_personal_data :one
SELECT d.account, d.person, d.requests, d.record, d.categories
FROM personal_data_document(NULL, :id, false) d WHERE :caller.subject IS NOT NULL

-- name: gate_get_user_personal_data :one
SELECT gate_personal_data(:id, NULL, false) AS passed                                                                       --? not reach
SELECT gate_nation() AS passed                                                                                       --? reach

-- name: get_user_personal_data :one
SELECT d.account, d.person, d.requests, d.record, d.categories
FROM personal_data_document(:id, NULL, false) d WHERE :caller.subject IS NOT NULL

-- A client that acts for itself is nobody: there is nothing.
-- name: gate_get_my_personal_data :one
SELECT gate_personal_data(:caller.user, NULL, true) AS passed

-- name: get_my_personal_data :one
SELECT d.account, d.person, d.requests, d.record, d.categories
FROM personal_data_document(:caller.user, NULL, true) d

-- ---- restriction and erasure ------------------------------------------------------------------------------

-- name: gate_restrict_person :one
SELECT gate_person(:id, NULL) AS passed                                                                              --? not reach
SELECT gate_person(:id, NULL, :reach.from, :reach.to, :reach.rank, NULL) AS passed                                   --? reach

-- name: restrict_person :exec
SELECT person_restrict(:id, :kind, :reason, :reference, :received_on, :until)
WHERE true                                                                                                           --? not reach
WHERE cardinality(:reach.from) > 0                                                                                   --? reach

-- name: get_person_restriction :one
SELECT r.row_version AS "@version", r.id, r.kind, r.person_id, r.user_id, r.status, r.reason, r.reference, r.received_on, r.due_at,
    r.until, r.answered_at, r.counts, r.retain_until, r.created_at, r.updated_at
FROM personal_data_request r
WHERE r.person_id = :id AND r.kind IN ('restriction', 'objection') AND r.status = 'done' AND :caller.subject IS NOT NULL

-- name: lift_person_restriction :exec
SELECT person_lift(:id)
WHERE true                                                                                                           --? not reach
WHERE cardinality(:reach.from) > 0                                                                                   --? reach

-- name: gate_person_erasure :one
SELECT gate_person_erasure(:id) AS passed                                                                            --? not reach
SELECT gate_person_erasure(:id, :reach.from, :reach.to, :reach.rank) AS passed                                       --? reach

-- name: erase_person_data :exec
SELECT person_erase(:id, :reason, :reference, :received_on)
WHERE true                                                                                                           --? not reach
WHERE cardinality(:reach.from) > 0                                                                                   --? reach

-- Of an erasure that somebody else made, whoever is not of the nation learns neither reason nor reference: only the nation reads requests.
-- name: get_person_erasure :one
SELECT r.row_version AS "@version", r.id, r.kind, r.person_id, r.user_id, r.status, CASE WHEN s.told THEN r.reason END AS reason,
    CASE WHEN s.told THEN r.reference END AS reference, r.received_on, r.due_at, r.until, r.answered_at, r.counts, r.retain_until,
    r.created_at, r.updated_at
FROM personal_data_request r
CROSS JOIN LATERAL (SELECT true AS told) s                                                                           --? not reach
CROSS JOIN LATERAL (SELECT r.created_by = :caller.subject AS told) s                                                 --? reach
WHERE r.person_id = :id AND r.kind = 'erasure' AND r.counts IS NOT NULL AND :caller.subject IS NOT NULL

-- name: gate_user_erasure :one
SELECT gate_user_erasure(:id, :caller.user) AS passed                                                                --? not reach
SELECT gate_nation() AS passed                                                                                       --? reach

-- name: erase_user_data :exec
SELECT user_erase(:id, :reason, :reference, :received_on)
WHERE true                                                                                                           --? not reach
WHERE cardinality(:reach.from) > 0                                                                                   --? reach

-- name: get_user_erasure :one
SELECT r.row_version AS "@version", r.id, r.kind, r.person_id, r.user_id, r.status, r.reason, r.reference, r.received_on, r.due_at,
    r.until, r.answered_at, r.counts, r.retain_until, r.created_at, r.updated_at
FROM personal_data_request r
WHERE r.user_id = :id AND r.kind = 'erasure' AND r.counts IS NOT NULL AND :caller.subject IS NOT NULL

-- ---- requests ---------------------------------------------------------------------------------------------

-- name: gate_personal_data_nation :one
SELECT true AS passed                                                                                                --? not reach
SELECT gate_nation() AS passed                                                                                       --? reach

-- name: list_personal_data_requests :many
SELECT r.id, r.kind, r.person_id, r.user_id, r.status, r.reason, r.reference, r.received_on, r.due_at, r.until, r.answered_at,
    r.counts, r.retain_until, r.created_at, r.updated_at
FROM personal_data_request r
WHERE :caller.subject IS NOT NULL
  AND r.kind = :kind                                                                                                 --? kind
  AND r.status = :status                                                                                             --? status
  AND r.person_id = :person                                                                                          --? person
  AND r.user_id = :user                                                                                              --? user
  AND r.id > :key.1                                                                                                  --? cursor and sort.id
ORDER BY r.id                                                                                                        --? sort.id
LIMIT :page_rows                                                                                                     --? page_rows

-- name: get_personal_data_request :one
SELECT r.row_version AS "@version", r.id, r.kind, r.person_id, r.user_id, r.status, r.reason, r.reference, r.received_on, r.due_at,
    r.until, r.answered_at, r.counts, r.retain_until, r.created_at, r.updated_at
FROM personal_data_request r
WHERE r.id = :id AND :caller.subject IS NOT NULL

-- name: gate_personal_data_request :one
SELECT gate_personal_data_request(:id, :if_match) AS passed                                                          --? not reach
SELECT gate_nation() AS passed                                                                                       --? reach

-- name: answer_personal_data_request :exec
SELECT personal_data_answer(:id, :status)
WHERE true                                                                                                           --? not reach
WHERE cardinality(:reach.from) > 0                                                                                   --? reach

-- The subject's own.
-- name: gate_my_personal_data_request :one
SELECT gate_personal_data(:caller.user, NULL, true) AS passed

-- name: create_my_personal_data_request :exec
SELECT personal_data_ask(:id, :caller.user, :kind, :reason)

-- name: list_my_personal_data_requests :many
SELECT r.id, r.kind, r.person_id, r.user_id, r.status, r.reason, r.reference, r.received_on, r.due_at, r.until, r.answered_at,
    r.counts, r.retain_until, r.created_at, r.updated_at
FROM personal_data_request r
WHERE r.user_id = :caller.user
  AND r.id > :key.1                                                                                                  --? cursor and sort.id
ORDER BY r.id                                                                                                        --? sort.id
LIMIT :page_rows                                                                                                     --? page_rows

-- name: get_my_personal_data_request :one
SELECT r.row_version AS "@version", r.id, r.kind, r.person_id, r.user_id, r.status, r.reason, r.reference, r.received_on, r.due_at,
    r.until, r.answered_at, r.counts, r.retain_until, r.created_at, r.updated_at
FROM personal_data_request r
WHERE r.id = :id AND r.user_id = :caller.user

-- ---- purges -----------------------------------------------------------------------------------------------

-- name: list_personal_data_purges :many
SELECT p.id, p.run_id, p.category, p.due_count, p.removed_count, p.extended_count, p.failed_count, p.created_at, p.created_at AS updated_at
FROM personal_data_purge p
WHERE :caller.subject IS NOT NULL
  AND p.category = :category                                                                                         --? category
  AND p.id > :key.1                                                                                                  --? cursor and sort.id
ORDER BY p.id                                                                                                        --? sort.id
LIMIT :page_rows                                                                                                     --? page_rows

-- name: purge_personal_data :many internal owner
-- param: keep boolean
SELECT p.category, p.due, p.removed, p.extended, p.failed FROM personal_data_purge(:keep) p
