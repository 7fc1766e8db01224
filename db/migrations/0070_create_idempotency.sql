-- What a POST with an Idempotency-Key was answered, for its replay. Written in the transaction of the write itself: either
-- both are there or neither. The table shows neither keys nor answers: key_hash and the seal come from the key, which only
-- its sender has.
CREATE TABLE idempotency (
    subject      text NOT NULL,
    client_id    text COLLATE "C" NOT NULL,
    key_hash     bytea NOT NULL,
    operation    text NOT NULL,
    fingerprint  bytea NOT NULL,                -- of method, target and body
    reach        bytea NOT NULL,                -- of where the caller could act when it was carried out
    answer       bytea,                         -- sealed: status, headers, body
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL DEFAULT now() + interval '24 hours',
    CONSTRAINT idempotency_pkey PRIMARY KEY (client_id, subject, key_hash),
    CONSTRAINT idempotency_subject_check CHECK (length(subject) BETWEEN 1 AND 100),
    CONSTRAINT idempotency_client_id_check CHECK (length(client_id) BETWEEN 1 AND 100),
    CONSTRAINT idempotency_operation_check CHECK (length(operation) BETWEEN 1 AND 100),
    CONSTRAINT idempotency_hashes_check CHECK (
        octet_length(key_hash) = 32 AND octet_length(fingerprint) = 32 AND octet_length(reach) = 32),
    CONSTRAINT idempotency_expires_at_check CHECK (isfinite(expires_at) AND expires_at > created_at)
);
CREATE INDEX idempotency_expires_at_idx ON idempotency (expires_at);
