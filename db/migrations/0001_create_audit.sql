-- Who did what. One row per changed row (db/functions/base_audit.sql writes them), with the transaction
-- that made it, so that readers can tell which tables changed and follow changes in commit order.
CREATE TABLE audit (
    id          bigint GENERATED ALWAYS AS IDENTITY,
    at          timestamptz NOT NULL DEFAULT now(),
    xid         xid8 NOT NULL DEFAULT pg_current_xact_id(),
    actor       text NOT NULL,
    client_id   text,
    request_id  text,
    operation   text,
    table_name  text COLLATE "C" NOT NULL,
    row_key     jsonb,
    action      text NOT NULL,
    before      jsonb,
    after       jsonb,
    CONSTRAINT audit_pkey PRIMARY KEY (id),
    CONSTRAINT audit_action_check CHECK (action IN ('insert', 'update', 'delete', 'truncate', 'read'))
);
CREATE INDEX audit_xid_idx ON audit (xid) INCLUDE (table_name, action);
-- The newest change of each table, which the watch (db/watch.c) asks for when it connects.
CREATE INDEX audit_table_idx ON audit (table_name, xid) WHERE action <> 'read';
CREATE INDEX audit_row_idx ON audit (table_name, row_key);

-- The salt of the digests that stand for private values; one row, never read by the service.
CREATE TABLE audit_salt (
    only_row  boolean NOT NULL DEFAULT true,
    salt      bytea NOT NULL,
    CONSTRAINT audit_salt_pkey PRIMARY KEY (only_row),
    CONSTRAINT audit_salt_only_row_check CHECK (only_row),
    CONSTRAINT audit_salt_salt_check CHECK (octet_length(salt) = 32)
);
INSERT INTO audit_salt (salt) VALUES (uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
