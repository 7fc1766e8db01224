-- Rate limits: processes let requests through by what they know, and settle here every quarter of a second.

-- Takes what was spent from the buckets; what is in them then.
CREATE OR REPLACE FUNCTION settle_rates(keys text[], spent bigint[], quotas bigint[]) RETURNS TABLE (key text, tokens bigint)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO rate_bucket AS b (key, tokens, quota)
    SELECT decode(u.k, 'hex'), greatest(-u.q, u.q - u.s), u.q FROM unnest(keys, spent, quotas) u (k, s, q)
    ORDER BY u.k                                      -- all lock in one order
    ON CONFLICT ON CONSTRAINT rate_bucket_pkey DO UPDATE
    SET tokens = greatest(-EXCLUDED.quota, EXCLUDED.tokens - EXCLUDED.quota + least(EXCLUDED.quota,
            b.tokens + greatest(0, extract(epoch FROM clock_timestamp() - b.settled_at) * EXCLUDED.quota / 60)::bigint)),
        quota = EXCLUDED.quota, settled_at = clock_timestamp()
    RETURNING encode(b.key, 'hex'), b.tokens
$$;

-- Two minutes fill any bucket, however far it was below zero.
CREATE OR REPLACE FUNCTION purge_rates(most integer, OUT done bigint, OUT more boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM rate_bucket WHERE ctid = ANY (ARRAY(
        SELECT b.ctid FROM rate_bucket b WHERE b.settled_at < clock_timestamp() - interval '2 minutes'
        ORDER BY b.settled_at LIMIT most FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS done = ROW_COUNT;
    more := done = most;
END
$$;
