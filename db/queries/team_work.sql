-- The work plan and the funding of a team.

-- name: list_team_work_plan :many
SELECT w.due AS "@due", w.id, w.title, w.kind, w.due_on, w.due_on_precision, w.status, w.responsible_member_id, w.result, w.source,
    w.created_at, w.updated_at
FROM team_work_plan w
WHERE w.team_id = :team_id
  AND w.kind = ANY (:kind)                                                                                         --? kind
  AND w.status = ANY (:status)                                                                                     --? status
  AND w.due < :due_before                                                                                          --? due_before
  AND w.updated_at >= :updated_since                                                                               --? updated_since
  AND (w.due, w.id) > (:key.1, :key.2)                                                                             --? cursor and sort.due_on
  AND (w.updated_at, w.id) > (:key.1, :key.2)                                                                      --? cursor and sort.updated_at
ORDER BY w.due, w.id                                                                                               --? sort.due_on
ORDER BY w.updated_at, w.id                                                                                        --? sort.updated_at
LIMIT :page_rows                                                                                                   --? page_rows

-- name: get_team_task :one
SELECT w.row_version AS "@version", w.due AS "@due", w.id, w.title, w.kind, w.due_on, w.due_on_precision, w.status, w.responsible_member_id, w.result, w.source,
    w.created_at, w.updated_at
FROM team_work_plan w
WHERE w.team_id = :team_id AND w.id = :id

-- name: create_team_task :exec
INSERT INTO team_work_plan (id, team_id, title, kind, due_on, due_on_precision, status, responsible_member_id, result, source)
VALUES (:id, :team_id, :title, :kind, :due_on, :due_on_precision, :status, :responsible_member_id, :result, :source)

-- name: gate_team_task :one
SELECT gate_team(:team_id, NULL) AND gate_team_row('work_plan', :id, :team_id, :if_match) AS passed              --? not reach
SELECT gate_team(:team_id, NULL, 'work', :reach.from, :reach.to, :reach.rank)                                    --? reach
    AND gate_team_row('work_plan', :id, :team_id, :if_match) AS passed                                           --? reach

-- name: update_team_task :exec
UPDATE team_work_plan SET
    title = :title,                                  --? title
    kind = :kind,                                    --? kind
    due_on = :due_on,                                --? due_on
    due_on_precision = :due_on_precision,            --? due_on_precision
    status = :status,                                --? status
    responsible_member_id = :responsible_member_id,  --? responsible_member_id
    result = :result,                                --? result
    source = :source,                                --? source
    row_version = row_version
WHERE team_id = :team_id AND id = :id

-- ---- funding: its note is for those in whose reach the team is -------------------------------------------------

-- name: list_team_funding :many
SELECT f.id, f.year, f.source, f.form, f.amount, f.organization_id, f.created_at, f.updated_at
    , f.note                                                                                                     --? not reach
    , CASE WHEN team_in_reach((SELECT t.region_code FROM team t WHERE t.id = f.team_id), 'work', :reach.from, :reach.to, :reach.rank) --? reach
           THEN f.note END AS note                                                                               --? reach
FROM team_funding f
WHERE f.team_id = :team_id
  AND f.year = :year                                                                                               --? year
  AND f.source = :source                                                                                           --? source
  AND f.updated_at >= :updated_since                                                                               --? updated_since
  AND (f.year, f.id) > (:key.1, :key.2)                                                                            --? cursor and sort.year
  AND (f.updated_at, f.id) > (:key.1, :key.2)                                                                      --? cursor and sort.updated_at
ORDER BY f.year, f.id                                                                                              --? sort.year
ORDER BY f.updated_at, f.id                                                                                        --? sort.updated_at
LIMIT :page_rows                                                                                                   --? page_rows

-- name: get_team_funding :one
SELECT f.row_version AS "@version", f.id, f.year, f.source, f.form, f.amount, f.organization_id, f.created_at, f.updated_at
    , f.note                                                                                                     --? not reach
    , CASE WHEN team_in_reach((SELECT t.region_code FROM team t WHERE t.id = f.team_id), 'work', :reach.from, :reach.to, :reach.rank) --? reach
           THEN f.note END AS note                                                                               --? reach
FROM team_funding f
WHERE f.team_id = :team_id AND f.id = :id

-- name: create_team_funding :exec
INSERT INTO team_funding (id, team_id, year, source, form, amount, organization_id, note)
VALUES (:id, :team_id, :year, :source, :form, :amount, :organization_id, :note)

-- name: gate_team_funding :one
SELECT gate_team(:team_id, NULL) AND gate_team_row('funding', :id, :team_id, :if_match) AS passed                --? not reach
SELECT gate_team(:team_id, NULL, 'basis', :reach.from, :reach.to, :reach.rank)                                   --? reach
    AND gate_team_row('funding', :id, :team_id, :if_match) AS passed                                             --? reach

-- name: update_team_funding :exec
UPDATE team_funding SET
    year = :year,                        --? year
    source = :source,                    --? source
    form = :form,                        --? form
    amount = :amount,                    --? amount
    organization_id = :organization_id,  --? organization_id
    note = :note,                        --? note
    row_version = row_version
WHERE team_id = :team_id AND id = :id
