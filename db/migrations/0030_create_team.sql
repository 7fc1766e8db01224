-- Tim Sinergi: the cross-sector team of a province or, where one is formed, of a kabupaten/kota, and the dated
-- policies of each level. The rules stand in db/functions/team*.sql.
--
-- Ranges include both ends. A rule over several rows of a team (how many members on any day, ...) has the team's row as its
-- owner: whoever writes such a row first makes a new membership_version of it, so that two writers whose changes
-- could break a rule together collide there, at every isolation level.
CREATE TABLE team (
    id                   uuid NOT NULL DEFAULT uuidv7(),
    name                 text COLLATE "C" NOT NULL,
    region_code          text COLLATE "C" NOT NULL,
    level                text COLLATE "C" NOT NULL GENERATED ALWAYS AS (region_level(region_code)) STORED,
    formed_on            date,                   -- NULL: nobody published it (historical teams only)
    formed_on_precision  text,
    dissolved_on         date,                   -- the last day
    period               daterange NOT NULL GENERATED ALWAYS AS (daterange(formed_on, dissolved_on, '[]')) STORED,
    origin               text COLLATE "C" NOT NULL DEFAULT 'recorded', -- or historical, with its source
    source               text,
    undocumented         jsonb NOT NULL DEFAULT '[]', -- what lacks proof, in words
    note                 text,
    membership_version   bigint NOT NULL DEFAULT 0,
    row_version          bigint NOT NULL DEFAULT 1,
    created_at           timestamptz NOT NULL DEFAULT now(),
    updated_at           timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT team_pkey PRIMARY KEY (id),
    CONSTRAINT team_region_code_fkey FOREIGN KEY (region_code) REFERENCES region (code),
    CONSTRAINT team_region_code_check CHECK (length(region_code) IN (2, 5)),
    CONSTRAINT team_one_live_excl EXCLUDE USING gist (region_code WITH =, period WITH &&) DEFERRABLE INITIALLY IMMEDIATE,
    CONSTRAINT team_name_check CHECK (btrim(name) <> '' AND length(name) <= 300),
    CONSTRAINT team_period_check CHECK (isfinite(formed_on) AND isfinite(dissolved_on) AND formed_on <= dissolved_on),
    CONSTRAINT team_formed_on_precision_check CHECK (formed_on_precision IN ('day', 'month', 'year', 'unknown')),
    CONSTRAINT team_origin_check CHECK (origin IN ('recorded', 'historical')),
    CONSTRAINT team_historical_check CHECK (CASE origin WHEN 'historical' THEN source IS NOT NULL
        ELSE formed_on IS NOT NULL AND coalesce(formed_on_precision, 'day') = 'day' AND undocumented = '[]' END),
    CONSTRAINT team_undocumented_check CHECK (jsonb_typeof(undocumented) = 'array'),
    CONSTRAINT team_source_check CHECK (btrim(source) <> '' AND length(source) <= 2048),
    CONSTRAINT team_note_check CHECK (btrim(note) <> '' AND length(note) <= 4000)
);
CREATE INDEX team_region_idx ON team (region_code, id, level, updated_at);
CREATE INDEX team_name_idx ON team (name, id, level, updated_at);
CREATE INDEX team_updated_at_idx ON team (updated_at, id, level);
CREATE INDEX team_level_idx ON team (level, region_code, id);
CREATE INDEX team_words_idx ON team USING gin (words_vector(name)) WITH (fastupdate = off);
SELECT audit_attach('team', '{id}', '{}', '{row_version,updated_at,level,period,membership_version}');

-- What holds for the teams of a level from a day to a day: how many members at most (NULL: no limit is known), which
-- sectors a team should have, after how many months the next stakeholder meeting is due.
CREATE TABLE team_policy (
    id                       uuid NOT NULL DEFAULT uuidv7(),
    level                    text COLLATE "C" NOT NULL,
    starts_on                date,
    ends_on                  date,
    period                   daterange NOT NULL GENERATED ALWAYS AS (daterange(starts_on, ends_on, '[]')) STORED,
    max_members              integer,
    wanted_sectors           text[] NOT NULL DEFAULT '{}',
    meeting_interval_months  integer,
    source                   text,
    note                     text,
    row_version              bigint NOT NULL DEFAULT 1,
    created_at               timestamptz NOT NULL DEFAULT now(),
    updated_at               timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT team_policy_pkey PRIMARY KEY (id),
    CONSTRAINT team_policy_level_check CHECK (level IN ('province', 'regency')),
    CONSTRAINT team_policy_period_check CHECK (isfinite(starts_on) AND isfinite(ends_on) AND starts_on <= ends_on),
    CONSTRAINT team_policy_period_excl EXCLUDE USING gist (level WITH =, period WITH &&) DEFERRABLE INITIALLY IMMEDIATE,
    CONSTRAINT team_policy_max_members_check CHECK (max_members BETWEEN 1 AND 1000),
    CONSTRAINT team_policy_wanted_sectors_check CHECK (wanted_sectors <@ '{library_agency,planning_agency,village_empowerment,other_regional_agency,university,private_sector,chamber_of_commerce,bank,media,reading_community,profession_forum,civil_society,foundation,ministry,other}'
        AND array_position(wanted_sectors, NULL) IS NULL),
    CONSTRAINT team_policy_meeting_interval_months_check CHECK (meeting_interval_months BETWEEN 1 AND 120),
    CONSTRAINT team_policy_source_check CHECK (btrim(source) <> '' AND length(source) <= 2048),
    CONSTRAINT team_policy_note_check CHECK (btrim(note) <> '' AND length(note) <= 4000)
);
CREATE INDEX team_policy_level_idx ON team_policy (level, starts_on);
SELECT audit_attach('team_policy', '{id}', '{}', '{row_version,updated_at,period}');

-- The owner of the rule between a level's policies and all teams of it, those that are just being made included.
CREATE TABLE team_policy_lock (
    level    text COLLATE "C" NOT NULL,
    version  bigint NOT NULL DEFAULT 0,
    CONSTRAINT team_policy_lock_pkey PRIMARY KEY (level)
);
SELECT audit_attach('team_policy_lock', '{level}', '{}', '{version}');
INSERT INTO team_policy_lock (level) VALUES ('province'), ('regency');

INSERT INTO team_policy (level, max_members, wanted_sectors, meeting_interval_months, source, note)
SELECT level, max_members,
    '{library_agency,planning_agency,village_empowerment,university,reading_community,media,private_sector}', 3, source, note
FROM (VALUES ('province', 10, 'the programme''s guide to Tim Sinergi', 'advice of the guide'),
             ('regency', NULL, NULL, 'no limit is published; a kabupaten team of 26 members by SK Bupati is on record')) AS first (level, max_members, source, note);

ALTER TABLE participation ADD CONSTRAINT participation_proposed_by_team_id_fkey
    FOREIGN KEY (proposed_by_team_id) REFERENCES team (id);
