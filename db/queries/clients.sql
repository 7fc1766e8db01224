-- Clients, their secrets and API keys, for administrators of the whole nation. Contacts of owners stand only in the single client,
-- whose reads go on record. Secrets and keys are made before the statements (x-prepare): these get their hash, never their text.

-- name: list_clients :many
SELECT c.id, c.name, c.type, c.status, c.suspended_reason, c.homepage, to_json(c.redirect_uris) AS redirect_uris,
    to_json(c.allowed_scopes) AS allowed_scopes, c.allowed_region, c.rate_per_minute, c.terms_version, c.terms_accepted_at,
    coalesce(c.terms_version = :terms.version, :terms.version IS NULL) AS terms_current, c.created_at, c.updated_at
FROM client c
WHERE true
  AND c.type = :type                                                                                                 --? type
  AND c.status = :status                                                                                             --? status
  AND coalesce(c.terms_version = :terms.version, :terms.version IS NULL) = :terms_current                            --? terms_current
  AND c.updated_at >= :updated_since                                                                                 --? updated_since
  AND false                                                                                                          --? reach
  AND c.id > :key.1                                                                                                  --? cursor and sort.id
  AND (c.updated_at, c.id) > (:key.1, :key.2)                                                                        --? cursor and sort.updated_at
ORDER BY c.id                                                                                                        --? sort.id
ORDER BY c.updated_at, c.id                                                                                          --? sort.updated_at
LIMIT :page_rows                                                                                                     --? page_rows

-- name: gate_get_client :one
SELECT true AS passed WHERE client_read(:client_id)                                                                  --? not reach
SELECT gate_nation() AS passed                                                                                       --? reach

-- name: get_client :one
SELECT c.row_version AS "@version", c.id, c.name, c.type, c.status, c.suspended_reason, c.owner_name, c.owner_email, c.homepage,
    to_json(c.redirect_uris) AS redirect_uris, to_json(c.allowed_scopes) AS allowed_scopes, c.allowed_region, c.rate_per_minute, c.terms_version,
    c.terms_accepted_at, coalesce(c.terms_version = :terms.version, :terms.version IS NULL) AS terms_current, c.created_at,
    c.updated_at
FROM client c
WHERE c.id = :client_id
  AND false                                                                                                          --? reach

-- name: gate_create_client :one
SELECT gate_terms(:terms_version, :terms.version) AS passed                                                          --? not reach
SELECT gate_nation() AS passed                                                                                       --? reach

-- A confidential client gets its first secret with it.
-- name: create_client :exec
WITH made AS (
    INSERT INTO client (id, name, type, owner_name, owner_email, homepage, redirect_uris, allowed_scopes, allowed_region,
        rate_per_minute, terms_version, terms_accepted_at)
    SELECT client_id_of(:id), :name, :type, :owner_name, :owner_email, :homepage, coalesce(text_list(:redirect_uris), '{}'),
        text_list(:allowed_scopes), :allowed_region, :rate_per_minute, :terms_version, CASE WHEN :terms_version IS NOT NULL THEN now() END
    WHERE true
      AND false                                                                                                      --? reach
    RETURNING id)
SELECT client_secret_first(m.id, :secret.hash) FROM made m

-- The client just made.
-- name: get_client_made :one
SELECT c.row_version AS "@version", c.id, c.name, c.type, c.status, c.suspended_reason, c.owner_name, c.owner_email, c.homepage,
    to_json(c.redirect_uris) AS redirect_uris, to_json(c.allowed_scopes) AS allowed_scopes, c.allowed_region, c.rate_per_minute, c.terms_version,
    c.terms_accepted_at, coalesce(c.terms_version = :terms.version, :terms.version IS NULL) AS terms_current, c.created_at,
    c.updated_at
FROM client c
WHERE c.id = client_id_of(:id)
  AND false                                                                                                          --? reach

-- name: gate_client :one
SELECT gate_client(:client_id, :if_match) AS passed                                                                  --? not reach
SELECT gate_nation() AS passed                                                                                       --? reach

-- name: update_client :exec
UPDATE client SET
    name = :name,                                                                                                    --? name
    owner_name = :owner_name,                                                                                        --? owner_name
    owner_email = :owner_email,                                                                                      --? owner_email
    homepage = :homepage,                                                                                            --? homepage
    redirect_uris = text_list(:redirect_uris),                                                                       --? redirect_uris
    allowed_scopes = text_list(:allowed_scopes),                                                                     --? allowed_scopes
    allowed_region = :allowed_region,                                                                                --? allowed_region
    rate_per_minute = :rate_per_minute,                                                                              --? rate_per_minute
    terms_version = :terms_version, terms_accepted_at = now(),                                                       --? terms_version
    row_version = row_version
WHERE id = :client_id
  AND gate_terms(:terms_version, :terms.version)                                                                     --? terms_version
  AND false                                                                                                          --? reach

-- name: gate_suspend_client :one
SELECT gate_client_status(:client_id, 'suspended') AS passed                                                         --? not reach
SELECT gate_nation() AS passed                                                                                       --? reach

-- name: suspend_client :exec
UPDATE client SET status = 'suspended', suspended_reason = :reason
WHERE id = :client_id
  AND false                                                                                                          --? reach

-- name: gate_reinstate_client :one
SELECT gate_client_status(:client_id, 'active') AS passed                                                            --? not reach
SELECT gate_nation() AS passed                                                                                       --? reach

-- name: reinstate_client :exec
UPDATE client SET status = 'active', suspended_reason = NULL
WHERE id = :client_id
  AND false                                                                                                          --? reach

-- ---- secrets ------------------------------------------------------------------------------------------------------

-- name: client_exists :one
SELECT true AS found FROM client c WHERE c.id = :client_id                                                           --? not reach
SELECT gate_nation() AS found                                                                                        --? reach

-- name: list_client_secrets :many
SELECT s.id, s.created_at, s.expires_at
FROM client_secret s
WHERE s.client_id = :client_id
  AND false                                                                                                          --? reach
ORDER BY s.id

-- name: gate_client_parts :one
SELECT gate_client(:client_id, NULL) AS passed                                                                       --? not reach
SELECT gate_nation() AS passed                                                                                       --? reach

-- Those that have ended make room.
-- name: create_client_secret :exec
WITH ended AS (
    DELETE FROM client_secret s WHERE s.client_id = :client_id AND s.expires_at <= now())
INSERT INTO client_secret (id, client_id, hash, expires_at)
SELECT :id, :client_id, decode(:secret.hash, 'hex'), :expires_at
WHERE true
  AND false                                                                                                          --? reach

-- name: get_client_secret :one
SELECT s.id, s.created_at, s.expires_at
FROM client_secret s
WHERE s.id = :id AND s.client_id = :client_id
  AND false                                                                                                          --? reach

-- name: gate_delete_client_secret :one
SELECT gate_client_secret(:client_id, :id) AS passed                                                                 --? not reach
SELECT gate_nation() AS passed                                                                                       --? reach

-- name: delete_client_secret :exec
DELETE FROM client_secret s WHERE s.id = :id AND s.client_id = :client_id
  AND false                                                                                                          --? reach

-- ---- API keys -----------------------------------------------------------------------------------------------------

-- name: list_api_keys :many
SELECT k.id, k.name, k.hint, to_json(k.scopes) AS scopes, k.created_at, k.expires_at, k.revoked_at, u.last_used_on
FROM api_key k
LEFT JOIN api_key_use u ON u.api_key_id = k.id
WHERE k.client_id = :client_id
  AND false                                                                                                          --? reach
  AND k.id > :key.1                                                                                                  --? cursor and sort.id
ORDER BY k.id                                                                                                        --? sort.id
LIMIT :page_rows                                                                                                     --? page_rows

-- name: create_api_key :exec
INSERT INTO api_key (id, client_id, name, hash, hint, scopes, expires_at)
SELECT :id, :client_id, :name, decode(:secret.hash, 'hex'), :secret.hint, coalesce(text_list(:scopes), '{published:read}'), :expires_at
WHERE true
  AND false                                                                                                          --? reach

-- name: get_api_key :one
SELECT k.id, k.name, k.hint, to_json(k.scopes) AS scopes, k.created_at, k.expires_at, k.revoked_at,
    u.last_used_on
FROM api_key k
LEFT JOIN api_key_use u ON u.api_key_id = k.id
WHERE k.id = :id AND k.client_id = :client_id
  AND false                                                                                                          --? reach

-- name: gate_revoke_api_key :one
SELECT gate_api_key(:client_id, :id) AS passed                                                                       --? not reach
SELECT gate_nation() AS passed                                                                                       --? reach

-- name: revoke_api_key :exec
UPDATE api_key SET revoked_at = now() WHERE id = :id AND client_id = :client_id AND revoked_at IS NULL
  AND false                                                                                                          --? reach
