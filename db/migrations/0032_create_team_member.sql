-- Who is in a team, from a day to a day. A member is a person on record (whose name is the person's own), a name, or
-- only an office (position and organization) that nobody's name was published for.
CREATE TABLE team_member (
    id                   uuid NOT NULL DEFAULT uuidv7(),
    team_id              uuid NOT NULL,
    person_id            uuid,
    name                 text COLLATE "C",       -- only of a member who is no person on record
    name_key             text COLLATE "C",       -- its words, accents and case aside; kept by trigger
    position             text COLLATE "C",       -- these two are the latest of team_member_position
    organization_id      uuid NOT NULL,
    role                 text COLLATE "C" NOT NULL DEFAULT 'anggota',
    role_rank            integer NOT NULL GENERATED ALWAYS AS (CASE role WHEN 'penanggung_jawab' THEN 1 WHEN 'ketua' THEN 2
                             WHEN 'sekretaris' THEN 3 ELSE 4 END) STORED,
    starts_on            date NOT NULL,
    starts_on_precision  text,
    ends_on              date,                   -- the last day
    ends_on_precision    text,
    period               daterange NOT NULL GENERATED ALWAYS AS (daterange(starts_on, ends_on, '[]')) STORED,
    end_reason           text COLLATE "C",
    replaces_id          uuid,
    decree_id            uuid,                   -- which decree names the member
    source               text,
    note                 text,
    row_version          bigint NOT NULL DEFAULT 1,
    created_at           timestamptz NOT NULL DEFAULT now(),
    updated_at           timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT team_member_pkey PRIMARY KEY (id),
    CONSTRAINT team_member_team_id_fkey FOREIGN KEY (team_id) REFERENCES team (id),
    CONSTRAINT team_member_team_key UNIQUE (team_id, id),
    CONSTRAINT team_member_person_id_fkey FOREIGN KEY (person_id) REFERENCES person (id),
    CONSTRAINT team_member_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization (id),
    CONSTRAINT team_member_replaces_id_fkey FOREIGN KEY (team_id, replaces_id) REFERENCES team_member (team_id, id),
    CONSTRAINT team_member_decree_id_fkey FOREIGN KEY (team_id, decree_id) REFERENCES team_decree (team_id, id),
    CONSTRAINT team_member_office_excl EXCLUDE USING gist (team_id WITH =, role WITH =, period WITH &&)
        WHERE (role <> 'anggota') DEFERRABLE INITIALLY IMMEDIATE,
    CONSTRAINT team_member_person_excl EXCLUDE USING gist (team_id WITH =, person_id WITH =, period WITH &&)
        WHERE (person_id IS NOT NULL) DEFERRABLE INITIALLY IMMEDIATE,
    CONSTRAINT team_member_name_excl EXCLUDE USING gist (team_id WITH =, name_key WITH =, period WITH &&)
        WHERE (name_key IS NOT NULL) DEFERRABLE INITIALLY IMMEDIATE,
    CONSTRAINT team_member_who_check CHECK (num_nonnulls(person_id, name, position) > 0 AND num_nonnulls(person_id, name) <= 1),
    CONSTRAINT team_member_name_check CHECK (btrim(name) <> '' AND length(name) <= 200),
    CONSTRAINT team_member_position_check CHECK (btrim(position) <> '' AND length(position) <= 200),
    CONSTRAINT team_member_role_check CHECK (role IN ('penanggung_jawab', 'ketua', 'sekretaris', 'anggota')),
    CONSTRAINT team_member_period_check CHECK (isfinite(starts_on) AND isfinite(ends_on) AND starts_on <= ends_on),
    CONSTRAINT team_member_starts_on_precision_check CHECK (starts_on_precision IN ('day', 'month', 'year', 'unknown')),
    CONSTRAINT team_member_ends_on_precision_check CHECK (ends_on_precision IN ('day', 'month', 'year', 'unknown')),
    CONSTRAINT team_member_precision_check CHECK (source IS NOT NULL
        OR coalesce(starts_on_precision, 'day') = 'day' AND coalesce(ends_on_precision, 'day') = 'day'),
    CONSTRAINT team_member_end_reason_check CHECK (end_reason IN ('moved_office', 'resigned', 'term_ended', 'team_dissolved',
                                                                  'deceased', 'other')),
    CONSTRAINT team_member_ended_check CHECK (end_reason IS NULL OR ends_on IS NOT NULL),
    CONSTRAINT team_member_replaces_check CHECK (replaces_id <> id),
    CONSTRAINT team_member_source_check CHECK (btrim(source) <> '' AND length(source) <= 2048),
    CONSTRAINT team_member_note_check CHECK (btrim(note) <> '' AND length(note) <= 4000)
);
CREATE INDEX team_member_role_idx ON team_member (team_id, role_rank, id, starts_on, ends_on);
CREATE INDEX team_member_starts_on_idx ON team_member (team_id, starts_on, id);
CREATE INDEX team_member_updated_at_idx ON team_member (team_id, updated_at, id);
CREATE INDEX team_member_person_idx ON team_member (person_id, starts_on);
CREATE INDEX team_member_organization_idx ON team_member (organization_id, team_id);
CREATE INDEX team_member_replaces_idx ON team_member (replaces_id);
CREATE INDEX team_member_decree_idx ON team_member (decree_id);
SELECT audit_attach('team_member', '{id}', '{name,name_key}', '{row_version,updated_at,role_rank,period}');

-- The office a member held, from a day to a day; a member who moves office may stay in the team. starts_on NULL: since the
-- membership began; ends_on NULL: until it ends.
CREATE TABLE team_member_position (
    id               uuid NOT NULL DEFAULT uuidv7(),
    member_id        uuid NOT NULL,
    position         text COLLATE "C",
    organization_id  uuid NOT NULL,
    starts_on        date,
    ends_on          date,
    period           daterange NOT NULL GENERATED ALWAYS AS (daterange(starts_on, ends_on, '[]')) STORED,
    row_version      bigint NOT NULL DEFAULT 1,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT team_member_position_pkey PRIMARY KEY (id),
    CONSTRAINT team_member_position_member_id_fkey FOREIGN KEY (member_id) REFERENCES team_member (id),
    CONSTRAINT team_member_position_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organization (id),
    CONSTRAINT team_member_position_period_excl EXCLUDE USING gist (member_id WITH =, period WITH &&) DEFERRABLE INITIALLY IMMEDIATE,
    CONSTRAINT team_member_position_position_check CHECK (btrim(position) <> '' AND length(position) <= 200),
    CONSTRAINT team_member_position_period_check CHECK (isfinite(starts_on) AND isfinite(ends_on) AND starts_on <= ends_on)
);
CREATE INDEX team_member_position_member_idx ON team_member_position (member_id, starts_on);
CREATE INDEX team_member_position_organization_idx ON team_member_position (organization_id);
SELECT audit_attach('team_member_position', '{id}', '{}', '{row_version,updated_at,period}');

-- Coordinating: a dated duty of a member of any role and sector, at most one a day.
CREATE TABLE team_coordinator (
    id           uuid NOT NULL DEFAULT uuidv7(),
    team_id      uuid NOT NULL,
    member_id    uuid NOT NULL,
    starts_on    date NOT NULL,
    ends_on      date,
    period       daterange NOT NULL GENERATED ALWAYS AS (daterange(starts_on, ends_on, '[]')) STORED,
    row_version  bigint NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT team_coordinator_pkey PRIMARY KEY (id),
    CONSTRAINT team_coordinator_member_id_fkey FOREIGN KEY (team_id, member_id) REFERENCES team_member (team_id, id),
    CONSTRAINT team_coordinator_period_excl EXCLUDE USING gist (team_id WITH =, period WITH &&) DEFERRABLE INITIALLY IMMEDIATE,
    CONSTRAINT team_coordinator_period_check CHECK (isfinite(starts_on) AND isfinite(ends_on) AND starts_on <= ends_on)
);
CREATE INDEX team_coordinator_team_idx ON team_coordinator (team_id, starts_on);
CREATE INDEX team_coordinator_member_idx ON team_coordinator (member_id);
SELECT audit_attach('team_coordinator', '{id}', '{}', '{row_version,updated_at,period}');
