-- Logging in (auth/login.c).

-- Counts the attempt. wait_s is more than 0 when it comes too early.
-- name: login_attempt :one internal
SELECT a.wait_s, a.wait_bits, a.lane, a.user_id, a.name, a.language, a.hash
FROM login_attempt(:login.username, :login.address, :login.device) a

-- Takes an attempt back; right is 'true' when the password was.
-- name: login_release :one internal
SELECT login_release(:login.username, :login.address, :login.device, :login.right::boolean) IS NULL AS done

-- The browser in which somebody has just logged in.
-- name: login_remember :one internal
SELECT login_remember(:user.id::uuid, :login.device) IS NULL AS done
