-- Statements of the engine itself.

-- Claims an id that the client brought with its POST, before anything is written under it. outcome:
-- 'new', or 'same' when this caller already sent this very request; anything else is refused as id_taken.
-- The digest, of path and body, is hexadecimal.
-- name: claim_id :one internal
SELECT claim_id(:id, :caller.subject, :claim.operation, decode(:claim.digest, 'hex')) AS outcome

-- Whether the caller may know each record that the body names (api/references.c).
-- name: check_references :one internal
SELECT check_references(:references, :caller.subject) AS passed

-- Can a request be served now?
-- name: ready :one internal
SELECT 1 AS ready

-- Which schema is there; compared once with what the binary needs.
-- name: schema_recorded :many internal
SELECT name, checksum FROM schema_migration

-- Idempotency-Key (api/idempotency.c): hashes in hexadecimal digits. answer: NULL where nothing was kept.
-- name: claim_idempotency :one internal
-- param: idempotency.wait_ms integer
SELECT claim_idempotency(:caller.subject, :caller.client, decode(:idempotency.key, 'hex'), :idempotency.operation,
                         decode(:idempotency.fingerprint, 'hex'), decode(:idempotency.reach, 'hex'),
                         :idempotency.wait_ms) AS answer

-- name: find_idempotency :one internal
SELECT find_idempotency(:caller.subject, :caller.client, decode(:idempotency.key, 'hex'), :idempotency.operation,
                        decode(:idempotency.fingerprint, 'hex'), decode(:idempotency.reach, 'hex')) AS answer

-- name: keep_idempotency :one internal
SELECT keep_idempotency(:caller.subject, :caller.client, decode(:idempotency.key, 'hex'),
                        decode(:idempotency.answer, 'hex')) AS kept

-- Rate limits (api/limit.c): keys in hexadecimal digits, thousandths of requests.
-- name: settle_rates :many internal
-- param: rate.keys text_list
-- param: rate.spent integer_list
-- param: rate.quotas integer_list
SELECT s.key, s.tokens FROM settle_rates(:rate.keys, :rate.spent, :rate.quotas) s
