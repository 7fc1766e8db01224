-- The audit as those see it who may, newest first, and its seals, which anybody may keep.

-- name: list_audit :many
SELECT a.id, a.at, a.actor, a.client_id, a.request_id, a.caller_request_id, a.operation, a.table_name AS "table", a.row_key AS record, a.action,
    nullif(a.place, '') AS region_code, a.before, a.after, a.digest IS NOT NULL AS erased
    , coalesce(u.name, own.name) AS actor_name, c.name AS client_name                                                --? expand.actor
FROM audit a
LEFT JOIN app_user u ON u.id = CASE WHEN a.actor ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN a.actor::uuid END --? expand.actor
LEFT JOIN client own ON own.id = a.actor                                                                             --? expand.actor
LEFT JOIN client c ON c.id = a.client_id                                                                             --? expand.actor
WHERE true
  AND in_reach(a.place, 7, :reach.from, :reach.to, :reach.rank)                                                      --? reach
  AND a.actor = :actor                                                                                               --? actor
  AND a.client_id = :client                                                                                          --? client
  AND a.request_id = :request_id                                                                                     --? request_id
  AND a.operation = :operation                                                                                       --? operation
  AND a.table_name = :table                                                                                          --? table
  AND a.table_name = split_part(:record, ':', 1) AND a.row_key = (SELECT audit_record_key(:record))                  --? record
  AND a.action = ANY (:action)                                                                                       --? action
  AND a.place >= :within AND a.place < :within || '/'                                                                --? within
  AND a.at >= :from                                                                                                  --? from
  AND a.at < :to                                                                                                     --? to
  AND (a.at, a.id) < (:key.1, :key.2)                                                                                --? cursor and sort.at
ORDER BY a.at DESC, a.id DESC                                                                                        --? sort.at
LIMIT :page_rows                                                                                                     --? page_rows

-- name: list_audit_seals :many
SELECT s.number, s.sealed_at, cardinality(s.row_ids) AS rows, s.row_ids[1] AS first_id, s.row_ids[cardinality(s.row_ids)] AS last_id,
    encode(s.previous, 'hex') AS previous, encode(s.hash, 'hex') AS hash
FROM audit_seal s
WHERE true
  AND s.number < :key.1                                                                                              --? cursor and sort.number
ORDER BY s.number DESC                                                                                               --? sort.number
LIMIT :page_rows                                                                                                     --? page_rows

-- The job (api/jobs.c).
-- name: audit_seal :one internal
SELECT s.done, s.more, s.note FROM audit_seal_run(5000) s
