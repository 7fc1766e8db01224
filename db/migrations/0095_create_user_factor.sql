-- The second factor of people: one-time codes by time (RFC 6238), and recovery codes for a lost telephone. The secret is sealed with
-- a key that is not in the database (a file of the key directory), with the account's id inside it, so that it opens for no other.
CREATE TABLE user_factor (
    user_id     uuid NOT NULL,
    id          uuid NOT NULL DEFAULT uuidv7(),  -- another one whenever it is set up anew
    secret      bytea NOT NULL,                  -- sealed
    key_id      text COLLATE "C" NOT NULL,       -- of the key that it is sealed with
    last_step   bigint NOT NULL,                 -- of the code accepted last: no code of it or of one before counts (RFC 6238 5.2)
    codes_kept  boolean NOT NULL DEFAULT false,  -- the holder said that the recovery codes are kept
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT user_factor_pkey PRIMARY KEY (user_id),
    CONSTRAINT user_factor_user_id_fkey FOREIGN KEY (user_id) REFERENCES app_user (id),
    CONSTRAINT user_factor_secret_check CHECK (octet_length(secret) BETWEEN 40 AND 200),
    CONSTRAINT user_factor_key_id_check CHECK (key_id ~ '^[0-9a-f]{16}$')
);
SELECT audit_attach('user_factor', '{user_id}', '{}', '{secret,last_step}');

-- SHA-256 of 80 random bits each; ten at a time, and new ones take the place of all that were.
CREATE TABLE user_recovery_code (
    user_id     uuid NOT NULL,
    number      integer NOT NULL,
    hash        bytea NOT NULL,
    used_at     timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT user_recovery_code_pkey PRIMARY KEY (user_id, number),
    CONSTRAINT user_recovery_code_user_id_fkey FOREIGN KEY (user_id) REFERENCES user_factor (user_id) ON DELETE CASCADE,
    CONSTRAINT user_recovery_code_hash_check CHECK (octet_length(hash) = 32),
    CONSTRAINT user_recovery_code_number_check CHECK (number BETWEEN 1 AND 20)
);
SELECT audit_attach('user_recovery_code', '{user_id,number}', '{}', '{hash}');

-- How somebody logged in, in the words of RFC 8176, goes from the browser's login to the code, and from the code to the grant.
ALTER TABLE login_session
    ADD COLUMN amr text[] NOT NULL DEFAULT '{pwd}',
    ADD CONSTRAINT login_session_amr_check CHECK (amr <@ '{pwd,otp,mfa}');
ALTER TABLE oauth_code
    ADD COLUMN authenticated_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN amr text[] NOT NULL DEFAULT '{pwd}',
    ADD CONSTRAINT oauth_code_amr_check CHECK (amr <@ '{pwd,otp,mfa}');
ALTER TABLE oauth_grant
    ADD COLUMN authenticated_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN amr text[] NOT NULL DEFAULT '{pwd}',
    ADD CONSTRAINT oauth_grant_amr_check CHECK (amr <@ '{pwd,otp,mfa}');
UPDATE oauth_grant SET authenticated_at = created_at;
