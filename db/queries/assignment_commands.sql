-- What `tpbis assignment` does as the owner, in an emergency. The rules of db/functions/assignment.sql hold for it, those of delegation do not.

-- `holder` is a user's id or name to log in with, or a client's id. Of region and library at most one; neither is Indonesia.
-- name: command_assignment_create :one internal owner
INSERT INTO assignment (user_id, client_id, role, national, region_code, library_id, ends_on)
SELECT u.id, CASE WHEN u.id IS NULL THEN :command.holder END, :command.role,
       nullif(:command.region, '') IS NULL AND nullif(:command.library, '') IS NULL,
       nullif(:command.region, ''), nullif(:command.library, '')::uuid, nullif(:command.until, '')::date
FROM (VALUES (0)) AS one
LEFT JOIN app_user u ON u.id::text = :command.holder OR u.username = :command.holder
RETURNING id, coalesce(user_id::text, client_id) AS holder, role, starts_on, ends_on

-- Ends what is not over: one by its id, or all of a holder.
-- name: command_assignment_end :many internal owner
UPDATE assignment a SET ends_on = greatest(today(), a.starts_on) - 1
WHERE (a.id::text = :command.assignment OR a.client_id = :command.holder
       OR a.user_id IN (SELECT u.id FROM app_user u WHERE u.id::text = :command.holder OR u.username = :command.holder))
  AND (a.ends_on IS NULL OR a.ends_on >= greatest(today(), a.starts_on))
RETURNING a.id, coalesce(a.user_id::text, a.client_id) AS holder, a.role, a.starts_on, a.ends_on
