-- How people prove who they are: a password, set by a link that works once, and what slows down guessing.
CREATE TABLE user_password (
    user_id     uuid NOT NULL,
    hash        text NOT NULL,           -- argon2id, with its salt and costs
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT user_password_pkey PRIMARY KEY (user_id),
    CONSTRAINT user_password_user_id_fkey FOREIGN KEY (user_id) REFERENCES app_user (id),
    CONSTRAINT user_password_hash_check CHECK (hash LIKE '$argon2id$%' AND length(hash) <= 200)
);
SELECT audit_attach('user_password', '{user_id}', '{hash}', '{updated_at}');

-- The one-time link of a user, at most one at a time: a new one takes the place of the old. Of its 256 random bits
-- only SHA-256 stands here. A link that goes by mail gets its bits when the mail is written, so that they are nowhere
-- but in the mail: hash is NULL until then, and another one after each try.
CREATE TABLE user_link (
    user_id      uuid NOT NULL,
    kind         text NOT NULL,
    hash         bytea,
    delivery     text NOT NULL,
    expires_at   timestamptz NOT NULL,
    attempts     integer NOT NULL DEFAULT 0,
    next_try_at  timestamptz,            -- NULL: nothing is left to send
    sent_at      timestamptz,
    created_by   text NOT NULL DEFAULT coalesce(audit_setting('tpbis.actor'), session_user),
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT user_link_pkey PRIMARY KEY (user_id),
    CONSTRAINT user_link_user_id_fkey FOREIGN KEY (user_id) REFERENCES app_user (id),
    CONSTRAINT user_link_hash_key UNIQUE (hash),
    CONSTRAINT user_link_hash_check CHECK (octet_length(hash) = 32),
    CONSTRAINT user_link_kind_check CHECK (kind IN ('invitation', 'reset')),
    CONSTRAINT user_link_delivery_check CHECK (delivery IN ('answer', 'mail')),
    CONSTRAINT user_link_sent_check CHECK (delivery = 'mail' OR (hash IS NOT NULL AND next_try_at IS NULL AND sent_at IS NULL)),
    CONSTRAINT user_link_attempts_check CHECK (attempts BETWEEN 0 AND 20)
);
CREATE INDEX user_link_next_try_at_idx ON user_link (next_try_at) WHERE next_try_at IS NOT NULL;
SELECT audit_attach('user_link', '{user_id}', '{hash}', '{attempts,next_try_at}');

-- Wrong passwords, counted by account, by address, and by both for an address from which the account was opened
-- before. Keys are salted digests. No change of it is worth an audit row, and a crash may forget it.
CREATE UNLOGGED TABLE login_throttle (
    kind      text COLLATE "C" NOT NULL,
    key       bytea NOT NULL,
    failures  integer NOT NULL DEFAULT 0,
    leaked_at timestamptz NOT NULL DEFAULT clock_timestamp(), -- up to here failures were forgiven by time
    until     timestamptz NOT NULL DEFAULT clock_timestamp(), -- no attempt before
    CONSTRAINT login_throttle_pkey PRIMARY KEY (kind, key),
    CONSTRAINT login_throttle_kind_check CHECK (kind IN ('account', 'address', 'known')),
    CONSTRAINT login_throttle_failures_check CHECK (failures >= 0)
);
CREATE INDEX login_throttle_until_idx ON login_throttle (until);

CREATE INDEX app_user_created_by_idx ON app_user (created_by);
