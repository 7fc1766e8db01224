-- What somebody is charged with: a role, in one place, from a day to a day (both included).
CREATE TABLE assignment (
    id           uuid NOT NULL DEFAULT uuidv7(),
    client_id    text COLLATE "C",
    user_id      uuid,                   -- people come later
    role         text COLLATE "C" NOT NULL,
    national     boolean NOT NULL DEFAULT false,
    region_code  text COLLATE "C",
    library_id   uuid,
    starts_on    date NOT NULL DEFAULT today(),
    ends_on      date,
    row_version  bigint NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT assignment_pkey PRIMARY KEY (id),
    CONSTRAINT assignment_client_id_fkey FOREIGN KEY (client_id) REFERENCES client (id),
    CONSTRAINT assignment_role_fkey FOREIGN KEY (role) REFERENCES role (name),
    CONSTRAINT assignment_region_code_fkey FOREIGN KEY (region_code) REFERENCES region (code),
    CONSTRAINT assignment_library_id_fkey FOREIGN KEY (library_id) REFERENCES library (id),
    CONSTRAINT assignment_holder_check CHECK (num_nonnulls(client_id, user_id) = 1),
    CONSTRAINT assignment_place_check CHECK (national::integer + num_nonnulls(region_code, library_id) = 1),
    CONSTRAINT assignment_period_check CHECK (isfinite(starts_on) AND isfinite(ends_on) AND starts_on <= ends_on)
);
CREATE INDEX assignment_client_idx ON assignment (client_id);
CREATE INDEX assignment_role_idx ON assignment (role);
CREATE INDEX assignment_user_idx ON assignment (user_id);
CREATE INDEX assignment_region_idx ON assignment (region_code);
CREATE INDEX assignment_library_idx ON assignment (library_id);
SELECT audit_attach('assignment', '{id}', '{}', '{row_version,updated_at}');

-- Ids that a client brought with a POST: the same caller sending the same body again gets its object.
CREATE TABLE creation (
    id           uuid NOT NULL,
    subject      text NOT NULL,
    operation    text NOT NULL,
    body_digest  bytea NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT creation_pkey PRIMARY KEY (id)
);
SELECT audit_attach('creation', '{id}');

-- Roles and their scopes, from the table "Who may write what": each line grants what its role needs there.
INSERT INTO role (name, rank, description) VALUES
    ('national_admin',         1, 'everything; programmes, phases, provincial and national libraries, historical records'),
    ('national_analyst',       7, 'returns reports with a reason; else reads'),
    ('provincial_coordinator', 3, 'regency libraries and below; nominations, trainings and certification, approvals, Tim Sinergi'),
    ('team_member',            7, 'its team''s meetings, visits, work plan and contacts'),
    ('regency_facilitator',    4, 'district, village and TBM libraries; replications, trainings, verification, its own team'),
    ('library_manager',        7, 'its library''s profile, figures, monthly report and stories'),
    ('integration',            1, 'statistics and identifiers of its libraries, its region or Indonesia'),
    ('portal',                 7, 'nothing; reads all that is published'),
    ('public_app',             7, 'nothing; a published app without a user');

INSERT INTO role_scope (role, scope)
SELECT role, unnest(scopes) FROM (VALUES
    ('national_admin', '{published:read,contacts:read,libraries:write,programs:write,participations:write,trainings:write,trainings:certify,replications:write,replications:approve,teams:write,figures:write,statistics:write,reports:verify,reports:approve,audit:read,admin}'::text[]),
    ('national_analyst', '{published:read,reports:verify}'),
    ('provincial_coordinator', '{published:read,contacts:read,libraries:write,participations:write,trainings:write,trainings:certify,replications:approve,teams:write,reports:verify,reports:approve}'),
    ('team_member', '{published:read,contacts:read,teams:write}'),
    ('regency_facilitator', '{published:read,contacts:read,libraries:write,replications:write,trainings:write,teams:write,reports:verify}'),
    ('library_manager', '{published:read,contacts:read,libraries:write,figures:write,statistics:write}'),
    ('integration', '{published:read,statistics:write}'),
    ('portal', '{published:read}'),
    ('public_app', '{published:read}')) AS grants (role, scopes);
