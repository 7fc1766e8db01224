-- Keys of simple pullers: read-only, of a client, shown once and kept as SHA-256 of 256 random bits. A revoked key stays, so that
-- the list tells what there was.
CREATE TABLE api_key (
    id          uuid NOT NULL DEFAULT uuidv7(),
    client_id   text COLLATE "C" NOT NULL,
    name        text NOT NULL,                   -- where it is used
    hash        bytea NOT NULL,
    hint        text COLLATE "C" NOT NULL,       -- its last characters, the checksum: to tell one key from another
    scopes      text[] NOT NULL DEFAULT '{published:read}',
    created_by  text NOT NULL DEFAULT coalesce(audit_setting('tpbis.actor'), session_user),
    created_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz,                     -- NULL: until it is revoked
    revoked_at  timestamptz,
    CONSTRAINT api_key_pkey PRIMARY KEY (id),
    CONSTRAINT api_key_client_id_fkey FOREIGN KEY (client_id) REFERENCES client (id) ON DELETE CASCADE,
    CONSTRAINT api_key_hash_key UNIQUE (hash),
    CONSTRAINT api_key_name_check CHECK (btrim(name) <> '' AND length(name) <= 200),
    CONSTRAINT api_key_hash_check CHECK (octet_length(hash) = 32),
    CONSTRAINT api_key_hint_check CHECK (hint ~ '^[0-9A-Za-z]{6}$'),
    CONSTRAINT api_key_scopes_check CHECK (scopes <@ '{published:read}' AND cardinality(scopes) > 0),
    CONSTRAINT api_key_expires_at_check CHECK (isfinite(expires_at) AND expires_at > created_at),
    CONSTRAINT api_key_revoked_at_check CHECK (isfinite(revoked_at))
);
CREATE INDEX api_key_client_idx ON api_key (client_id, id);
SELECT audit_attach('api_key', '{id}', '{hash}');

-- The last day each key was used. A table of its own: what is remembered of callers rests on api_key and must not be
-- forgotten because somebody called.
CREATE TABLE api_key_use (
    api_key_id    uuid NOT NULL,
    last_used_on  date NOT NULL,
    CONSTRAINT api_key_use_pkey PRIMARY KEY (api_key_id),
    CONSTRAINT api_key_use_api_key_id_fkey FOREIGN KEY (api_key_id) REFERENCES api_key (id) ON DELETE CASCADE,
    CONSTRAINT api_key_use_last_used_on_check CHECK (isfinite(last_used_on))
);
SELECT audit_attach('api_key_use', '{api_key_id}');

-- What /v1/clients filters by.
CREATE INDEX client_status_idx ON client (status, id);
CREATE INDEX client_type_idx ON client (type, id);
