-- What a team does: meetings, its work plan, and the money for it.
CREATE TABLE team_meeting (
    id                     uuid NOT NULL DEFAULT uuidv7(),
    team_id                uuid NOT NULL,
    kind                   text COLLATE "C" NOT NULL,
    status                 text COLLATE "C" NOT NULL DEFAULT 'planned',
    planned_for            date,
    planned_for_precision  text,
    held_on                date,
    held_on_precision      text,
    day                    date NOT NULL GENERATED ALWAYS AS (coalesce(held_on, planned_for, '0001-01-01')) STORED,
    place                  text COLLATE "C",
    region_code            text COLLATE "C",
    agenda                 text,
    outcome                text,
    attendees_count        integer,
    commitments            jsonb NOT NULL DEFAULT '[]', -- [{text, due_on, done_on}]
    origin                 text COLLATE "C" NOT NULL DEFAULT 'recorded', -- or historical, with its source
    source                 text,
    organizations_version  bigint NOT NULL DEFAULT 0, -- a change of who was there is a change of the meeting
    row_version            bigint NOT NULL DEFAULT 1,
    created_at             timestamptz NOT NULL DEFAULT now(),
    updated_at             timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT team_meeting_pkey PRIMARY KEY (id),
    CONSTRAINT team_meeting_team_id_fkey FOREIGN KEY (team_id) REFERENCES team (id),
    CONSTRAINT team_meeting_region_code_fkey FOREIGN KEY (region_code) REFERENCES region (code),
    CONSTRAINT team_meeting_kind_check CHECK (kind IN ('internal', 'audience', 'stakeholder')),
    CONSTRAINT team_meeting_status_check CHECK (status IN ('planned', 'held', 'cancelled')),
    CONSTRAINT team_meeting_dates_check CHECK (isfinite(planned_for) AND isfinite(held_on) AND isfinite(day)),
    CONSTRAINT team_meeting_held_check CHECK (status = 'held' OR held_on IS NULL),
    CONSTRAINT team_meeting_planned_for_precision_check CHECK (planned_for_precision IN ('day', 'month', 'year', 'unknown')),
    CONSTRAINT team_meeting_held_on_precision_check CHECK (held_on_precision IN ('day', 'month', 'year', 'unknown')),
    CONSTRAINT team_meeting_place_check CHECK (btrim(place) <> '' AND length(place) <= 300),
    CONSTRAINT team_meeting_agenda_check CHECK (btrim(agenda) <> '' AND length(agenda) <= 4000),
    CONSTRAINT team_meeting_outcome_check CHECK (btrim(outcome) <> '' AND length(outcome) <= 4000),
    CONSTRAINT team_meeting_attendees_count_check CHECK (attendees_count >= 0),
    CONSTRAINT team_meeting_commitments_check CHECK (jsonb_typeof(commitments) = 'array'),
    CONSTRAINT team_meeting_origin_check CHECK (origin IN ('recorded', 'historical')),
    CONSTRAINT team_meeting_historical_check CHECK (CASE origin WHEN 'historical' THEN source IS NOT NULL
        ELSE CASE status WHEN 'held' THEN held_on IS NOT NULL WHEN 'planned' THEN planned_for IS NOT NULL ELSE true END
             AND coalesce(held_on_precision, 'day') = 'day' END),
    CONSTRAINT team_meeting_source_check CHECK (btrim(source) <> '' AND length(source) <= 2048)
);
CREATE INDEX team_meeting_day_idx ON team_meeting (team_id, day, id);
CREATE INDEX team_meeting_kind_idx ON team_meeting (team_id, kind, status, held_on);
CREATE INDEX team_meeting_region_idx ON team_meeting (region_code);
CREATE INDEX team_meeting_updated_at_idx ON team_meeting (team_id, updated_at, id);
SELECT audit_attach('team_meeting', '{id}', '{}', '{row_version,updated_at,day,organizations_version}');

CREATE TABLE team_meeting_organization (
    meeting_id       uuid NOT NULL,
    organization_id  uuid NOT NULL,
    created_at       timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT team_meeting_organization_pkey PRIMARY KEY (meeting_id, organization_id),
    CONSTRAINT team_meeting_organization_meeting_id_fkey FOREIGN KEY (meeting_id) REFERENCES team_meeting (id),
    CONSTRAINT team_meeting_organization_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization (id)
);
CREATE INDEX team_meeting_organization_organization_idx ON team_meeting_organization (organization_id);
SELECT audit_attach('team_meeting_organization', '{meeting_id,organization_id}');

CREATE TABLE team_work_plan (
    id                     uuid NOT NULL DEFAULT uuidv7(),
    team_id                uuid NOT NULL,
    title                  text NOT NULL,
    kind                   text COLLATE "C" NOT NULL,
    due_on                 date,
    due_on_precision       text,
    due                    date NOT NULL GENERATED ALWAYS AS (coalesce(due_on, '9999-12-31')) STORED,
    status                 text COLLATE "C" NOT NULL DEFAULT 'planned',
    responsible_member_id  uuid,
    result                 text,
    source                 text,
    row_version            bigint NOT NULL DEFAULT 1,
    created_at             timestamptz NOT NULL DEFAULT now(),
    updated_at             timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT team_work_plan_pkey PRIMARY KEY (id),
    CONSTRAINT team_work_plan_team_id_fkey FOREIGN KEY (team_id) REFERENCES team (id),
    CONSTRAINT team_work_plan_responsible_member_id_fkey FOREIGN KEY (team_id, responsible_member_id) REFERENCES team_member (team_id, id),
    CONSTRAINT team_work_plan_title_check CHECK (btrim(title) <> '' AND length(title) <= 500),
    CONSTRAINT team_work_plan_kind_check CHECK (kind IN ('policy', 'network', 'expansion', 'meeting', 'advocacy', 'monitoring', 'legal_basis')),
    CONSTRAINT team_work_plan_due_on_check CHECK (isfinite(due_on) AND isfinite(due)),
    CONSTRAINT team_work_plan_due_on_precision_check CHECK (due_on_precision IN ('day', 'month', 'year', 'unknown')),
    CONSTRAINT team_work_plan_status_check CHECK (status IN ('planned', 'in_progress', 'done', 'dropped')),
    CONSTRAINT team_work_plan_result_check CHECK (btrim(result) <> '' AND length(result) <= 4000),
    CONSTRAINT team_work_plan_source_check CHECK (btrim(source) <> '' AND length(source) <= 2048)
);
CREATE INDEX team_work_plan_due_idx ON team_work_plan (team_id, due, id);
CREATE INDEX team_work_plan_status_idx ON team_work_plan (team_id, status, due, id);
CREATE INDEX team_work_plan_kind_idx ON team_work_plan (team_id, kind, due, id);
CREATE INDEX team_work_plan_updated_at_idx ON team_work_plan (team_id, updated_at, id);
SELECT audit_attach('team_work_plan', '{id}', '{}', '{row_version,updated_at,due}');

CREATE TABLE team_funding (
    id               uuid NOT NULL DEFAULT uuidv7(),
    team_id          uuid NOT NULL,
    year             integer NOT NULL,
    source           text COLLATE "C" NOT NULL,  -- whose money
    form             text COLLATE "C" NOT NULL DEFAULT 'money',
    amount           bigint,                     -- rupiah; NULL only of goods and services nobody put a price on
    organization_id  uuid,
    note             text,
    row_version      bigint NOT NULL DEFAULT 1,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT team_funding_pkey PRIMARY KEY (id),
    CONSTRAINT team_funding_team_id_fkey FOREIGN KEY (team_id) REFERENCES team (id),
    CONSTRAINT team_funding_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization (id),
    CONSTRAINT team_funding_year_check CHECK (year BETWEEN 2000 AND 2100),
    CONSTRAINT team_funding_source_check CHECK (source IN ('apbn', 'apbd_provinsi', 'apbd_kabupaten_kota', 'apbd', 'apbdes', 'dana_desa',
                                                           'dak_fisik', 'csr', 'donation', 'community', 'other')),
    CONSTRAINT team_funding_form_check CHECK (form IN ('money', 'goods', 'services')),
    CONSTRAINT team_funding_amount_check CHECK (amount >= 0 AND (form <> 'money' OR amount IS NOT NULL)),
    CONSTRAINT team_funding_note_check CHECK (btrim(note) <> '' AND length(note) <= 4000)
);
CREATE INDEX team_funding_year_idx ON team_funding (team_id, year, id);
CREATE INDEX team_funding_organization_idx ON team_funding (organization_id);
CREATE INDEX team_funding_updated_at_idx ON team_funding (team_id, updated_at, id);
SELECT audit_attach('team_funding', '{id}', '{}', '{row_version,updated_at}');
