-- Programmes. Their organizations and published figures are lists of the row, replaced whole by a write.

-- name: list_programs :many
SELECT p.slug, p.name, p.description, p.started_on, p.started_on_precision, p.ended_on,
    p.ended_on_precision, program_organizations(p.slug) AS organizations, p.legal_basis, p.sdgs,
    program_figures(p.slug) AS published_figures, p.source, p.note, p.created_at, p.updated_at
FROM program p
WHERE true
  AND p.updated_at >= :updated_since                                                                                 --? updated_since
  AND p.slug > :key.1                                                                                                --? cursor and sort.slug
  AND (p.updated_at, p.slug) > (:key.1, :key.2)                                                                      --? cursor and sort.updated_at
ORDER BY p.slug                                                                                                      --? sort.slug
ORDER BY p.updated_at, p.slug                                                                                        --? sort.updated_at
LIMIT :page_rows                                                                                                     --? page_rows

-- name: get_program :one
SELECT p.row_version AS "@version", p.slug, p.name, p.description, p.started_on, p.started_on_precision, p.ended_on,
    p.ended_on_precision, program_organizations(p.slug) AS organizations, p.legal_basis, p.sdgs,
    program_figures(p.slug) AS published_figures, p.source, p.note, p.created_at, p.updated_at
FROM program p
WHERE p.slug = :slug

-- The read gate of everything below one programme.
-- name: program_exists :one
SELECT true AS found FROM program p WHERE p.slug = :slug

-- name: gate_create_program :one
SELECT true AS passed                                                                                                --? not reach
SELECT gate_nation() AS passed                                                                                       --? reach

-- name: create_program :exec
WITH made AS (
    INSERT INTO program (slug, name, description, started_on, started_on_precision, ended_on, ended_on_precision, legal_basis, sdgs,
        source, note)
    VALUES (:slug, :name, :description, :started_on, :started_on_precision, :ended_on, :ended_on_precision, :legal_basis, :sdgs,
        :source, :note)
    RETURNING slug
)
SELECT made.slug
    , program_organizations_set(made.slug, :organizations)                                                           --? organizations
    , published_figures_set(made.slug, NULL, :published_figures)                                                     --? published_figures
FROM made

-- name: gate_program :one
SELECT gate_program(:slug, :if_match) AS passed                                                                      --? not reach
SELECT gate_nation() AND gate_program(:slug, :if_match) AS passed                                                    --? reach

-- name: update_program :exec
WITH changed AS (
    UPDATE program SET
    name = :name,                                                                                                    --? name
    description = :description,                                                                                      --? description
    started_on = :started_on,                                                                                        --? started_on
    started_on_precision = :started_on_precision,                                                                    --? started_on_precision
    ended_on = :ended_on,                                                                                            --? ended_on
    ended_on_precision = :ended_on_precision,                                                                        --? ended_on_precision
    legal_basis = :legal_basis,                                                                                      --? legal_basis
    sdgs = :sdgs,                                                                                                    --? sdgs
    source = :source,                                                                                                --? source
    note = :note,                                                                                                    --? note
    row_version = row_version
    WHERE slug = :slug RETURNING slug
)
SELECT changed.slug
    , program_organizations_set(changed.slug, :organizations)                                                        --? organizations
    , published_figures_set(changed.slug, NULL, :published_figures)                                                  --? published_figures
FROM changed
