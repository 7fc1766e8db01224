-- Programmes and their phases, with what was aimed at and what the programme published about itself.
CREATE TABLE program (
    slug                  text COLLATE "C" NOT NULL,
    name                  text COLLATE "C" NOT NULL,
    description           text,
    started_on            date,
    started_on_precision  text,
    ended_on              date,
    ended_on_precision    text,
    legal_basis           jsonb NOT NULL DEFAULT '[]', -- texts
    sdgs                  jsonb NOT NULL DEFAULT '[]', -- numbers of the Sustainable Development Goals
    note                  text,
    source                text,
    parts_version         bigint NOT NULL DEFAULT 0,  -- counts changes of organizations and figures
    row_version           bigint NOT NULL DEFAULT 1,
    created_at            timestamptz NOT NULL DEFAULT now(),
    updated_at            timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT program_pkey PRIMARY KEY (slug),
    CONSTRAINT program_slug_check CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(slug) <= 64),
    CONSTRAINT program_name_check CHECK (btrim(name) <> '' AND length(name) <= 300),
    CONSTRAINT program_description_check CHECK (btrim(description) <> '' AND length(description) <= 4000),
    CONSTRAINT program_period_check CHECK (isfinite(started_on) AND isfinite(ended_on) AND started_on <= ended_on),
    CONSTRAINT program_started_on_precision_check CHECK (started_on_precision IN ('day', 'month', 'year', 'unknown')),
    CONSTRAINT program_ended_on_precision_check CHECK (ended_on_precision IN ('day', 'month', 'year', 'unknown')),
    CONSTRAINT program_legal_basis_check CHECK (jsonb_typeof(legal_basis) = 'array'),
    CONSTRAINT program_sdgs_check CHECK (jsonb_typeof(sdgs) = 'array'),
    CONSTRAINT program_note_check CHECK (btrim(note) <> '' AND length(note) <= 4000),
    CONSTRAINT program_source_check CHECK (btrim(source) <> '' AND length(source) <= 2048)
);
CREATE INDEX program_updated_at_idx ON program (updated_at, slug);
SELECT audit_attach('program', '{slug}', '{}', '{row_version,updated_at,parts_version}');

-- Partners and funders.
CREATE TABLE program_organization (
    program_slug     text COLLATE "C" NOT NULL,
    organization_id  uuid NOT NULL,
    role             text COLLATE "C" NOT NULL,
    created_at       timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT program_organization_pkey PRIMARY KEY (program_slug, organization_id, role),
    CONSTRAINT program_organization_program_slug_fkey FOREIGN KEY (program_slug) REFERENCES program (slug),
    CONSTRAINT program_organization_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization (id),
    CONSTRAINT program_organization_role_check CHECK (btrim(role) <> '' AND length(role) <= 100)
);
CREATE INDEX program_organization_organization_idx ON program_organization (organization_id);
SELECT audit_attach('program_organization', '{program_slug,organization_id,role}');

-- The id of a phase is its slug (tpbis-2019).
CREATE TABLE phase (
    id                   text COLLATE "C" NOT NULL,
    program_slug         text COLLATE "C" NOT NULL,
    name                 text COLLATE "C" NOT NULL,
    starts_on            date,
    starts_on_precision  text,
    ends_on              date,
    ends_on_precision    text,
    status               text COLLATE "C" NOT NULL DEFAULT 'planned',
    funding_sources      jsonb NOT NULL DEFAULT '[]', -- values of funding.source
    note                 text,
    source               text,
    parts_version        bigint NOT NULL DEFAULT 0, -- counts changes of targets and figures
    row_version          bigint NOT NULL DEFAULT 1,
    created_at           timestamptz NOT NULL DEFAULT now(),
    updated_at           timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT phase_pkey PRIMARY KEY (id),
    CONSTRAINT phase_program_slug_fkey FOREIGN KEY (program_slug) REFERENCES program (slug),
    CONSTRAINT phase_id_check CHECK (id ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(id) <= 64),
    CONSTRAINT phase_name_check CHECK (btrim(name) <> '' AND length(name) <= 300),
    CONSTRAINT phase_period_check CHECK (isfinite(starts_on) AND isfinite(ends_on) AND starts_on <= ends_on),
    CONSTRAINT phase_starts_on_precision_check CHECK (starts_on_precision IN ('day', 'month', 'year', 'unknown')),
    CONSTRAINT phase_ends_on_precision_check CHECK (ends_on_precision IN ('day', 'month', 'year', 'unknown')),
    CONSTRAINT phase_status_check CHECK (status IN ('planned', 'open', 'closed')),
    CONSTRAINT phase_funding_sources_check CHECK (jsonb_typeof(funding_sources) = 'array'),
    CONSTRAINT phase_note_check CHECK (btrim(note) <> '' AND length(note) <= 4000),
    CONSTRAINT phase_source_check CHECK (btrim(source) <> '' AND length(source) <= 2048)
);
CREATE INDEX phase_order_idx ON phase (coalesce(starts_on, '0001-01-01'), id);
CREATE INDEX phase_program_idx ON phase (program_slug, coalesce(starts_on, '0001-01-01'), id);
CREATE INDEX phase_status_idx ON phase (status, coalesce(starts_on, '0001-01-01'), id);
CREATE INDEX phase_updated_at_idx ON phase (updated_at, id);
SELECT audit_attach('phase', '{id}', '{}', '{row_version,updated_at,parts_version}');

-- A measure is a name; those that the service computes itself are listed in db/functions/program_progress.sql
-- (provinces, regencies, villages, libraries, provincial_libraries, regency_libraries, village_libraries, tbm, replications,
-- people_trained, facilitators_trained, facilitators_certified, managers_trained, staff_trained).
CREATE TABLE phase_target (
    phase_id    text COLLATE "C" NOT NULL,
    measure     text COLLATE "C" NOT NULL,
    value       double precision NOT NULL,
    note        text,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT phase_target_pkey PRIMARY KEY (phase_id, measure),
    CONSTRAINT phase_target_phase_id_fkey FOREIGN KEY (phase_id) REFERENCES phase (id),
    CONSTRAINT phase_target_measure_check CHECK (measure ~ '^[a-z][a-z0-9_]{1,63}$'),
    CONSTRAINT phase_target_value_check CHECK (value >= 0 AND value < 'Infinity'),
    CONSTRAINT phase_target_note_check CHECK (btrim(note) <> '' AND length(note) <= 4000)
);
SELECT audit_attach('phase_target', '{phase_id,measure}');

-- What the programme published before or beside this system: kept as printed, contradictions too, and never mixed with
-- what is computed here. Of a phase, or (phase_id NULL) of the programme as a whole.
CREATE TABLE published_figure (
    id               uuid NOT NULL DEFAULT uuidv7(),
    program_slug     text COLLATE "C" NOT NULL,
    phase_id         text COLLATE "C",
    measure          text COLLATE "C" NOT NULL,
    value            double precision NOT NULL,
    unit             text COLLATE "C" NOT NULL,  -- libraries, people, activities, ...
    scope            text,                       -- what was counted, in words
    region_code      text COLLATE "C",           -- NULL: the nation
    as_of            date,
    as_of_precision  text,
    source           text NOT NULL,
    note             text,
    number           bigint GENERATED ALWAYS AS IDENTITY, -- their order within a day
    created_at       timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT published_figure_pkey PRIMARY KEY (id),
    CONSTRAINT published_figure_program_slug_fkey FOREIGN KEY (program_slug) REFERENCES program (slug),
    CONSTRAINT published_figure_phase_id_fkey FOREIGN KEY (phase_id) REFERENCES phase (id),
    CONSTRAINT published_figure_region_code_fkey FOREIGN KEY (region_code) REFERENCES region (code),
    CONSTRAINT published_figure_measure_check CHECK (measure ~ '^[a-z][a-z0-9_]{1,63}$'),
    CONSTRAINT published_figure_value_check CHECK (value >= 0 AND value < 'Infinity'),
    CONSTRAINT published_figure_unit_check CHECK (btrim(unit) <> '' AND length(unit) <= 60),
    CONSTRAINT published_figure_scope_check CHECK (btrim(scope) <> '' AND length(scope) <= 1000),
    CONSTRAINT published_figure_as_of_check CHECK (isfinite(as_of)),
    CONSTRAINT published_figure_as_of_precision_check CHECK (as_of_precision IN ('day', 'month', 'year', 'unknown')),
    CONSTRAINT published_figure_source_check CHECK (btrim(source) <> '' AND length(source) <= 2048),
    CONSTRAINT published_figure_note_check CHECK (btrim(note) <> '' AND length(note) <= 4000)
);
CREATE INDEX published_figure_phase_idx ON published_figure (phase_id, measure);
CREATE INDEX published_figure_program_idx ON published_figure (program_slug);
CREATE INDEX published_figure_region_idx ON published_figure (region_code);
SELECT audit_attach('published_figure', '{id}');
