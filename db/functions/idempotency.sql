-- Idempotency-Key: one effect, one answer. A claim is part of the write's own transaction, so a sender who comes while the
-- first is still at work waits for its end, and sees either its answer or nothing.

-- Kept answers may name whoever was erased since, or whose data were restricted, and nobody can look into them. Those whose request had not seen every
-- erasure and restriction when it began are given to nobody any more, and emptied by the next purge. An hour: an erasure lasts no longer, and numbers of transactions alone mislead where a
-- dump was restored. What a request erased itself (both have the time of one transaction) its own answer does not name.
CREATE OR REPLACE FUNCTION idempotency_outlived(seen pg_snapshot, since timestamptz) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM audit a WHERE a.table_name IN ('audit_erasure', 'personal_data_purge', 'person') AND a.action <> 'read'
                 AND (a.table_name <> 'person' OR a.after ->> 'restricted_at' IS NOT NULL)
                 AND a.xid >= pg_snapshot_xmin(seen) AND NOT pg_visible_in_snapshot(a.xid, seen) AND a.at > since - interval '1 hour' AND a.at <> since);

-- At most so many expired answers are forgotten; how many were, and whether there may be more.
CREATE OR REPLACE FUNCTION purge_idempotency(most integer, OUT done bigint, OUT more boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM idempotency WHERE ctid = ANY (ARRAY(
        SELECT i.ctid FROM idempotency i WHERE i.expires_at <= now()
        ORDER BY i.expires_at LIMIT most FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS done = ROW_COUNT;
    more := done = most;
    UPDATE idempotency i SET answer = '' WHERE i.answer <> '' AND idempotency_outlived(i.seen, i.created_at);
END
$$;

-- The answer that was kept under this key, or NULL; refused is a key that stood for another request, or was used where its
-- caller acted with another reach.
CREATE OR REPLACE FUNCTION idempotency_answer(kept idempotency, for_operation text, print bytea, in_reach bytea) RETURNS bytea
LANGUAGE plpgsql AS $$
BEGIN
    IF kept.operation <> for_operation OR kept.fingerprint <> print THEN
        PERFORM refuse('idempotency_key_reused');
    ELSIF kept.reach <> in_reach THEN
        PERFORM refuse('idempotency_rights_changed');
    END IF;
    IF kept.answer IS NOT NULL AND idempotency_outlived(kept.seen, kept.created_at) THEN
        PERFORM refuse('idempotency_forgotten');
    END IF;
    RETURN kept.answer;
END
$$;

-- Claims a key for the write that follows in this transaction: NULL, or the answer that a first request has had. Waits that
-- long for one that is still at work (55P03 when it takes longer).
CREATE OR REPLACE FUNCTION claim_idempotency(
    caller text, client text, key bytea, for_operation text, print bytea, in_reach bytea, wait_ms bigint) RETURNS bytea
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    kept idempotency;
    before text := current_setting('lock_timeout');
BEGIN
    LOOP
        PERFORM set_config('lock_timeout', wait_ms::text, true);
        INSERT INTO idempotency (subject, client_id, key_hash, operation, fingerprint, reach)
        VALUES (caller, client, key, for_operation, print, in_reach)
        ON CONFLICT ON CONSTRAINT idempotency_pkey DO NOTHING;
        IF FOUND THEN
            PERFORM set_config('lock_timeout', before, true);
            RETURN NULL;
        END IF;
        DELETE FROM idempotency i WHERE (i.client_id, i.subject, i.key_hash) = (client, caller, key) AND i.expires_at <= now();
        SELECT * INTO kept FROM idempotency i WHERE (i.client_id, i.subject, i.key_hash) = (client, caller, key);
        IF FOUND THEN
            RETURN idempotency_answer(kept, for_operation, print, in_reach);
        END IF;
    END LOOP;
END
$$;

-- The same before anything is prepared for the write, claiming nothing.
CREATE OR REPLACE FUNCTION find_idempotency(
    caller text, client text, key bytea, for_operation text, print bytea, in_reach bytea) RETURNS bytea
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    kept idempotency;
BEGIN
    SELECT * INTO kept FROM idempotency i
    WHERE (i.client_id, i.subject, i.key_hash) = (client, caller, key) AND i.expires_at > now();
    RETURN CASE WHEN FOUND THEN idempotency_answer(kept, for_operation, print, in_reach) END;
END
$$;

-- Keeps the answer of a claimed key, in the same transaction.
CREATE OR REPLACE FUNCTION keep_idempotency(caller text, client text, key bytea, sealed bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE idempotency i SET answer = sealed
    WHERE (i.client_id, i.subject, i.key_hash) = (client, caller, key) AND i.answer IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no claimed key to keep an answer under';
    END IF;
END
$$;
