-- Rate limits: processes let requests through by what they know, and settle here every quarter of a second.

-- Takes what was spent from the buckets; what is in them then. It refuses nothing that a process may say: `spent` is negative where
-- an answer gave back what was told before, a debt has a bound, and what is no bucket at all is passed over.
CREATE OR REPLACE FUNCTION settle_rates(keys text[], spent bigint[], quotas bigint[]) RETURNS TABLE (key text, tokens bigint)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO rate_bucket AS b (key, tokens, quota, spent)
    SELECT decode(u.k, 'hex'), least(u.q, u.q - u.s), u.q, u.s
    FROM (SELECT t.k, max(t.q) AS q, greatest(-max(t.q), least(2 * max(t.q), sum(t.s)))::bigint AS s
          FROM unnest(keys, spent, quotas) t (k, s, q)
          WHERE t.k ~ '^[0-9a-f]{32}$' AND t.q BETWEEN 1 AND 1000000000000 AND t.s IS NOT NULL
          GROUP BY t.k) u
    ORDER BY u.k                                      -- all lock in one order
    ON CONFLICT ON CONSTRAINT rate_bucket_pkey DO UPDATE
    SET tokens = greatest(-EXCLUDED.quota, least(EXCLUDED.quota, least(EXCLUDED.quota,
            b.tokens + greatest(0, extract(epoch FROM clock_timestamp() - b.settled_at) * EXCLUDED.quota / 60)::bigint) - EXCLUDED.spent)),
        quota = EXCLUDED.quota, spent = EXCLUDED.spent, settled_at = clock_timestamp()
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
