-- People's grants to apps (auth/oauth.c, auth/grant.c).

-- name: oauth_key :one internal
SELECT encode(k.key, 'hex') AS key FROM oauth_key k

-- One client as the pages and the token endpoint need it: no row when it is unknown. redirect_uris is a JSON array.
-- name: oauth_client :one internal
SELECT c.id, c.name, c.type, c.status, c.owner_name, c.homepage, to_json(c.redirect_uris)::text AS redirect_uris,
       array_to_string(c.allowed_scopes, ' ') AS allowed_scopes
FROM client c
WHERE c.id = :client.id

-- Who is logged in with that cookie, what they hold, and what they agreed to before; age in seconds.
-- name: login_session_find :one internal
SELECT u.id AS user_id, u.name, u.username, u.language, floor(extract(epoch FROM now() - s.created_at))::bigint AS age,
       (SELECT array_to_string(c.scopes, ' ') FROM oauth_consent c
        WHERE c.user_id = u.id AND c.client_id = :client.id) AS consented,
       'mfa' = ANY (s.amr) AS two_factors, f.factor_id, f.needed, f.codes_kept, f.codes_left
FROM login_session s
JOIN app_user u ON u.id = s.user_id
CROSS JOIN LATERAL user_factor_state(u.id) f
WHERE s.hash = decode(:session.hash, 'hex') AND s.expires_at > now() AND u.status = 'active'

-- name: login_session_begin :one internal
SELECT login_session_begin(decode(:session.hash, 'hex'), :user.id::uuid, :session.seconds::integer) IS NULL AS done

-- name: login_session_end :one internal
SELECT login_session_end(decode(:session.hash, 'hex')) IS NULL AS done

-- name: oauth_code_issue :one internal
SELECT oauth_code_issue(decode(:code.hash, 'hex'), decode(:session.hash, 'hex'), :user.id::uuid, :client.id, :code.redirect_uri,
                        :code.challenge, string_to_array(:grant.scopes, ' '), :code.seconds::integer,
                        :consent.remember::boolean, :login.address) AS issued

-- name: oauth_code_redeem :one internal
SELECT r.outcome, r.user_id, r.scopes, l.auth_time, l.amr
FROM oauth_code_redeem(decode(:code.hash, 'hex'), :client.id, :code.redirect_uri, :code.challenge, :grant.id::uuid,
                       decode(:refresh.hash, 'hex'), :refresh.idle::integer, :refresh.longest::integer) r
CROSS JOIN LATERAL oauth_grant_login(:grant.id::uuid, r.outcome) l

-- name: oauth_refresh_use :one internal
SELECT r.outcome, r.user_id, r.scopes, encode(r.sealed, 'hex') AS sealed, l.auth_time, l.amr
FROM oauth_refresh_use(:grant.id::uuid, decode(:refresh.presented, 'hex'), :client.id, string_to_array(:grant.scopes, ' '),
                       decode(:refresh.hash, 'hex'), decode(:refresh.sealed, 'hex'), :refresh.idle::integer, :refresh.racing::integer,
                       :login.address) r
CROSS JOIN LATERAL oauth_grant_login(:grant.id::uuid, r.outcome) l

-- name: oauth_refresh_revoke :one internal
SELECT oauth_refresh_revoke(:grant.id::uuid, :client.id) AS revoked

-- name: oauth_token_revoke :one internal
SELECT oauth_token_revoke(:token.id::uuid) IS NULL AS done

-- A refresh token as RFC 7662 shows it: the row when it is in force, none otherwise.
-- name: oauth_refresh_show :one internal
SELECT g.user_id, g.client_id, u.username, array_to_string(g.scopes, ' ') AS scopes,
       floor(extract(epoch FROM g.created_at))::bigint AS issued, floor(extract(epoch FROM r.expires_at))::bigint AS expires,
       floor(extract(epoch FROM g.authenticated_at))::bigint AS auth_time, array_to_string(g.amr, ' ') AS amr
FROM oauth_grant g
JOIN oauth_refresh r ON r.grant_id = g.id
JOIN app_user u ON u.id = g.user_id
JOIN client c ON c.id = g.client_id
WHERE g.id = :grant.id::uuid AND r.hash = decode(:refresh.presented, 'hex') AND r.expires_at > now() AND g.expires_at > now()
  AND u.status = 'active' AND c.status = 'active' AND NOT EXISTS (SELECT FROM oauth_revocation o WHERE o.id = g.id)

-- name: oauth_username :one internal
SELECT u.username FROM app_user u WHERE u.id = :user.id::uuid

-- Everything revoked that an access token may still name: the longest of them lives an hour.
-- name: oauth_revocations :many internal
SELECT r.id FROM oauth_revocation r WHERE r.created_at > now() - interval '2 hours' ORDER BY r.id
