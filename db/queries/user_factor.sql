-- The second factor at the login pages (auth/factor.c), and its end.

-- name: user_factor_secret :many internal
-- param: user.id uuid
SELECT encode(f.secret, 'hex') AS secret, f.key_id FROM user_factor_secret(:user.id) f

-- Counts a guess. wait_s is more than 0 when it comes too early.
-- name: user_factor_attempt :one internal
-- param: user.id uuid
SELECT user_factor_attempt(:user.id) AS wait_s

-- name: user_factor_enter :one internal
-- param: user.id uuid
SELECT user_factor_enter(decode(:session.hash, 'hex'), :user.id, :factor.step::bigint) AS done

-- name: user_factor_recover :one internal
-- param: user.id uuid
SELECT user_factor_recover(decode(:session.hash, 'hex'), :user.id, decode(:factor.code, 'hex')) AS done

-- Codes are hexadecimal digits, separated by blanks.
-- name: user_factor_set_up :one internal
-- param: user.id uuid
SELECT user_factor_set_up(decode(:session.hash, 'hex'), :user.id, :factor.before::uuid, decode(:factor.secret, 'hex'), :factor.key,
                          :factor.step::bigint, ARRAY(SELECT decode(c, 'hex') FROM unnest(string_to_array(:factor.codes, ' ')) c)) AS done

-- name: user_recovery_codes_renew :one internal
-- param: user.id uuid
SELECT user_recovery_codes_renew(decode(:session.hash, 'hex'), :user.id,
                                 ARRAY(SELECT decode(c, 'hex') FROM unnest(string_to_array(:factor.codes, ' ')) c)) AS done

-- name: user_recovery_codes_keep :one internal
-- param: user.id uuid
SELECT user_recovery_codes_keep(decode(:session.hash, 'hex'), :user.id) AS done
