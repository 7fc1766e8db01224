-- Trainings (bimtek), who took part, and who was certified.
CREATE TABLE training (
    id                   uuid NOT NULL DEFAULT uuidv7(),
    phase_id             text COLLATE "C",
    kind                 text COLLATE "C" NOT NULL,
    title                text COLLATE "C" NOT NULL,
    starts_on            date,
    starts_on_precision  text,
    ends_on              date,
    region_code          text COLLATE "C",       -- for whom it is; NULL: the nation
    area                 text COLLATE "C" NOT NULL GENERATED ALWAYS AS (coalesce(region_code, '')) STORED,
    place                text COLLATE "C",       -- the venue
    organizer_id         uuid,
    origin               text COLLATE "C" NOT NULL DEFAULT 'recorded', -- or historical, with its source
    source               text,
    note                 text,
    row_version          bigint NOT NULL DEFAULT 1,
    created_at           timestamptz NOT NULL DEFAULT now(),
    updated_at           timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT training_pkey PRIMARY KEY (id),
    CONSTRAINT training_phase_id_fkey FOREIGN KEY (phase_id) REFERENCES phase (id),
    CONSTRAINT training_region_code_fkey FOREIGN KEY (region_code) REFERENCES region (code),
    CONSTRAINT training_organizer_id_fkey FOREIGN KEY (organizer_id) REFERENCES organization (id),
    CONSTRAINT training_kind_check CHECK (kind IN ('strategi_pengembangan', 'tik', 'spp_tik', 'sim', 'fasilitator',
        'master_trainer', 'tik_kesadaran_informasi', 'marketing_pelayanan_prima', 'advokasi_mobilisasi_sosial', 'other')),
    CONSTRAINT training_title_check CHECK (btrim(title) <> '' AND length(title) <= 300),
    CONSTRAINT training_period_check CHECK (isfinite(starts_on) AND isfinite(ends_on) AND starts_on <= ends_on),
    CONSTRAINT training_starts_on_precision_check CHECK (starts_on_precision IN ('day', 'month', 'year', 'unknown')),
    CONSTRAINT training_place_check CHECK (btrim(place) <> '' AND length(place) <= 300),
    CONSTRAINT training_origin_check CHECK (origin IN ('recorded', 'historical')),
    CONSTRAINT training_source_check CHECK (btrim(source) <> '' AND length(source) <= 2048),
    CONSTRAINT training_historical_check CHECK (CASE origin WHEN 'historical' THEN source IS NOT NULL
                                                            ELSE starts_on IS NOT NULL END),
    CONSTRAINT training_note_check CHECK (btrim(note) <> '' AND length(note) <= 4000)
);
CREATE INDEX training_order_idx ON training (coalesce(starts_on, '0001-01-01'), id, kind, updated_at);
CREATE INDEX training_phase_idx ON training (phase_id, coalesce(starts_on, '0001-01-01'), id);
CREATE INDEX training_kind_idx ON training (kind, coalesce(starts_on, '0001-01-01'), id);
CREATE INDEX training_area_idx ON training (area, id);
CREATE INDEX training_region_idx ON training (region_code);
CREATE INDEX training_organizer_idx ON training (organizer_id, coalesce(starts_on, '0001-01-01'), id);
CREATE INDEX training_updated_at_idx ON training (updated_at, id);
SELECT audit_attach('training', '{id}', '{}', '{row_version,updated_at,area}');

-- A participant is a person on record or only a name. Names are not published; those of certified facilitators
-- are, and such a participant always has a person. A certificate is valid from certified_on to certificate_until, both
-- included (NULL: without end).
CREATE TABLE training_participant (
    id                 uuid NOT NULL DEFAULT uuidv7(),
    training_id        uuid NOT NULL,
    person_id          uuid,
    name               text COLLATE "C",
    library_id         uuid,                     -- where the participant works
    role               text COLLATE "C" NOT NULL,
    attended           boolean NOT NULL DEFAULT false,
    certified_on       date,
    certificate_until  date,
    certified_by       text,                     -- who recorded it, kept by trigger
    erased_at          timestamptz,
    row_version        bigint NOT NULL DEFAULT 1,
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT training_participant_pkey PRIMARY KEY (id),
    CONSTRAINT training_participant_training_id_fkey FOREIGN KEY (training_id) REFERENCES training (id),
    CONSTRAINT training_participant_person_id_fkey FOREIGN KEY (person_id) REFERENCES person (id),
    CONSTRAINT training_participant_library_id_fkey FOREIGN KEY (library_id) REFERENCES library (id),
    CONSTRAINT training_participant_person_key UNIQUE (training_id, person_id),
    CONSTRAINT training_participant_who_check CHECK (num_nonnulls(person_id, name, erased_at) = 1),
    CONSTRAINT training_participant_name_check CHECK (btrim(name) <> '' AND length(name) <= 200),
    CONSTRAINT training_participant_role_check CHECK (role IN ('fasilitator', 'pengelola', 'staf', 'master_trainer', 'other')),
    CONSTRAINT training_participant_certificate_check CHECK (isfinite(certified_on) AND isfinite(certificate_until)
        AND certified_on <= certificate_until AND (certified_on IS NOT NULL OR certificate_until IS NULL)
        AND (certified_on IS NULL) = (certified_by IS NULL))
);
CREATE INDEX training_participant_training_idx ON training_participant (training_id, id);
CREATE INDEX training_participant_person_idx ON training_participant (person_id, certified_on);
CREATE INDEX training_participant_library_idx ON training_participant (library_id, role);
CREATE INDEX training_participant_certified_idx ON training_participant (role, certified_on, certificate_until)
    WHERE certified_on IS NOT NULL;
SELECT audit_attach('training_participant', '{id}', '{name}', '{row_version,updated_at}');
