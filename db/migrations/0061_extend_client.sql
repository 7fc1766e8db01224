-- What a client is beyond a name and secrets: an app without a secret (public) or a system that keeps one (confidential),
-- who answers for it, where people are sent back to, and how far it may reach on their behalf.
ALTER TABLE client
    ADD COLUMN type              text NOT NULL DEFAULT 'confidential',
    ADD COLUMN redirect_uris     text[] NOT NULL DEFAULT '{}',
    ADD COLUMN allowed_region    text COLLATE "C",   -- NULL: all of Indonesia; a limit on what its users may reach through it
    ADD COLUMN owner_name        text,
    ADD COLUMN owner_email       text,
    ADD COLUMN homepage          text,
    ADD COLUMN terms_version     text,
    ADD COLUMN terms_accepted_at timestamptz,
    ADD COLUMN suspended_reason  text,
    ADD CONSTRAINT client_type_check CHECK (type IN ('public', 'confidential')),
    ADD CONSTRAINT client_redirect_uris_check CHECK (cardinality(redirect_uris) <= 20 AND array_position(redirect_uris, NULL) IS NULL),
    ADD CONSTRAINT client_allowed_region_fkey FOREIGN KEY (allowed_region) REFERENCES region (code),
    ADD CONSTRAINT client_owner_name_check CHECK (btrim(owner_name) <> '' AND length(owner_name) <= 200),
    ADD CONSTRAINT client_owner_email_check CHECK (owner_email ~ '^[^@\s]+@[^@\s]+$' AND length(owner_email) <= 320),
    ADD CONSTRAINT client_homepage_check CHECK (homepage ~ '^https?://' AND length(homepage) <= 2000),
    ADD CONSTRAINT client_terms_check CHECK ((terms_version IS NULL) = (terms_accepted_at IS NULL)),
    ADD CONSTRAINT client_suspended_reason_check CHECK (
        suspended_reason IS NULL OR (status = 'suspended' AND btrim(suspended_reason) <> '' AND length(suspended_reason) <= 1000));
CREATE INDEX client_updated_at_idx ON client (updated_at, id);
CREATE INDEX client_allowed_region_idx ON client (allowed_region);
SELECT audit_attach('client', '{id}', '{owner_name,owner_email}', '{row_version,updated_at,secret_version}');
