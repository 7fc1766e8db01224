-- Token buckets of callers, shared by all processes: what is left of a quota, in thousandths of a request. Below zero is what
-- the processes together let through too much. Lost in a crash, which fills every bucket: that is all the harm it does.
CREATE UNLOGGED TABLE rate_bucket (
    key         bytea NOT NULL,           -- of a client, a client and its user, or an address: a hash, never the thing itself
    tokens      bigint NOT NULL,
    quota       bigint NOT NULL,          -- a minute's; also the most it holds
    settled_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT rate_bucket_pkey PRIMARY KEY (key),
    CONSTRAINT rate_bucket_key_check CHECK (octet_length(key) = 16),
    CONSTRAINT rate_bucket_tokens_check CHECK (quota > 0 AND tokens BETWEEN -quota AND quota)
);
CREATE INDEX rate_bucket_settled_at_idx ON rate_bucket (settled_at);

-- A rate of its own for a client that acts for itself, instead of the setting.
ALTER TABLE client
    ADD COLUMN rate_per_minute integer,
    ADD CONSTRAINT client_rate_per_minute_check CHECK (rate_per_minute BETWEEN 1 AND 10000000);
