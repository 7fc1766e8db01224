-- Who may call: read by auth/, written by `tpbis client create` as the owner.

-- The secrets of one client that are alive: hash is a bytea (\x and hexadecimal digits), NULL when there is none.
-- name: client_secret_hashes :many internal
SELECT c.status, s.hash AS hash, array_to_string(c.allowed_scopes, ' ') AS allowed_scopes
FROM client c
LEFT JOIN client_secret s ON s.client_id = c.id AND (s.expires_at IS NULL OR s.expires_at > now())
WHERE c.id = :client.id
ORDER BY s.created_at DESC

-- What one client may do today: one row an assignment in force; one row with role NULL when there is none.
-- scopes: those of the role that the client is allowed, space separated. A client with an allowed_region reaches no
-- further: the place is what both cover, none where they do not meet, and administration, which knows no place, is not for it.
-- name: principal_assignments :many internal
SELECT c.status, c.allowed_region, c.rate_per_minute, a.role, region_narrowed(a.national, a.region_code, c.allowed_region) AS region_code,
       coalesce(a.national AND c.allowed_region IS NULL, false) AS national, a.library_id, r.rank, false AS needs_factor,
       (SELECT coalesce(string_agg(s.scope, ' ' ORDER BY s.scope), '')
        FROM role_scope s
        WHERE s.role = a.role AND s.scope = ANY (c.allowed_scopes)
          AND (c.allowed_region IS NULL OR s.scope NOT IN ('admin', 'audit:read'))) AS scopes
FROM client c
LEFT JOIN assignment a ON a.client_id = c.id
    AND a.starts_on <= today() AND (a.ends_on IS NULL OR a.ends_on >= today())
LEFT JOIN role r ON r.name = a.role
WHERE c.id = :client.id
ORDER BY a.id

-- The same of a user through a client: what the user is charged with, within what the client is allowed.
-- name: user_assignments :many internal
-- param: user.id uuid
SELECT CASE WHEN c.status = 'active' THEN u.status ELSE c.status END AS status, c.allowed_region, NULL::integer AS rate_per_minute, a.role,
       region_narrowed(a.national, a.region_code, c.allowed_region) AS region_code,
       coalesce(a.national AND c.allowed_region IS NULL, false) AS national, a.library_id, r.rank,
       coalesce(role_needs_factor(a.role), false) AS needs_factor,
       (SELECT coalesce(string_agg(s.scope, ' ' ORDER BY s.scope), '')
        FROM role_scope s
        WHERE s.role = a.role AND s.scope = ANY (c.allowed_scopes)
          AND (c.allowed_region IS NULL OR s.scope NOT IN ('admin', 'audit:read'))) AS scopes
FROM client c
JOIN app_user u ON u.id = :user.id
LEFT JOIN assignment a ON a.user_id = u.id
    AND a.starts_on <= today() AND (a.ends_on IS NULL OR a.ends_on >= today())
LEFT JOIN role r ON r.name = a.role
WHERE c.id = :client.id
ORDER BY a.id

-- Which of these libraries stand in that region.
-- name: libraries_within :many internal
-- param: library.ids uuid_list
SELECT l.id
FROM library l
WHERE l.id = ANY (:library.ids)
  AND l.region_code >= :assignment.region AND l.region_code < :assignment.region || '/'

-- name: insert_client :one internal
-- param: client.redirect_uris json
-- param: client.scopes json
-- The scopes are those that are named, else those of the role that is named. Texts get the form that the API gives them.
INSERT INTO client (name, type, redirect_uris, allowed_scopes, owner_name, owner_email)
VALUES (text_line(:client.name), coalesce(:client.type, 'confidential'), coalesce(text_list(:client.redirect_uris), '{}'),
        coalesce(text_list(:client.scopes),
                 (SELECT array_agg(s.scope ORDER BY s.scope) FROM role_scope s WHERE s.role = :assignment.role)),
        text_line(:client.owner_name), text_line(:client.owner_email))
RETURNING id

-- For emergencies: what the API's operations do, without their gates. One row when there is such a client.
-- name: set_client_status :many internal
UPDATE client SET status = CASE WHEN :client.reason IS NULL THEN 'active' ELSE 'suspended' END, suspended_reason = :client.reason
WHERE id = :client.id
RETURNING id

-- `hash` is SHA-256 of the secret, in hexadecimal digits.
-- name: insert_client_secret :exec internal
INSERT INTO client_secret (client_id, hash) VALUES (:client.id, decode(:secret.hash, 'hex'))

-- Of region and library at most one; neither is Indonesia.
-- name: insert_assignment :one internal
INSERT INTO assignment (client_id, role, national, region_code, library_id)
VALUES (:client.id, :assignment.role,
        nullif(:assignment.region, '') IS NULL AND nullif(:assignment.library, '') IS NULL,
        nullif(:assignment.region, ''), nullif(:assignment.library, '')::uuid)
RETURNING id

-- The API key with that hash, unless it is revoked. Its end is compared at each use: `expires` is Unix time.
-- name: find_api_key :many internal
SELECT k.id, k.client_id, array_to_string(k.scopes, ' ') AS scopes, floor(extract(epoch FROM k.expires_at))::bigint AS expires
FROM api_key k
WHERE k.hash = decode(:secret.hash, 'hex') AND k.revoked_at IS NULL

-- name: api_key_used :one internal
-- param: api_key.ids uuid_list
SELECT api_key_used(:api_key.ids) AS written
