-- Meetings of a team.

-- name: list_team_meetings :many
SELECT g.day AS "@day", g.id, g.kind, g.status, g.planned_for, g.planned_for_precision, g.held_on, g.held_on_precision, g.place, g.region_code, g.agenda,
    g.outcome, g.attendees_count,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('id', o.id, 'name', o.name, 'sector', o.sector) ORDER BY o.name, o.id), '[]')
     FROM team_meeting_organization w JOIN organization o ON o.id = w.organization_id WHERE w.meeting_id = g.id) AS organizations,
    g.commitments, g.origin, g.source, g.created_at, g.updated_at
FROM team_meeting g
WHERE g.team_id = :team_id
  AND g.kind = ANY (:kind)                                                                                         --? kind
  AND g.status = ANY (:status)                                                                                     --? status
  AND g.day >= :from                                                                                               --? from
  AND g.day <= :until                                                                                              --? until
  AND g.updated_at >= :updated_since                                                                               --? updated_since
  AND (g.day, g.id) > (:key.1, :key.2)                                                                             --? cursor and sort.day
  AND (g.updated_at, g.id) > (:key.1, :key.2)                                                                      --? cursor and sort.updated_at
ORDER BY g.day, g.id                                                                                               --? sort.day
ORDER BY g.updated_at, g.id                                                                                        --? sort.updated_at
LIMIT :page_rows                                                                                                   --? page_rows

-- name: get_team_meeting :one
SELECT g.row_version AS "@version", g.day AS "@day", g.id, g.kind, g.status, g.planned_for, g.planned_for_precision, g.held_on, g.held_on_precision, g.place, g.region_code, g.agenda,
    g.outcome, g.attendees_count,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('id', o.id, 'name', o.name, 'sector', o.sector) ORDER BY o.name, o.id), '[]')
     FROM team_meeting_organization w JOIN organization o ON o.id = w.organization_id WHERE w.meeting_id = g.id) AS organizations,
    g.commitments, g.origin, g.source, g.created_at, g.updated_at
FROM team_meeting g
WHERE g.team_id = :team_id AND g.id = :id

-- name: gate_team_work :one
SELECT gate_team(:team_id, NULL) AS passed                                                                       --? not reach
SELECT gate_team(:team_id, NULL, 'work', :reach.from, :reach.to, :reach.rank)                                    --? reach
    AND gate_origin(:origin)                                                                                     --? reach and origin
    AS passed                                                                                                    --? reach

-- name: create_team_meeting :exec
WITH made AS (
    INSERT INTO team_meeting (id, team_id, kind, status, planned_for, planned_for_precision, held_on, held_on_precision, place, region_code, agenda,
        outcome, attendees_count, commitments, origin, source)
    VALUES (:id, :team_id, :kind, :status, :planned_for, :planned_for_precision, :held_on, :held_on_precision, :place, :region_code, :agenda,
        :outcome, :attendees_count, coalesce(:commitments, '[]'), coalesce(:origin, 'recorded'), :source)
    RETURNING id)
SELECT team_meeting_organizations(made.id, :team_id, :organizations) FROM made

-- name: gate_team_meeting :one
SELECT gate_team(:team_id, NULL) AND gate_team_row('meeting', :id, :team_id, :if_match) AS passed                --? not reach
SELECT gate_team(:team_id, NULL, 'work', :reach.from, :reach.to, :reach.rank)                                    --? reach
    AND gate_team_row('meeting', :id, :team_id, :if_match)                                                       --? reach
    AND gate_origin((SELECT g.origin FROM team_meeting g WHERE g.id = :id)) AS passed                            --? reach

-- name: update_team_meeting :exec
WITH changed AS (
    UPDATE team_meeting SET
        kind = :kind,                                                --? kind
        status = :status,                                            --? status
        planned_for = :planned_for,                                  --? planned_for
        planned_for_precision = :planned_for_precision,              --? planned_for_precision
        held_on = :held_on,                                          --? held_on
        held_on_precision = :held_on_precision,                      --? held_on_precision
        place = :place,                                              --? place
        region_code = :region_code,                                  --? region_code
        agenda = :agenda,                                            --? agenda
        outcome = :outcome,                                          --? outcome
        attendees_count = :attendees_count,                          --? attendees_count
        commitments = :commitments,                                  --? commitments
        source = :source,                                            --? source
        row_version = row_version
    WHERE team_id = :team_id AND id = :id
    RETURNING id)
SELECT changed.id
    , team_meeting_organizations(changed.id, :team_id, :organizations)                                           --? organizations
FROM changed
