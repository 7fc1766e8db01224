-- From where a login was made (the /24 or /48, not the address), and from where its refresh token was last turned over: a user knows
-- the own logins by the one, and a repeated refresh token is told from a stolen one by the other.
ALTER TABLE oauth_code ADD COLUMN network cidr;
ALTER TABLE oauth_grant ADD COLUMN network cidr;
SELECT audit_attach('oauth_grant', '{id}', '{}', '{session_hash,network}');

-- A turn whose answer is asked for again, later than requests that race each other are: rare with one holder, the rule with two.
ALTER TABLE oauth_refresh
    ADD COLUMN network        cidr,
    ADD COLUMN repeated       boolean NOT NULL DEFAULT false,
    ADD COLUMN repeated_turns integer NOT NULL DEFAULT 0, -- one after the other, this one with them
    ADD CONSTRAINT oauth_refresh_repeated_turns_check CHECK (repeated_turns >= 0);

-- Both are made anew with one more argument, which the version before leaves out.
DROP FUNCTION IF EXISTS oauth_code_issue(bytea, bytea, uuid, text, text, text, text[], integer, boolean);
DROP FUNCTION IF EXISTS oauth_refresh_use(uuid, bytea, text, text[], bytea, bytea, integer, integer);
