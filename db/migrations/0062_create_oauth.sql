-- What people let apps do: the session of a browser that logged in, codes, grants with their refresh tokens, and what was revoked.
-- No token, code or cookie stands here, only SHA-256 of it (256 random bits each).

-- Tells refresh tokens that we made from others without asking for a row of each; read once by every process.
CREATE TABLE oauth_key (
    only_row  boolean NOT NULL DEFAULT true,
    key       bytea NOT NULL,
    CONSTRAINT oauth_key_pkey PRIMARY KEY (only_row),
    CONSTRAINT oauth_key_only_row_check CHECK (only_row),
    CONSTRAINT oauth_key_key_check CHECK (octet_length(key) = 32)
);
INSERT INTO oauth_key (key) VALUES (uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));

-- A browser in which somebody logged in at the page of /oauth2/authorize; some minutes long.
CREATE TABLE login_session (
    hash        bytea NOT NULL,          -- of the cookie
    user_id     uuid NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL,
    CONSTRAINT login_session_pkey PRIMARY KEY (hash),
    CONSTRAINT login_session_user_id_fkey FOREIGN KEY (user_id) REFERENCES app_user (id) ON DELETE CASCADE,
    CONSTRAINT login_session_hash_check CHECK (octet_length(hash) = 32),
    CONSTRAINT login_session_expires_at_check CHECK (isfinite(expires_at) AND expires_at > created_at)
);
CREATE INDEX login_session_user_idx ON login_session (user_id);
CREATE INDEX login_session_expires_at_idx ON login_session (expires_at);

-- What a user agreed to once and is not asked again.
CREATE TABLE oauth_consent (
    user_id     uuid NOT NULL,
    client_id   text COLLATE "C" NOT NULL,
    scopes      text[] NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT oauth_consent_pkey PRIMARY KEY (user_id, client_id),
    CONSTRAINT oauth_consent_user_id_fkey FOREIGN KEY (user_id) REFERENCES app_user (id) ON DELETE CASCADE,
    CONSTRAINT oauth_consent_client_id_fkey FOREIGN KEY (client_id) REFERENCES client (id)
);
CREATE INDEX oauth_consent_client_idx ON oauth_consent (client_id);
SELECT audit_attach('oauth_consent', '{user_id,client_id}', '{}', '{updated_at}');

-- One login of one user in one app; its id is the `sid` of the access tokens issued from it.
CREATE TABLE oauth_grant (
    id            uuid NOT NULL DEFAULT uuidv7(),
    user_id       uuid NOT NULL,
    client_id     text COLLATE "C" NOT NULL,
    scopes        text[] NOT NULL,       -- what was agreed to; rights of the day are another thing
    session_hash  bytea,                 -- the browser it was given in: logging out of the app ends that too
    created_at    timestamptz NOT NULL DEFAULT now(),
    expires_at    timestamptz NOT NULL,  -- however often it is refreshed
    CONSTRAINT oauth_grant_pkey PRIMARY KEY (id),
    CONSTRAINT oauth_grant_user_id_fkey FOREIGN KEY (user_id) REFERENCES app_user (id) ON DELETE CASCADE,
    CONSTRAINT oauth_grant_client_id_fkey FOREIGN KEY (client_id) REFERENCES client (id),
    CONSTRAINT oauth_grant_expires_at_check CHECK (isfinite(expires_at) AND expires_at > created_at)
);
CREATE INDEX oauth_grant_user_idx ON oauth_grant (user_id);
CREATE INDEX oauth_grant_client_idx ON oauth_grant (client_id);
CREATE INDEX oauth_grant_expires_at_idx ON oauth_grant (expires_at);
SELECT audit_attach('oauth_grant', '{id}', '{}', '{session_hash}');

-- The refresh token of a grant: the one in force, and the one before it with its successor sealed under it, so that an answer
-- that got lost can be given again. Every other one that carries our mark is an old one: somebody has stolen it.
CREATE TABLE oauth_refresh (
    grant_id       uuid NOT NULL,
    hash           bytea NOT NULL,
    expires_at     timestamptz NOT NULL, -- when nobody uses it
    previous_hash  bytea,
    sealed         bytea,                -- the secret of the one in force, masked with what only the previous one gives
    rotated_at     timestamptz,
    CONSTRAINT oauth_refresh_pkey PRIMARY KEY (grant_id),
    CONSTRAINT oauth_refresh_grant_id_fkey FOREIGN KEY (grant_id) REFERENCES oauth_grant (id) ON DELETE CASCADE,
    CONSTRAINT oauth_refresh_hash_check CHECK (octet_length(hash) = 32 AND octet_length(previous_hash) = 32 AND octet_length(sealed) = 32),
    CONSTRAINT oauth_refresh_rotated_check CHECK (num_nonnulls(previous_hash, sealed, rotated_at) IN (0, 3))
) WITH (fillfactor = 70);

-- A code lives a minute and works once; it is kept for a day, for a second use gives the thief away.
CREATE TABLE oauth_code (
    hash          bytea NOT NULL,
    user_id       uuid NOT NULL,
    client_id     text COLLATE "C" NOT NULL,
    redirect_uri  text NOT NULL,
    challenge     text NOT NULL,         -- RFC 7636, S256
    scopes        text[] NOT NULL,
    session_hash  bytea,
    created_at    timestamptz NOT NULL DEFAULT now(),
    expires_at    timestamptz NOT NULL,
    grant_id      uuid,                  -- what it was exchanged for
    CONSTRAINT oauth_code_pkey PRIMARY KEY (hash),
    CONSTRAINT oauth_code_user_id_fkey FOREIGN KEY (user_id) REFERENCES app_user (id) ON DELETE CASCADE,
    CONSTRAINT oauth_code_client_id_fkey FOREIGN KEY (client_id) REFERENCES client (id),
    CONSTRAINT oauth_code_grant_id_fkey FOREIGN KEY (grant_id) REFERENCES oauth_grant (id) ON DELETE SET NULL,
    CONSTRAINT oauth_code_hash_check CHECK (octet_length(hash) = 32),
    CONSTRAINT oauth_code_challenge_check CHECK (challenge ~ '^[A-Za-z0-9_-]{43}$'),
    CONSTRAINT oauth_code_expires_at_check CHECK (isfinite(expires_at) AND expires_at > created_at)
);
CREATE INDEX oauth_code_user_idx ON oauth_code (user_id);
CREATE INDEX oauth_code_client_idx ON oauth_code (client_id);
CREATE INDEX oauth_code_grant_idx ON oauth_code (grant_id);
CREATE INDEX oauth_code_expires_at_idx ON oauth_code (expires_at);

-- Grants (sid) and single access tokens (jti) that ended before their time. A table of its own: every process hears of a new
-- row within the watch's interval, and nothing that standings are read from has changed.
CREATE TABLE oauth_revocation (
    id          uuid NOT NULL,
    kind        text NOT NULL,
    reason      text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT oauth_revocation_pkey PRIMARY KEY (id),
    CONSTRAINT oauth_revocation_kind_check CHECK (kind IN ('grant', 'token')),
    CONSTRAINT oauth_revocation_reason_check CHECK (btrim(reason) <> '' AND length(reason) <= 200)
);
CREATE INDEX oauth_revocation_created_at_idx ON oauth_revocation (created_at);
SELECT audit_attach('oauth_revocation', '{id}');
