-- The caller: who it is, and what it may do where and until when. Nothing here is about anybody else.

-- name: get_me :one
SELECT coalesce((SELECT u.row_version FROM app_user u WHERE u.id = :caller.user), 0) AS "@version", :caller.subject AS subject, CASE WHEN :caller.user IS NULL THEN 'client' ELSE 'user' END AS kind,
    CASE WHEN 'account:read' = ANY (:caller.scopes) THEN me_account(:caller.user)
         ELSE (me_account(:caller.user)::jsonb || '{"username": null, "email": null, "phone": null, "person_id": null}')::json END AS "user",
    c.id AS "client.id", c.name AS "client.name", c.allowed_region AS "client.allowed_region",
    array_to_json(:caller.scopes) AS scopes,
    (SELECT coalesce(json_agg(json_build_object('id', a.id, 'role', a.role, 'national', a.national, 'region_code', a.region_code,
            'region_name', g.name, 'library_id', a.library_id, 'library_name', l.name, 'starts_on', a.starts_on, 'ends_on', a.ends_on,
            'in_force', a.starts_on <= :today,
            'scopes', (SELECT coalesce(json_agg(s.scope ORDER BY s.scope), '[]') FROM role_scope s
                       WHERE s.role = a.role AND (a.starts_on > :today OR s.scope = ANY (:caller.scopes)))) ORDER BY a.id), '[]')
     FROM (SELECT own.id, own.role, own.national, own.region_code, own.library_id, own.starts_on, own.ends_on FROM assignment own
           WHERE (own.user_id = :caller.user OR own.client_id = CASE WHEN :caller.user IS NULL THEN :caller.client END)
             AND (own.ends_on IS NULL OR own.ends_on >= greatest(:today, own.starts_on))
           ORDER BY own.id LIMIT 1000) a
     LEFT JOIN region g ON g.code = a.region_code
     LEFT JOIN library l ON l.id = a.library_id) AS assignments
FROM client c
WHERE c.id = :caller.client

-- A client that acts for itself has no account.
-- name: gate_me :one
SELECT gate_user(:caller.user, :if_match) AS passed

-- name: update_me :exec
UPDATE app_user SET
    name = :name,              --? name
    email = :email,            --? email
    phone = :phone,            --? phone
    language = :language,      --? language
    row_version = row_version
WHERE id = :caller.user

-- What api/handlers/me.c asks for GET /v1/me/can.
-- name: me_can :one internal
-- param: can.needed text_list
-- param: can.held boolean
-- param: can.library uuid
-- param: can.national boolean
SELECT me_can(:can.operation, :can.rule, :can.needed, :can.held, :can.region, :can.library, :caller.subject, :caller.client, :can.national,
    :reach.from, :reach.to, :reach.rank, :reach.libraries) AS answer
