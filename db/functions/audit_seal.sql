-- The audit keeps what it has: rows are only added, sealed, and relieved of their contents. Never to be broken: audit_row_digest() says what
-- a seal stands for, and db/queries/audit_verify.sql says the same again; a change of one makes every seal look broken.

CREATE OR REPLACE FUNCTION audit_payload_digest(a audit) RETURNS bytea
LANGUAGE sql STABLE
RETURN coalesce(a.digest, sha256(convert_to(jsonb_build_array(a.salt, a.before, a.after)::text, 'UTF8')));

CREATE OR REPLACE FUNCTION audit_row_digest(a audit) RETURNS bytea
LANGUAGE sql STABLE
RETURN sha256(convert_to((jsonb_build_array(a.id, (extract(epoch FROM a.at) * 1000000)::bigint, a.xid::text, a.actor, a.client_id, a.request_id,
    a.operation, a.table_name, a.row_key, a.action, a.place, encode(audit_payload_digest(a), 'hex'))
    || CASE WHEN a.caller_request_id IS NULL THEN '[]' ELSE jsonb_build_array(a.caller_request_id) END)::text, 'UTF8'));

-- BEFORE UPDATE, DELETE, TRUNCATE: nothing changes but contents, which may go, each with its record in audit_erasure.
CREATE OR REPLACE FUNCTION audit_keep() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF to_jsonb(NEW) - '{before,after,salt,digest}'::text[] = to_jsonb(OLD) - '{before,after,salt,digest}'::text[] AND (
               (NEW.before, NEW.after, NEW.digest) IS NOT DISTINCT FROM (OLD.before, OLD.after, OLD.digest) AND OLD.salt IS NULL
               OR NEW.digest = audit_payload_digest(OLD)) THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'the audit keeps its rows' USING ERRCODE = 'restrict_violation', CONSTRAINT = 'audit_keep';
END
$$;
CREATE OR REPLACE TRIGGER keep BEFORE UPDATE ON audit FOR EACH ROW EXECUTE FUNCTION audit_keep();
CREATE OR REPLACE TRIGGER keep_rows BEFORE DELETE OR TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_keep();
CREATE OR REPLACE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_seal FOR EACH STATEMENT EXECUTE FUNCTION forbid_removal();
CREATE OR REPLACE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_erasure FOR EACH STATEMENT EXECUTE FUNCTION forbid_removal();

-- What the audit tells of a record loses its contents. That there was a change, when and by whom stays, and so does every seal.
-- Returns how many rows it was.
CREATE OR REPLACE FUNCTION audit_payload_erase(of_table text, of_key jsonb) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH erased AS (
        UPDATE audit a SET digest = audit_payload_digest(a), before = NULL, after = NULL, salt = NULL
        WHERE a.table_name = of_table AND a.row_key = of_key AND num_nonnulls(a.before, a.after) > 0 RETURNING a.id),
    recorded AS (INSERT INTO audit_erasure (audit_id) SELECT id FROM erased RETURNING audit_id)
    SELECT count(*) FROM recorded
$$;

-- Seals what is final: rows of transactions below the oldest running one, whole transactions, about `most` rows at once. `note` is the new
-- head, for the log. Without a row there is no seal.
CREATE OR REPLACE FUNCTION audit_seal_run(most integer, OUT done bigint, OUT more boolean, OUT note text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    last record;
    horizon xid8 := pg_snapshot_xmin(pg_current_snapshot());
    from_xid xid8;
    to_xid xid8;
    ids bigint[];
    digests bytea;
    previous bytea;
    fresh bytea;
BEGIN
    done := 0;
    more := false;
    PERFORM pg_advisory_xact_lock(hashtext('tpbis.audit_seal'));
    SELECT s.number, s.to_xid, s.hash INTO last FROM audit_seal s ORDER BY s.number DESC LIMIT 1;
    from_xid := coalesce(last.to_xid, '0'::xid8);
    SELECT max(r.xid), count(*) >= most INTO to_xid, more
    FROM (SELECT a.xid FROM audit a WHERE a.xid >= from_xid AND a.xid < horizon ORDER BY a.xid LIMIT most) r;
    IF to_xid IS NULL THEN
        RETURN;
    END IF;
    to_xid := CASE WHEN more THEN (to_xid::text::bigint + 1)::text::xid8 ELSE horizon END;
    UPDATE audit a SET salt = gen_random_uuid() -- of the time before seals
    WHERE a.xid >= from_xid AND a.xid < to_xid AND a.salt IS NULL AND a.digest IS NULL;
    SELECT array_agg(a.id ORDER BY a.id), string_agg(audit_row_digest(a), NULL::bytea ORDER BY a.id) INTO ids, digests
    FROM audit a WHERE a.xid >= from_xid AND a.xid < to_xid;
    previous := coalesce(last.hash, decode(repeat('00', 32), 'hex'));
    fresh := sha256(previous || convert_to(jsonb_build_array(coalesce(last.number, 0) + 1, from_xid::text, to_xid::text, ids)::text, 'UTF8') || digests);
    INSERT INTO audit_seal (number, from_xid, to_xid, row_ids, row_digests, previous, hash)
    VALUES (coalesce(last.number, 0) + 1, from_xid, to_xid, ids, digests, previous, fresh);
    done := cardinality(ids);
    note := encode(fresh, 'hex');
END
$$;
