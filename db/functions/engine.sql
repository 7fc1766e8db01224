-- What the engine asks of the database for every kind of object.

-- Claims an id brought by a client. Waits for a caller who claims the same id at this moment.
CREATE OR REPLACE FUNCTION claim_id(wanted uuid, caller text, for_operation text, digest bytea) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    found_one creation;
BEGIN
    INSERT INTO creation (id, subject, operation, body_digest) VALUES (wanted, caller, for_operation, digest)
    ON CONFLICT ON CONSTRAINT creation_pkey DO NOTHING;
    IF FOUND THEN
        RETURN 'new';
    END IF;
    SELECT * INTO found_one FROM creation WHERE id = wanted;
    IF (found_one.subject, found_one.operation, found_one.body_digest)
        IS DISTINCT FROM (caller, for_operation, digest) THEN
        PERFORM refuse('id_taken');
    END IF;
    RETURN 'same';
END
$$;

-- At most two secrets of a client live at once. Its row is the lock, so that two writers cannot both be second.
CREATE OR REPLACE FUNCTION client_secret_limit() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE client SET secret_version = secret_version + 1 WHERE id = NEW.client_id;
    IF (SELECT count(*) FROM client_secret s
        WHERE s.client_id = NEW.client_id AND s.id <> NEW.id
          AND (s.expires_at IS NULL OR s.expires_at > now())) >= 2 THEN
        RAISE EXCEPTION 'client % already has two live secrets', NEW.client_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'client_secret_two';
    END IF;
    RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER limit_two BEFORE INSERT OR UPDATE ON client_secret
    FOR EACH ROW EXECUTE FUNCTION client_secret_limit();

CREATE OR REPLACE TRIGGER touch BEFORE UPDATE ON client
    FOR EACH ROW EXECUTE FUNCTION touch('secret_version');
CREATE OR REPLACE TRIGGER touch BEFORE UPDATE ON assignment
    FOR EACH ROW EXECUTE FUNCTION touch('place');
