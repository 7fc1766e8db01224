-- The audit as it is read and sealed: where a change was, and what makes it evident that somebody altered the past.

-- place: the region the change was in, '' the nation's library, NULL where it has no place; kept by trigger. salt makes the digest of a
-- payload (before, after) tell nothing; it goes when the payload is erased, and the digest stays in its stead.
ALTER TABLE audit
    ADD COLUMN place text COLLATE "C",
    ADD COLUMN salt uuid,
    ADD COLUMN digest bytea,
    ADD CONSTRAINT audit_digest_check CHECK (digest IS NULL OR (octet_length(digest) = 32 AND num_nonnulls(before, after, salt) = 0));
ALTER TABLE audit ALTER COLUMN salt SET DEFAULT gen_random_uuid();
CREATE INDEX audit_at_idx ON audit (at, id);
CREATE INDEX audit_actor_idx ON audit (actor, at, id);
CREATE INDEX audit_client_idx ON audit (client_id, at, id);
CREATE INDEX audit_place_idx ON audit (place, at, id) WHERE place IS NOT NULL;
CREATE INDEX audit_table_at_idx ON audit (table_name, at, id);
CREATE INDEX audit_request_idx ON audit (request_id) WHERE request_id IS NOT NULL;

-- Whose contents were erased, when and by whom. One that is not here was altered, not erased.
CREATE TABLE audit_erasure (
    audit_id    bigint NOT NULL,
    erased_at   timestamptz NOT NULL DEFAULT now(),
    actor       text NOT NULL DEFAULT coalesce(audit_setting('tpbis.actor'), session_user),
    CONSTRAINT audit_erasure_pkey PRIMARY KEY (audit_id),
    CONSTRAINT audit_erasure_audit_id_fkey FOREIGN KEY (audit_id) REFERENCES audit (id)
);
SELECT audit_attach('audit_erasure', '{audit_id}');

-- A seal over the rows of the transactions [from_xid, to_xid), none of which runs any more: the digest of each row in the order of their
-- ids, and a hash over these and the seal before. Whoever keeps one hash elsewhere can tell whether anything before it was altered.
CREATE TABLE audit_seal (
    number       bigint NOT NULL,
    sealed_at    timestamptz NOT NULL DEFAULT now(),
    from_xid     xid8 NOT NULL,
    to_xid       xid8 NOT NULL,
    row_ids      bigint[] NOT NULL,
    row_digests  bytea NOT NULL,
    previous     bytea NOT NULL,
    hash         bytea NOT NULL,
    CONSTRAINT audit_seal_pkey PRIMARY KEY (number),
    CONSTRAINT audit_seal_hash_key UNIQUE (hash),
    CONSTRAINT audit_seal_range_check CHECK (number > 0 AND from_xid < to_xid),
    CONSTRAINT audit_seal_rows_check CHECK (cardinality(row_ids) > 0 AND octet_length(row_digests) = 32 * cardinality(row_ids)),
    CONSTRAINT audit_seal_hash_check CHECK (octet_length(previous) = 32 AND octet_length(hash) = 32)
);
