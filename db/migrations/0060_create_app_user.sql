-- People who log in. A user is an account, a person (0010) somebody who acts in the programme; the one may name the other.
CREATE TABLE app_user (
    id               uuid NOT NULL DEFAULT uuidv7(),
    username         text COLLATE "C" NOT NULL,  -- lower case; an e-mail address is a good one
    name             text,                       -- NULL only when erased
    email            text,
    phone            text,
    person_id        uuid,
    language         text NOT NULL DEFAULT 'id',
    status           text NOT NULL DEFAULT 'invited',
    disabled_reason  text,
    created_by       text NOT NULL DEFAULT coalesce(audit_setting('tpbis.actor'), session_user),
    purpose          text NOT NULL DEFAULT 'account',
    legal_basis      text NOT NULL DEFAULT 'public_task',
    collected_at     timestamptz NOT NULL DEFAULT now(),
    retain_until     date,                       -- NULL: as long as the account lives
    erased_at        timestamptz,
    row_version      bigint NOT NULL DEFAULT 1,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT app_user_pkey PRIMARY KEY (id),
    CONSTRAINT app_user_username_key UNIQUE (username),
    CONSTRAINT app_user_person_id_key UNIQUE (person_id),
    CONSTRAINT app_user_person_id_fkey FOREIGN KEY (person_id) REFERENCES person (id),
    CONSTRAINT app_user_username_check CHECK (username ~ '^[a-z0-9][a-z0-9._@+-]{2,119}$'),
    CONSTRAINT app_user_name_check CHECK (btrim(name) <> '' AND length(name) <= 200),
    CONSTRAINT app_user_email_check CHECK (email ~ '^[^@\s]+@[^@\s]+$' AND length(email) <= 320),
    CONSTRAINT app_user_phone_check CHECK (btrim(phone) <> '' AND length(phone) <= 60),
    CONSTRAINT app_user_language_check CHECK (language IN ('id', 'en')),
    CONSTRAINT app_user_status_check CHECK (status IN ('invited', 'active', 'disabled', 'erased')),
    CONSTRAINT app_user_disabled_check CHECK (disabled_reason IS NULL OR status IN ('disabled', 'erased')),
    CONSTRAINT app_user_disabled_reason_check CHECK (btrim(disabled_reason) <> '' AND length(disabled_reason) <= 1000),
    CONSTRAINT app_user_erased_check CHECK ((name IS NULL) = (erased_at IS NOT NULL) AND (status = 'erased') = (erased_at IS NOT NULL)),
    CONSTRAINT app_user_retain_until_check CHECK (isfinite(retain_until))
);
CREATE INDEX app_user_updated_at_idx ON app_user (updated_at, id);
CREATE INDEX app_user_status_idx ON app_user (status, id);
SELECT audit_attach('app_user', '{id}', '{username,name,email,phone}', '{row_version,updated_at}');

ALTER TABLE assignment
    ADD CONSTRAINT assignment_user_id_fkey FOREIGN KEY (user_id) REFERENCES app_user (id);
