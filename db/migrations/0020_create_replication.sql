-- Replications: a library above village level brings the programme to a village library or a TBM. The rules and
-- transitions stand in db/functions/replication*.sql.

-- Who approves the replications of a library of that kind, from a day to a day (both included). Freed: a self-funded one
-- (it has funds, and none of them the centre's) may be taken to `approved` by whoever advances it.
CREATE TABLE replication_policy (
    id                 uuid NOT NULL DEFAULT uuidv7(),
    replicator_kind    text COLLATE "C" NOT NULL,
    approver           text COLLATE "C" NOT NULL,
    self_funded_freed  boolean NOT NULL DEFAULT false,
    starts_on          date,
    ends_on            date,
    period             daterange NOT NULL GENERATED ALWAYS AS (daterange(starts_on, ends_on, '[]')) STORED,
    source             text,
    note               text,
    row_version        bigint NOT NULL DEFAULT 1,
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT replication_policy_pkey PRIMARY KEY (id),
    CONSTRAINT replication_policy_replicator_kind_check CHECK (replicator_kind IN ('national', 'provincial', 'regency', 'district')),
    CONSTRAINT replication_policy_approver_check CHECK (approver IN ('national', 'provincial')
        AND (replicator_kind IN ('regency', 'district') OR approver = 'national')),
    CONSTRAINT replication_policy_period_check CHECK (isfinite(starts_on) AND isfinite(ends_on) AND starts_on <= ends_on),
    CONSTRAINT replication_policy_period_excl EXCLUDE USING gist (replicator_kind WITH =, period WITH &&)
        DEFERRABLE INITIALLY IMMEDIATE,
    CONSTRAINT replication_policy_source_check CHECK (btrim(source) <> '' AND length(source) <= 2048),
    CONSTRAINT replication_policy_note_check CHECK (btrim(note) <> '' AND length(note) <= 4000)
);
CREATE INDEX replication_policy_kind_idx ON replication_policy (replicator_kind, starts_on);
SELECT audit_attach('replication_policy', '{id}', '{}', '{row_version,updated_at,period}');

INSERT INTO replication_policy (replicator_kind, approver, note) VALUES
    ('district', 'provincial', NULL),
    ('regency', 'provincial', 'the province approves what a kabupaten/kota replicates'),
    ('provincial', 'national', 'the nation approves what a province replicates'),
    ('national', 'national', NULL);

-- The status changes by the rules; a change of status brings its day and its reason in status_on and status_note, and
-- the history follows by trigger. The target is the village's library, or the one TBM that library_id names; while a
-- replication is live there is no other of that target and programme.
CREATE TABLE replication (
    id                       uuid NOT NULL DEFAULT uuidv7(),
    program_slug             text COLLATE "C" NOT NULL,
    phase_id                 text COLLATE "C",
    replicator_id            uuid NOT NULL,
    partner_organization_id  uuid,                -- stands beside the replicator
    village_code             text COLLATE "C" NOT NULL,
    library_id               uuid,                -- NULL: not on record yet
    target                   text COLLATE "C" NOT NULL, -- the village's code, or the TBM's id; kept by trigger
    status                   text COLLATE "C" NOT NULL DEFAULT 'proposed',
    status_on                date,                -- when the status was reached; NULL: nobody published it
    status_on_precision      text,
    status_note              text,                -- why
    live                     boolean NOT NULL GENERATED ALWAYS AS (status NOT IN ('lapsed', 'rejected', 'cancelled')) STORED,
    funding                  jsonb NOT NULL DEFAULT '[]', -- [{source, amount}], amounts in rupiah
    self_funded              boolean NOT NULL GENERATED ALWAYS AS (replication_self_funded(funding)) STORED,
    commitment_kind          text COLLATE "C",
    commitment_number        text COLLATE "C",
    commitment_signed_on     date,
    participation_id         uuid,                -- of the library, since it became active
    origin                   text COLLATE "C" NOT NULL DEFAULT 'recorded', -- or historical, with its source
    source                   text,
    undocumented             jsonb NOT NULL DEFAULT '[]', -- what lacks proof
    note                     text,
    row_version              bigint NOT NULL DEFAULT 1,
    created_at               timestamptz NOT NULL DEFAULT now(),
    updated_at               timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT replication_pkey PRIMARY KEY (id),
    CONSTRAINT replication_program_slug_fkey FOREIGN KEY (program_slug) REFERENCES program (slug),
    CONSTRAINT replication_phase_id_fkey FOREIGN KEY (phase_id) REFERENCES phase (id),
    CONSTRAINT replication_replicator_id_fkey FOREIGN KEY (replicator_id) REFERENCES library (id),
    CONSTRAINT replication_partner_organization_id_fkey FOREIGN KEY (partner_organization_id) REFERENCES organization (id),
    CONSTRAINT replication_village_code_fkey FOREIGN KEY (village_code) REFERENCES region (code),
    CONSTRAINT replication_village_code_check CHECK (length(village_code) = 13),
    CONSTRAINT replication_library_id_fkey FOREIGN KEY (library_id) REFERENCES library (id),
    CONSTRAINT replication_participation_id_fkey FOREIGN KEY (participation_id) REFERENCES participation (id),
    CONSTRAINT replication_status_check CHECK (status IN ('proposed', 'committed', 'approved', 'training', 'mentoring', 'active',
        'independent', 'lapsed', 'rejected', 'cancelled')),
    CONSTRAINT replication_status_on_check CHECK (isfinite(status_on)),
    CONSTRAINT replication_status_on_precision_check CHECK (status_on_precision IN ('day', 'month', 'year', 'unknown')),
    CONSTRAINT replication_status_note_check CHECK (btrim(status_note) <> '' AND length(status_note) <= 4000),
    CONSTRAINT replication_funding_check CHECK (jsonb_typeof(funding) = 'array' AND replication_funding_good(funding)),
    CONSTRAINT replication_commitment_check CHECK (commitment_kind IN ('surat_komitmen', 'sk_kepala_daerah', 'sk_kepala_desa',
        'mou', 'perdes', 'other')),
    CONSTRAINT replication_commitment_number_check CHECK (btrim(commitment_number) <> '' AND length(commitment_number) <= 200),
    CONSTRAINT replication_commitment_signed_on_check CHECK (isfinite(commitment_signed_on)),
    CONSTRAINT replication_commitment_whole_check CHECK (origin = 'historical'
            AND (commitment_kind IS NOT NULL OR num_nonnulls(commitment_number, commitment_signed_on) = 0)
        OR num_nonnulls(commitment_kind, commitment_number, commitment_signed_on) IN (0, 3)),
    CONSTRAINT replication_active_check CHECK (origin = 'historical'
        OR status NOT IN ('active', 'independent', 'lapsed')
        OR num_nulls(phase_id, library_id, participation_id) = 0),
    CONSTRAINT replication_origin_check CHECK (origin IN ('recorded', 'historical')),
    CONSTRAINT replication_historical_check CHECK (CASE origin WHEN 'historical' THEN source IS NOT NULL
        ELSE status_on IS NOT NULL AND coalesce(status_on_precision, 'day') = 'day' AND undocumented = '[]' END),
    CONSTRAINT replication_undocumented_check CHECK (jsonb_typeof(undocumented) = 'array'),
    CONSTRAINT replication_source_check CHECK (btrim(source) <> '' AND length(source) <= 2048),
    CONSTRAINT replication_note_check CHECK (btrim(note) <> '' AND length(note) <= 4000)
);
CREATE UNIQUE INDEX replication_live_key ON replication (program_slug, target) WHERE live;
CREATE INDEX replication_village_idx ON replication (village_code, id, status, updated_at);
CREATE INDEX replication_program_idx ON replication (program_slug, id);
CREATE INDEX replication_phase_idx ON replication (phase_id, id);
CREATE INDEX replication_replicator_idx ON replication (replicator_id, id, status);
CREATE INDEX replication_partner_idx ON replication (partner_organization_id, id);
CREATE INDEX replication_library_idx ON replication (library_id, id);
CREATE INDEX replication_participation_idx ON replication (participation_id);
CREATE INDEX replication_status_idx ON replication (status, id);
CREATE INDEX replication_origin_idx ON replication (origin, id);
CREATE INDEX replication_self_funded_idx ON replication (self_funded, id);
CREATE INDEX replication_updated_at_idx ON replication (updated_at, id);
SELECT audit_attach('replication', '{id}', '{}', '{row_version,updated_at,live,self_funded}');

-- Every transition for ever: who, when, why, and what proved it.
CREATE TABLE replication_history (
    id                     uuid NOT NULL DEFAULT uuidv7(),
    number                 bigint GENERATED ALWAYS AS IDENTITY, -- the order in which they were recorded
    replication_id         uuid NOT NULL,
    from_status            text COLLATE "C",      -- NULL: its beginning
    to_status              text COLLATE "C" NOT NULL,
    happened_on            date,                  -- NULL: nobody published the day of a record of the past
    happened_on_precision  text,
    note                   text,
    evidence               jsonb NOT NULL DEFAULT '{}',
    actor                  text NOT NULL,
    created_at             timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT replication_history_pkey PRIMARY KEY (id),
    CONSTRAINT replication_history_replication_id_fkey FOREIGN KEY (replication_id) REFERENCES replication (id),
    CONSTRAINT replication_history_happened_on_check CHECK (isfinite(happened_on)),
    CONSTRAINT replication_history_evidence_check CHECK (jsonb_typeof(evidence) = 'object')
);
CREATE INDEX replication_history_replication_idx ON replication_history (replication_id, number);
SELECT audit_attach('replication_history', '{id}');

-- The facilitators who mentor it, from a day to a day (both included).
CREATE TABLE replication_facilitator (
    replication_id  uuid NOT NULL,
    person_id       uuid NOT NULL,
    starts_on       date NOT NULL,
    ends_on         date,
    row_version     bigint NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT replication_facilitator_pkey PRIMARY KEY (replication_id, person_id),
    CONSTRAINT replication_facilitator_replication_id_fkey FOREIGN KEY (replication_id) REFERENCES replication (id),
    CONSTRAINT replication_facilitator_person_id_fkey FOREIGN KEY (person_id) REFERENCES person (id),
    CONSTRAINT replication_facilitator_period_check CHECK (isfinite(starts_on) AND isfinite(ends_on) AND starts_on <= ends_on)
);
CREATE INDEX replication_facilitator_person_idx ON replication_facilitator (person_id, starts_on);
SELECT audit_attach('replication_facilitator', '{replication_id,person_id}', '{}', '{row_version,updated_at}');
