-- Who may appoint whom, and where a role may stand. A scope of its own, so that giving rights is not the same as administering all.
INSERT INTO role_scope (role, scope) VALUES
    ('national_admin', 'assignments:write'), ('provincial_coordinator', 'assignments:write'), ('regency_facilitator', 'assignments:write');

-- The kinds of place a role may be given in.
ALTER TABLE role
    ADD COLUMN places text[] NOT NULL DEFAULT '{nation,province,regency,district,village,library}',
    ADD CONSTRAINT role_places_check CHECK (cardinality(places) > 0 AND array_position(places, NULL) IS NULL
        AND places <@ '{nation,province,regency,district,village,library}');
UPDATE role SET places = w.places::text[] FROM (VALUES
    ('national_admin', '{nation}'), ('national_analyst', '{nation}'), ('provincial_coordinator', '{province}'),
    ('team_member', '{province,regency}'), ('regency_facilitator', '{regency}'), ('library_manager', '{library}')) AS w (name, places)
WHERE role.name = w.name;

-- Delegation downward, as data: whoever holds `appointer` may give `role` inside the place where it is held.
CREATE TABLE role_delegation (
    appointer   text COLLATE "C" NOT NULL,
    role        text COLLATE "C" NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT role_delegation_pkey PRIMARY KEY (appointer, role),
    CONSTRAINT role_delegation_appointer_fkey FOREIGN KEY (appointer) REFERENCES role (name),
    CONSTRAINT role_delegation_role_fkey FOREIGN KEY (role) REFERENCES role (name)
);
CREATE INDEX role_delegation_role_idx ON role_delegation (role);
SELECT audit_attach('role_delegation', '{appointer,role}');
INSERT INTO role_delegation (appointer, role) SELECT 'national_admin', name FROM role;
INSERT INTO role_delegation (appointer, role) VALUES
    ('provincial_coordinator', 'regency_facilitator'), ('provincial_coordinator', 'library_manager'),
    ('provincial_coordinator', 'team_member'), ('regency_facilitator', 'library_manager'), ('regency_facilitator', 'team_member');

-- place: where it stands ('' is Indonesia, of a library the library's), kept by trigger. One that is ended before it was ever in
-- force has an empty period: ends_on is the day before starts_on.
ALTER TABLE assignment
    ADD COLUMN place text COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN appointed_by text,
    ADD COLUMN note text,
    DROP CONSTRAINT assignment_period_check,
    ADD CONSTRAINT assignment_period_check CHECK (isfinite(starts_on) AND isfinite(ends_on) AND ends_on >= starts_on - 1),
    ADD CONSTRAINT assignment_note_check CHECK (btrim(note) <> '' AND length(note) <= 1000);
ALTER TABLE assignment ALTER COLUMN appointed_by SET DEFAULT coalesce(audit_setting('tpbis.actor'), session_user);
SELECT audit_attach('assignment', '{id}', '{}', '{row_version,updated_at,place}');
UPDATE assignment a SET place = coalesce(a.region_code, (SELECT l.place FROM library l WHERE l.id = a.library_id), '');
ALTER TABLE assignment ADD CONSTRAINT assignment_once_excl EXCLUDE USING gist (
    coalesce(client_id, user_id::text) WITH =, role WITH =, coalesce(region_code, library_id::text, '') WITH =,
    daterange(starts_on, ends_on + 1, '[)') WITH &&);
CREATE INDEX assignment_place_idx ON assignment (place, id);
CREATE INDEX assignment_updated_at_idx ON assignment (updated_at, id);
