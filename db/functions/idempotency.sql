-- Idempotency-Key: one effect, one answer. A claim is part of the write's own transaction, so a sender who comes while the
-- first is still at work waits for its end, and sees either its answer or nothing.

-- At most so many expired answers are forgotten; how many were, and whether there may be more.
CREATE OR REPLACE FUNCTION purge_idempotency(most integer, OUT done bigint, OUT more boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM idempotency WHERE ctid = ANY (ARRAY(
        SELECT i.ctid FROM idempotency i WHERE i.expires_at <= now()
        ORDER BY i.expires_at LIMIT most FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS done = ROW_COUNT;
    more := done = most;
END
$$;
