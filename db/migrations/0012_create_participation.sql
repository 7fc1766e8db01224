-- A library in a phase. The status changes by the rules of db/functions/participation.sql; a change of status brings
-- its day and its reason in status_on and status_note, and the history follows by trigger.
CREATE TABLE participation (
    id                   uuid NOT NULL DEFAULT uuidv7(),
    phase_id             text COLLATE "C" NOT NULL,
    library_id           uuid NOT NULL,
    support              text COLLATE "C" NOT NULL,
    status               text COLLATE "C" NOT NULL DEFAULT 'nominated',
    status_on            date,                   -- when the status was reached; unless told today
    status_note          text,                   -- why
    joined_on            date,                   -- when it was confirmed
    joined_on_precision  text,
    ended_on             date,                   -- when it graduated or withdrew
    proposed_by_team_id  uuid,                   -- the Tim Sinergi that proposed it
    origin               text COLLATE "C" NOT NULL DEFAULT 'recorded', -- or historical, with its source
    source               text,
    note                 text,
    row_version          bigint NOT NULL DEFAULT 1,
    created_at           timestamptz NOT NULL DEFAULT now(),
    updated_at           timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT participation_pkey PRIMARY KEY (id),
    CONSTRAINT participation_phase_id_fkey FOREIGN KEY (phase_id) REFERENCES phase (id),
    CONSTRAINT participation_library_id_fkey FOREIGN KEY (library_id) REFERENCES library (id),
    CONSTRAINT participation_library_key UNIQUE (phase_id, library_id),
    CONSTRAINT participation_support_check CHECK (support IN ('full', 'book_grant', 'self_replication', 'regional_expansion')),
    CONSTRAINT participation_status_check CHECK (status IN ('nominated', 'confirmed', 'active', 'graduated', 'withdrawn')),
    CONSTRAINT participation_origin_check CHECK (origin IN ('recorded', 'historical')),
    CONSTRAINT participation_source_check CHECK (btrim(source) <> '' AND length(source) <= 2048),
    CONSTRAINT participation_historical_check CHECK (origin <> 'historical' OR source IS NOT NULL),
    CONSTRAINT participation_dates_check CHECK (isfinite(status_on) AND isfinite(joined_on) AND isfinite(ended_on)
                                                AND joined_on <= ended_on),
    CONSTRAINT participation_joined_on_precision_check CHECK (joined_on_precision IN ('day', 'month', 'year', 'unknown')),
    CONSTRAINT participation_status_note_check CHECK (btrim(status_note) <> '' AND length(status_note) <= 4000),
    CONSTRAINT participation_note_check CHECK (btrim(note) <> '' AND length(note) <= 4000)
);
CREATE INDEX participation_phase_idx ON participation (phase_id, id, status, support);
CREATE INDEX participation_library_idx ON participation (library_id, id, phase_id, status);
CREATE INDEX participation_status_idx ON participation (status, id);
CREATE INDEX participation_support_idx ON participation (support, id);
CREATE INDEX participation_team_idx ON participation (proposed_by_team_id, id);
CREATE INDEX participation_phase_updated_at_idx ON participation (phase_id, updated_at, id);
CREATE INDEX participation_team_updated_at_idx ON participation (proposed_by_team_id, updated_at, id);
CREATE INDEX participation_updated_at_idx ON participation (updated_at, id);
SELECT audit_attach('participation', '{id}', '{}', '{row_version,updated_at}');

-- Every change of status for ever: who, when, why.
CREATE TABLE participation_history (
    id                uuid NOT NULL DEFAULT uuidv7(),
    participation_id  uuid NOT NULL,
    from_status       text COLLATE "C",          -- NULL: its beginning
    to_status         text COLLATE "C" NOT NULL,
    happened_on       date,                      -- NULL: nobody published the day of a record of the past
    note              text,
    actor             text NOT NULL,
    number            bigint GENERATED ALWAYS AS IDENTITY, -- their order
    created_at        timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT participation_history_pkey PRIMARY KEY (id),
    CONSTRAINT participation_history_participation_id_fkey FOREIGN KEY (participation_id) REFERENCES participation (id),
    CONSTRAINT participation_history_happened_on_check CHECK (isfinite(happened_on))
);
CREATE INDEX participation_history_participation_idx ON participation_history (participation_id, number);
SELECT audit_attach('participation_history', '{id}');

-- What the library set out to do after its training.
CREATE TABLE participation_work_plan (
    id                uuid NOT NULL DEFAULT uuidv7(),
    participation_id  uuid NOT NULL,
    title             text NOT NULL,
    kind              text COLLATE "C" NOT NULL,
    due_on            date,
    status            text COLLATE "C" NOT NULL DEFAULT 'planned',
    result            text,
    row_version       bigint NOT NULL DEFAULT 1,
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT participation_work_plan_pkey PRIMARY KEY (id),
    CONSTRAINT participation_work_plan_participation_id_fkey FOREIGN KEY (participation_id) REFERENCES participation (id),
    CONSTRAINT participation_work_plan_title_check CHECK (btrim(title) <> '' AND length(title) <= 500),
    CONSTRAINT participation_work_plan_kind_check CHECK (kind IN ('policy', 'network', 'expansion', 'meeting', 'advocacy',
                                                                  'monitoring', 'legal_basis')),
    CONSTRAINT participation_work_plan_due_on_check CHECK (isfinite(due_on)),
    CONSTRAINT participation_work_plan_status_check CHECK (status IN ('planned', 'in_progress', 'done', 'dropped')),
    CONSTRAINT participation_work_plan_result_check CHECK (btrim(result) <> '' AND length(result) <= 4000)
);
CREATE INDEX participation_work_plan_participation_idx ON participation_work_plan (participation_id, id);
SELECT audit_attach('participation_work_plan', '{id}', '{}', '{row_version,updated_at}');
