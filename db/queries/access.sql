-- Who may call: read by auth/, written by `tpbis client create` as the owner.

-- The secrets of one client that are alive: hash is a bytea (\x and hexadecimal digits), NULL when there is none.
-- name: client_secret_hashes :many internal
SELECT c.status, s.hash AS hash, array_to_string(c.allowed_scopes, ' ') AS allowed_scopes
FROM client c
LEFT JOIN client_secret s ON s.client_id = c.id AND (s.expires_at IS NULL OR s.expires_at > now())
WHERE c.id = :client.id
ORDER BY s.created_at DESC

-- What one client may do today: one row an assignment in force; one row with role NULL when there is none.
-- scopes: those of the role that the client is allowed, space separated.
-- name: principal_assignments :many internal
SELECT c.status, a.role, a.region_code, coalesce(a.national, false) AS national, a.library_id, r.rank,
       (SELECT coalesce(string_agg(s.scope, ' ' ORDER BY s.scope), '')
        FROM role_scope s
        WHERE s.role = a.role AND (c.allowed_scopes IS NULL OR s.scope = ANY (c.allowed_scopes))) AS scopes
FROM client c
LEFT JOIN assignment a ON a.client_id = c.id
    AND a.starts_on <= today() AND (a.ends_on IS NULL OR a.ends_on >= today())
LEFT JOIN role r ON r.name = a.role
WHERE c.id = :client.id
ORDER BY a.id

-- name: insert_client :one internal
INSERT INTO client (name) VALUES (:client.name) RETURNING id

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
