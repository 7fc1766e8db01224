-- Who may do what, where and when: clients, their secrets, roles with their scopes, and dated assignments.
CREATE TABLE client (
    id              text COLLATE "C" NOT NULL DEFAULT 'c_' || replace(uuidv7()::text, '-', ''),
    name            text NOT NULL,
    status          text NOT NULL DEFAULT 'active',
    allowed_scopes  text[],              -- NULL: all that its roles grant
    secret_version  bigint NOT NULL DEFAULT 0, -- the lock of its secrets
    row_version     bigint NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT client_pkey PRIMARY KEY (id),
    CONSTRAINT client_id_check CHECK (id ~ '^[A-Za-z0-9._~-]{3,64}$'),
    CONSTRAINT client_name_check CHECK (btrim(name) <> '' AND length(name) <= 200),
    CONSTRAINT client_status_check CHECK (status IN ('active', 'suspended'))
);
SELECT audit_attach('client', '{id}', '{}', '{row_version,updated_at,secret_version}');

-- SHA-256 of a secret of 256 random bits; two may live at once, so that one can replace the other.
CREATE TABLE client_secret (
    id          uuid NOT NULL DEFAULT uuidv7(),
    client_id   text COLLATE "C" NOT NULL,
    hash        bytea NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz,
    CONSTRAINT client_secret_pkey PRIMARY KEY (id),
    CONSTRAINT client_secret_client_id_fkey FOREIGN KEY (client_id) REFERENCES client (id) ON DELETE CASCADE,
    CONSTRAINT client_secret_hash_key UNIQUE (hash),
    CONSTRAINT client_secret_hash_check CHECK (octet_length(hash) = 32),
    CONSTRAINT client_secret_expires_at_check CHECK (isfinite(expires_at) AND expires_at > created_at)
);
CREATE INDEX client_secret_client_idx ON client_secret (client_id);
SELECT audit_attach('client_secret', '{id}', '{hash}');

-- A role; rank is the highest library rank it may write in its region (1 national .. 6 tbm, 7 none).
CREATE TABLE role (
    name         text COLLATE "C" NOT NULL,
    rank         integer NOT NULL,
    description  text NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT role_pkey PRIMARY KEY (name),
    CONSTRAINT role_name_check CHECK (name ~ '^[a-z][a-z_]{1,40}$'),
    CONSTRAINT role_rank_check CHECK (rank BETWEEN 1 AND 7)
);
SELECT audit_attach('role', '{name}');

CREATE TABLE role_scope (
    role        text COLLATE "C" NOT NULL,
    scope       text COLLATE "C" NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT role_scope_pkey PRIMARY KEY (role, scope),
    CONSTRAINT role_scope_role_fkey FOREIGN KEY (role) REFERENCES role (name),
    CONSTRAINT role_scope_scope_check CHECK (scope ~ '^[a-z]+(:[a-z]+)?$')
);
SELECT audit_attach('role_scope', '{role,scope}');
