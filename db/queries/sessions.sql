-- Logins of people in apps, in force: their own, and everybody's for administrators of the whole nation.

-- name: list_my_sessions :many
SELECT g.id, c.id AS "client.id", c.name AS "client.name", to_json(g.scopes) AS scopes, g.created_at, coalesce(r.rotated_at, g.created_at) AS last_used_at,
    r.expires_at, g.network::text AS network, coalesce(g.id = :caller.session, false) AS current
FROM oauth_grant g
JOIN oauth_refresh r ON r.grant_id = g.id AND r.expires_at > now()
JOIN client c ON c.id = g.client_id
WHERE g.user_id = :caller.user AND NOT EXISTS (SELECT FROM oauth_revocation o WHERE o.id = g.id)
  AND g.id > :key.1                                                                                                  --? cursor and sort.id
ORDER BY g.id                                                                                                        --? sort.id
LIMIT :page_rows                                                                                                     --? page_rows

-- name: gate_my_session :one
SELECT gate_session(:id, :caller.user) AS passed

-- name: end_my_session :exec
SELECT user_session_end(:id, :caller.user, 'ended by the user')

-- name: gate_user_sessions :one
SELECT true AS passed FROM app_user u WHERE u.id = :user_id AND u.status <> 'erased' AND :caller.subject <> ''         --? not reach
SELECT gate_nation() AS passed                                                                                       --? reach

-- name: list_user_sessions :many
SELECT g.id, c.id AS "client.id", c.name AS "client.name", to_json(g.scopes) AS scopes, g.created_at, coalesce(r.rotated_at, g.created_at) AS last_used_at,
    r.expires_at, g.network::text AS network, coalesce(g.id = :caller.session, false) AS current
FROM oauth_grant g
JOIN oauth_refresh r ON r.grant_id = g.id AND r.expires_at > now()
JOIN client c ON c.id = g.client_id
WHERE g.user_id = :user_id AND NOT EXISTS (SELECT FROM oauth_revocation o WHERE o.id = g.id)
  AND g.id > :key.1                                                                                                  --? cursor and sort.id
  AND false                                                                                                          --? reach
ORDER BY g.id                                                                                                        --? sort.id
LIMIT :page_rows                                                                                                     --? page_rows

-- name: gate_user_session :one
SELECT gate_other_account(:user_id, :caller.user) AND
    gate_user(:user_id, NULL) AND gate_session(:id, :user_id) AS passed                                              --? not reach
    gate_nation() AS passed                                                                                          --? reach

-- name: end_user_session :exec
SELECT user_session_end(:id, :user_id, 'ended by an administrator') WHERE :caller.subject <> ''
