-- Phases of programmes; the id of a phase is its slug. Phases whose start nobody published stand first.

-- name: list_phases :many
SELECT coalesce(p.starts_on, '0001-01-01') AS "@starts", p.id, p.id AS slug, p.program_slug AS program, p.name, p.starts_on, p.starts_on_precision, p.ends_on,
    p.ends_on_precision, p.status, p.funding_sources, phase_targets(p.id) AS targets,
    phase_figures(p.id) AS published_figures, p.source, p.note, p.created_at, p.updated_at
FROM phase p
WHERE true
  AND p.program_slug = :program                                                                                      --? program
  AND p.status = ANY (:status)                                                                                       --? status
  AND p.updated_at >= :updated_since                                                                                 --? updated_since
  AND (coalesce(p.starts_on, '0001-01-01'), p.id) > (:key.1, :key.2)                                                 --? cursor and sort.starts_on
  AND (p.updated_at, p.id) > (:key.1, :key.2)                                                                        --? cursor and sort.updated_at
ORDER BY coalesce(p.starts_on, '0001-01-01'), p.id                                                                   --? sort.starts_on
ORDER BY p.updated_at, p.id                                                                                          --? sort.updated_at
LIMIT :page_rows                                                                                                     --? page_rows

-- name: list_program_phases :many
SELECT coalesce(p.starts_on, '0001-01-01') AS "@starts", p.id, p.id AS slug, p.program_slug AS program, p.name, p.starts_on, p.starts_on_precision, p.ends_on,
    p.ends_on_precision, p.status, p.funding_sources, phase_targets(p.id) AS targets,
    phase_figures(p.id) AS published_figures, p.source, p.note, p.created_at, p.updated_at
FROM phase p
WHERE p.program_slug = :slug
  AND (coalesce(p.starts_on, '0001-01-01'), p.id) > (:key.1, :key.2)                                                 --? cursor and sort.starts_on
ORDER BY coalesce(p.starts_on, '0001-01-01'), p.id                                                                   --? sort.starts_on
LIMIT :page_rows                                                                                                     --? page_rows

-- name: get_phase :one
SELECT p.row_version AS "@version", p.id, p.id AS slug, p.program_slug AS program, p.name, p.starts_on, p.starts_on_precision, p.ends_on,
    p.ends_on_precision, p.status, p.funding_sources, phase_targets(p.id) AS targets,
    phase_figures(p.id) AS published_figures, p.source, p.note, p.created_at, p.updated_at
FROM phase p
WHERE p.id = :slug

-- Targets, what is recorded and what was published, never mixed (db/functions/program_progress.sql).
-- name: get_phase_progress :one
SELECT p.id AS phase_id, :within AS within, phase_progress(p.id, :within) AS measures
FROM phase p
WHERE p.id = :slug

-- name: gate_create_phase :one
SELECT true AS passed                                                                                                --? not reach
SELECT gate_nation() AS passed                                                                                       --? reach

-- name: create_phase :exec
WITH made AS (
    INSERT INTO phase (id, program_slug, name, starts_on, starts_on_precision, ends_on, ends_on_precision, status, funding_sources,
        source, note)
    VALUES (:slug, :program, :name, :starts_on, :starts_on_precision, :ends_on, :ends_on_precision, :status, :funding_sources,
        :source, :note)
    RETURNING id
)
SELECT made.id
    , phase_targets_set(made.id, :targets)                                                                           --? targets
    , published_figures_set(:program, made.id, :published_figures)                                                   --? published_figures
FROM made

-- name: gate_phase :one
SELECT gate_phase(:slug, :if_match) AS passed                                                                        --? not reach
SELECT gate_nation() AND gate_phase(:slug, :if_match) AS passed                                                      --? reach

-- name: update_phase :exec
WITH changed AS (
    UPDATE phase SET
    name = :name,                                                                                                    --? name
    starts_on = :starts_on,                                                                                          --? starts_on
    starts_on_precision = :starts_on_precision,                                                                      --? starts_on_precision
    ends_on = :ends_on,                                                                                              --? ends_on
    ends_on_precision = :ends_on_precision,                                                                          --? ends_on_precision
    status = :status,                                                                                                --? status
    funding_sources = :funding_sources,                                                                              --? funding_sources
    source = :source,                                                                                                --? source
    note = :note,                                                                                                    --? note
    row_version = row_version
    WHERE id = :slug RETURNING id, program_slug
)
SELECT changed.id
    , phase_targets_set(changed.id, :targets)                                                                        --? targets
    , published_figures_set(changed.program_slug, changed.id, :published_figures)                                    --? published_figures
FROM changed
