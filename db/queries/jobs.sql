-- What the jobs of api/jobs.c run. Each answers `done`, how many rows it handled, and `more`, whether it should run again at once;
-- one whose rows may each be refused for what stands in them goes on with the others and answers `failed`, how many were.

-- One process at a time runs a job: true for the one that may, until its transaction ends. How long it may take is for its caller
-- to say, who gives it more time when it needs more than requests have.
-- name: claim_job :one internal
SELECT pg_try_advisory_xact_lock(1953653091, hashtext(:job.name)) AS claimed, set_config('statement_timeout', '0', true) AS "@unlimited"

-- name: purge_oauth :one internal
SELECT p.done, p.more FROM purge_oauth(1000) p

-- name: purge_mail :one internal
SELECT p.done, p.more FROM purge_mail(1000) p

-- name: purge_idempotency :one internal
SELECT p.done, p.more FROM purge_idempotency(1000) p

-- Restrictions of people's data whose last day is over.
-- name: lift_restrictions :one internal
SELECT personal_data_lift_expired()::bigint AS done, false AS more, current_setting('tpbis.job_failed')::bigint AS failed

-- name: purge_rates :one internal
SELECT p.done, p.more FROM purge_rates(1000) p

-- Counts of wrong passwords that time has forgiven.
-- name: purge_login_throttle :one internal
SELECT login_purge() AS done, false AS more
