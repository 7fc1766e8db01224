-- What callers call their own request, beside the id that is ours: it joins their records to ours and proves nothing.
ALTER TABLE audit ADD COLUMN caller_request_id text;
ALTER TABLE audit ALTER COLUMN caller_request_id SET DEFAULT audit_setting('tpbis.caller_request_id');
-- NOT VALID: the rows that are there were written by this service, and are many.
ALTER TABLE audit ADD CONSTRAINT audit_request_id_check CHECK (length(request_id) <= 128 AND length(caller_request_id) <= 128) NOT VALID;

-- What a request had before its eyes when it began: an erasure that is not among it may still be named in the answer that was kept. An answer from
-- before this column has seen none.
ALTER TABLE idempotency ADD COLUMN seen pg_snapshot NOT NULL DEFAULT '1:1:';
ALTER TABLE idempotency ALTER COLUMN seen SET DEFAULT pg_current_snapshot();
