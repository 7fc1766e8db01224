-- Accounts of people. The nation's administrators see all of them; others those in their sight, and the addresses of fewer (s.contact;
-- db/functions/user.sql).

-- Erased accounts come only with deleted=include, as tombstones. E-mail and phone are in no list.
-- name: list_users :many
SELECT u.id, s.username, u.name, u.person_id, u.language, u.status, u.created_at, u.updated_at
    , u.erased_at AS "@deleted_at"                                                                                   --? deleted.include
FROM app_user u
CROSS JOIN LATERAL (SELECT u.username AS username, true AS contact) s                                                --? not reach
CROSS JOIN LATERAL (SELECT username_shown(u, :caller.subject, :reach.from, :reach.to, :reach.libraries) AS username) s--? reach
WHERE true
  AND u.id IN (SELECT users_in_sight(:caller.subject, :reach.from, :reach.to, :reach.libraries))                     --? reach
  AND u.status <> 'erased'                                                                                           --? not deleted.include
  AND u.id IN (SELECT a.user_id FROM assignment a WHERE a.place >= :within AND a.place < :within || '/')             --? within and not reach
  AND u.id IN (SELECT a.user_id FROM assignment a WHERE a.place >= :within AND a.place < :within || '/'              --? within and reach
                 AND (in_reach(a.place, 7, :reach.from, :reach.to, :reach.rank) OR a.library_id = ANY (:reach.libraries)))--? within and reach
  AND u.status = ANY (:status)                                                                                       --? status
  AND s.username = lower(:username)                                                                                       --? username
  AND u.person_id = :person                                                                                          --? person
  AND name_vector(u.name) @@ (SELECT name_query(:q))                                                               --? q
  AND u.updated_at >= :updated_since                                                                                 --? updated_since
  AND u.id > :key.1                                                                                                  --? cursor and sort.id
  AND (u.updated_at, u.id) > (:key.1, :key.2)                                                                        --? cursor and sort.updated_at
ORDER BY u.id                                                                                                        --? sort.id
ORDER BY u.updated_at, u.id                                                                                          --? sort.updated_at
LIMIT :page_rows                                                                                                     --? page_rows

-- name: gate_user_read :one
SELECT gate_user(:id, NULL) AND audit_read('app_user', :id) AS passed                                                --? not reach
SELECT gate_user(:id, NULL) AND gate_user_read(:id, :caller.subject, :reach.from, :reach.to, :reach.libraries) AS passed --? reach

-- Whether the caller may see it, the gate before it said. link.url is there only in the answer of what made the link.
-- name: get_user :one
SELECT u.row_version AS "@version", u.id, s.username, u.name, CASE WHEN s.contact THEN u.email END AS email,
    CASE WHEN s.contact THEN u.phone END AS phone, NOT s.contact AS contact_hidden, u.person_id, u.language, u.status, u.disabled_reason,
    l.kind AS "link.kind", l.delivery AS "link.delivery",
    CASE WHEN l.delivery = 'answer' THEN 'shown' WHEN l.sent_at IS NOT NULL THEN 'sent'
         WHEN l.next_try_at IS NOT NULL THEN 'waiting' WHEN l.user_id IS NOT NULL THEN 'failed' END AS "link.state",
    l.created_at AS "link.created_at", l.sent_at AS "link.sent_at", l.expires_at AS "link.expires_at",
    user_link_shown(u.id) AS "link.url",
    u.created_at, u.updated_at
FROM app_user u
CROSS JOIN LATERAL (SELECT u.username AS username, true AS contact) s                                                --? not reach
CROSS JOIN LATERAL (SELECT username_shown(u, :caller.subject, :reach.from, :reach.to, :reach.libraries) AS username, --? reach
    user_contact_in_sight(u.id, :caller.subject, :reach.from, :reach.to, :reach.libraries) AS contact) s             --? reach
LEFT JOIN user_link l ON l.user_id = u.id
WHERE u.id = :id AND u.status <> 'erased' AND :caller.subject <> ''

-- name: gate_create_user :one
SELECT true AS passed                                                                                                --? not reach
SELECT gate_user_person(:person_id, :reach.from, :reach.to, :reach.rank) AS passed                                   --? reach

-- name: create_user :exec
WITH made AS (
    INSERT INTO app_user (id, username, name, email, phone, person_id, language)
    VALUES (:id, :username, :name, :email, :phone, :person_id, coalesce(:language, 'id'))
    RETURNING id)
SELECT user_link_make(made.id, 'invitation', :delivery, :service.mail, :service.url) FROM made WHERE :caller.subject <> ''

-- name: gate_user :one
SELECT gate_other_account(:id, :caller.user) AND
    gate_user(:id, :if_match)                                                                                        --? not reach
    gate_user(:id, :if_match, :caller.subject, :person_id, :reach.from, :reach.to, :reach.rank, :reach.libraries)    --? reach
    AND gate_user_own(:id, :caller.subject)                                                                          --? reach and email
    AND gate_user_own(:id, :caller.subject)                                                                          --? reach and phone
    AS passed

-- name: update_user :exec
UPDATE app_user SET
    name = :name,                                                                                                    --? name
    email = :email,                                                                                                  --? email
    phone = :phone,                                                                                                  --? phone
    person_id = :person_id,                                                                                          --? person_id
    language = :language,                                                                                            --? language
    row_version = row_version
WHERE id = :id AND :caller.subject <> ''

-- name: gate_user_link :one
SELECT gate_other_account(:id, :caller.user) AND
    gate_user(:id, NULL)                                                                                             --? not reach
    gate_user(:id, NULL, :caller.subject, NULL, :reach.from, :reach.to, :reach.rank, :reach.libraries)               --? reach
    AND gate_user_delivery(:id, :caller.subject, :delivery, :service.mail)                                           --? reach
    AS passed

-- What only the nation does to an account.
-- name: gate_user_nation :one
SELECT gate_other_account(:id, :caller.user) AND
    gate_user(:id, NULL) AS passed                                                                                   --? not reach
    gate_nation() AS passed                                                                                          --? reach

-- name: invite_user :exec
SELECT user_link_make(:id, 'invitation', :delivery, :service.mail, :service.url) WHERE :caller.subject <> ''

-- name: reset_user_password :exec
SELECT user_link_make(:id, 'reset', :delivery, :service.mail, :service.url) WHERE :caller.subject <> ''

-- name: disable_user :exec
SELECT user_disable(:id, :reason) WHERE :caller.subject <> ''

-- name: enable_user :exec
SELECT user_enable(:id) WHERE :caller.subject <> ''

-- name: reset_user_factor :exec
SELECT user_factor_reset(:id) WHERE :caller.subject <> ''

-- name: remove_my_factor :exec
SELECT user_factor_remove(:caller.user)

-- ---- passwords and links (api/handlers/account.c, api/commands_user.c) -----------------------------------------

-- name: change_my_password :exec
SELECT user_password_change(:caller.user, :password.hash, :caller.session)

-- name: user_names :one internal
-- param: user.id uuid
SELECT u.username, u.name FROM app_user u WHERE u.id = :user.id

-- name: user_link_open :many internal
SELECT o.user_id, o.username, o.name, o.language, o.kind FROM user_link_open(:link.token) o

-- used is false when the link is dead, or was used just now.
-- name: user_link_use :one internal
SELECT user_link_use(:link.token, :link.password) AS used

-- name: user_link_mail :many internal
SELECT m.user_id, m.kind, m.token, m.email, m.name, m.username, m.language FROM user_link_mail() m

-- name: user_link_sent :one internal
-- param: user.id uuid
SELECT user_link_sent(:user.id, :link.token) IS NULL AS done

-- name: user_link_failed :one internal
-- param: user.id uuid
SELECT user_link_failed(:user.id, :link.token) IS NULL AS done

-- kinds is an array literal.
-- name: user_mail_due :many internal
SELECT m.id, m.user_id, m.kind, m.email, m.name, m.username, m.language FROM user_mail_due(:mail.kinds::text[]) m

-- name: user_mail_sent :one internal
-- param: mail.id uuid
SELECT user_mail_sent(:mail.id) IS NULL AS done

-- name: user_mail_failed :one internal
-- param: mail.id uuid
SELECT user_mail_failed(:mail.id) IS NULL AS done

-- name: user_create :one internal owner
SELECT c.user_id, c.url
FROM user_create(:user.username, :user.name, :user.email, :user.role, :user.region, :user.library, :user.service) c

-- name: user_reset :one internal owner
SELECT r.user_id, r.url FROM user_reset(:user.username, :user.service) r

-- name: user_disable :one internal owner
SELECT d.id AS user_id, user_disable(d.id, :user.reason) IS NULL AS done FROM user_of_name(:user.username) d(id)

-- name: user_factor_reset :one internal owner
SELECT d.id AS user_id, user_factor_reset(d.id) IS NULL AS done FROM user_of_name(:user.username) d(id)
