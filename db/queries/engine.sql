-- Statements of the engine itself.

-- Claims an id that the client brought with its POST, before anything is written under it. outcome:
-- 'new', or 'same' when this caller already sent this very body; anything else is refused as id_taken.
-- The digest is hexadecimal.
-- name: claim_id :one internal
SELECT claim_id(:id, :caller.subject, :claim.operation, decode(:claim.digest, 'hex')) AS outcome

-- Can a request be served now?
-- name: ready :one internal
SELECT 1 AS ready

-- Which schema is there; compared once with what the binary needs.
-- name: schema_recorded :many internal
SELECT name, checksum FROM schema_migration
