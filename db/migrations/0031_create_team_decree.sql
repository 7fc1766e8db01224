-- The legal basis of a team, which grows over time. A decree is in force from valid_from (else signed_on, else since
-- times nobody published) to valid_until; one that replaces another ends it.
CREATE TABLE team_decree (
    id                   uuid NOT NULL DEFAULT uuidv7(),
    team_id              uuid NOT NULL,
    kind                 text COLLATE "C" NOT NULL,
    strength             integer NOT NULL GENERATED ALWAYS AS (CASE kind WHEN 'sk_kepala_dinas' THEN 1 WHEN 'sk_bupati' THEN 2
                             WHEN 'sk_wali_kota' THEN 2 WHEN 'sk_gubernur' THEN 3 WHEN 'sk_kepala_perpusnas' THEN 4 END) STORED,
    number               text COLLATE "C",
    issued_by            text,
    signed_on            date,
    signed_on_precision  text,
    valid_from           date,
    valid_until          date,                   -- the last day
    period               daterange NOT NULL GENERATED ALWAYS AS (daterange(coalesce(valid_from, signed_on), valid_until, '[]')) STORED,
    max_members          integer,                -- NULL: the policy rules
    replaces_id          uuid,
    origin               text COLLATE "C" NOT NULL DEFAULT 'recorded', -- or historical, with its source
    source               text,
    note                 text,
    row_version          bigint NOT NULL DEFAULT 1,
    created_at           timestamptz NOT NULL DEFAULT now(),
    updated_at           timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT team_decree_pkey PRIMARY KEY (id),
    CONSTRAINT team_decree_team_id_fkey FOREIGN KEY (team_id) REFERENCES team (id),
    CONSTRAINT team_decree_team_key UNIQUE (team_id, id),
    CONSTRAINT team_decree_number_key UNIQUE (team_id, kind, number),
    CONSTRAINT team_decree_replaces_id_fkey FOREIGN KEY (team_id, replaces_id) REFERENCES team_decree (team_id, id),
    CONSTRAINT team_decree_kind_check CHECK (kind IN ('sk_kepala_dinas', 'sk_bupati', 'sk_wali_kota', 'sk_gubernur', 'sk_kepala_perpusnas')),
    CONSTRAINT team_decree_number_check CHECK (btrim(number) <> '' AND length(number) <= 200),
    CONSTRAINT team_decree_issued_by_check CHECK (btrim(issued_by) <> '' AND length(issued_by) <= 300),
    CONSTRAINT team_decree_signed_on_precision_check CHECK (signed_on_precision IN ('day', 'month', 'year', 'unknown')),
    CONSTRAINT team_decree_period_check CHECK (isfinite(signed_on) AND isfinite(valid_from) AND isfinite(valid_until)
                                               AND coalesce(valid_from, signed_on) <= valid_until),
    CONSTRAINT team_decree_max_members_check CHECK (max_members BETWEEN 1 AND 1000),
    CONSTRAINT team_decree_replaces_check CHECK (replaces_id <> id),
    CONSTRAINT team_decree_origin_check CHECK (origin IN ('recorded', 'historical')),
    CONSTRAINT team_decree_historical_check CHECK (CASE origin WHEN 'historical' THEN source IS NOT NULL
        ELSE num_nulls(number, signed_on) = 0 AND coalesce(signed_on_precision, 'day') = 'day' END),
    CONSTRAINT team_decree_source_check CHECK (btrim(source) <> '' AND length(source) <= 2048),
    CONSTRAINT team_decree_note_check CHECK (btrim(note) <> '' AND length(note) <= 4000)
);
CREATE INDEX team_decree_strength_idx ON team_decree (team_id, strength, id);
CREATE INDEX team_decree_replaces_idx ON team_decree (replaces_id);
CREATE INDEX team_decree_valid_until_idx ON team_decree (valid_until, team_id);
CREATE INDEX team_decree_updated_at_idx ON team_decree (team_id, updated_at, id);
SELECT audit_attach('team_decree', '{id}', '{}', '{row_version,updated_at,strength,period}');
