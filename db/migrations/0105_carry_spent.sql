-- What the last settlement told of a bucket. It may be negative: an answer that cost less than was taken for it gives the rest
-- back, perhaps after the taking was told already.
ALTER TABLE rate_bucket ADD COLUMN spent bigint NOT NULL DEFAULT 0;
