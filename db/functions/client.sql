-- The rules of clients, their secrets and keys; they hold for the service, the command line and a person in psql alike.

-- Why a redirect URI is refused, NULL when it is good: exact https, http to this machine itself (RFC 8252 7.3), or a private-use
-- scheme with a dot (RFC 8252 7.1). What is registered is compared character by character, so nothing in it stands for anything else.
CREATE OR REPLACE FUNCTION redirect_uri_fault(uri text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN length(uri) > 2000 THEN 'length'
    WHEN uri !~ '^[!-~]+$' OR uri ~ '["<>\\^`{|}]' THEN 'characters'
    WHEN strpos(uri, '#') > 0 THEN 'fragment'
    WHEN strpos(uri, '*') > 0 THEN 'wildcard'
    WHEN uri ~ '^[A-Za-z][A-Za-z0-9+.-]*://[^/?]*@' THEN 'userinfo'
    WHEN uri ~ '^https://' THEN CASE
        WHEN uri !~ '^https://([a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:.]+\])(:[0-9]{1,5})?([/?].*)?$'
        THEN 'host' END
    WHEN uri ~ '^http://' THEN CASE
        WHEN uri !~ '^http://(127\.0\.0\.1|\[::1\]|localhost)(:[0-9]{1,5})?([/?].*)?$' THEN 'loopback' END
    WHEN uri ~ '^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:/' THEN NULL
    ELSE 'scheme' END;

CREATE OR REPLACE FUNCTION client_guard() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    one text;
BEGIN
    FOREACH one IN ARRAY NEW.redirect_uris LOOP
        IF redirect_uri_fault(one) IS NOT NULL THEN
            PERFORM refuse('redirect_uri_invalid', jsonb_build_object('uri', left(one, 200), 'why', redirect_uri_fault(one)));
        END IF;
    END LOOP;
    NEW.allowed_scopes := coalesce(NEW.allowed_scopes, '{published:read}'); -- the least; everything else by name
    IF TG_OP = 'INSERT' OR NEW.allowed_scopes IS DISTINCT FROM OLD.allowed_scopes THEN
        FOREACH one IN ARRAY NEW.allowed_scopes LOOP
            IF NOT (one IN ('account:read', 'account:write') OR EXISTS (SELECT FROM role_scope s WHERE s.scope = one)) THEN
                PERFORM refuse('scope_unknown', jsonb_build_object('scope', left(one, 100)));
            END IF;
        END LOOP;
    END IF;
    IF NEW.allowed_region IS NOT NULL AND (TG_OP = 'INSERT' OR NEW.allowed_region IS DISTINCT FROM OLD.allowed_region)
        AND NOT EXISTS (SELECT FROM region r WHERE r.code = NEW.allowed_region AND (r.valid_to IS NULL OR r.valid_to >= today())) THEN
        PERFORM refuse('region_unknown', jsonb_build_object('code', NEW.allowed_region, 'on', today()::text));
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.type <> OLD.type THEN -- its secrets, grants and keys were given for what it was
        RAISE EXCEPTION 'the type of a client never changes' USING ERRCODE = 'check_violation', CONSTRAINT = 'client_type_fixed';
    END IF;
    RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER guard BEFORE INSERT OR UPDATE ON client
    FOR EACH ROW EXECUTE FUNCTION client_guard();

-- A public client runs on somebody's phone: what is called its secret would be none.
CREATE OR REPLACE FUNCTION client_secret_guard() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM client c WHERE c.id = NEW.client_id AND c.type = 'public') THEN
        PERFORM refuse('client_public');
    END IF;
    RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER guard BEFORE INSERT OR UPDATE ON client_secret
    FOR EACH ROW EXECUTE FUNCTION client_secret_guard();

-- At most twenty live keys of a client. Its row is the lock, as with secrets.
CREATE OR REPLACE FUNCTION api_key_limit() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE client SET secret_version = secret_version + 1 WHERE id = NEW.client_id;
    IF (SELECT count(*) FROM api_key k
        WHERE k.client_id = NEW.client_id AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())) >= 20 THEN
        PERFORM refuse('too_many_api_keys');
    END IF;
    RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER limit_twenty BEFORE INSERT ON api_key
    FOR EACH ROW EXECUTE FUNCTION api_key_limit();

-- What a JSON array of texts is as an array; NULL stays NULL.
CREATE OR REPLACE FUNCTION text_list(list jsonb) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN ARRAY(SELECT e.value FROM jsonb_array_elements_text(list) WITH ORDINALITY e (value, place) ORDER BY e.place);

-- The id of a client made with that id of ours.
CREATE OR REPLACE FUNCTION client_id_of(id uuid) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN 'c_' || replace(id::text, '-', '');

-- ---- gates ------------------------------------------------------------------------------------------------------

-- What belongs to no region (clients, programmes, phases) is written for the whole nation, or not at all.
CREATE OR REPLACE FUNCTION gate_nation() RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    RETURN CASE WHEN place_nation() THEN true ELSE refuse('out_of_reach', '{"what": "Indonesia"}') END;
END
$$;

CREATE OR REPLACE FUNCTION gate_client(wanted text, if_match bigint[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    found_version bigint;
BEGIN
    SELECT c.row_version INTO found_version FROM client c WHERE c.id = wanted FOR NO KEY UPDATE;
    RETURN gate_version(found_version, if_match);
END
$$;

-- Terms of use: whoever registers accepts those in force; what was accepted before them stays valid until an administrator suspends.
CREATE OR REPLACE FUNCTION gate_terms(accepted text, in_force text) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    IF in_force IS NOT NULL AND accepted IS DISTINCT FROM in_force THEN
        PERFORM refuse('terms_not_accepted', jsonb_build_object('version', in_force));
    END IF;
    RETURN true;
END
$$;

CREATE OR REPLACE FUNCTION gate_client_status(wanted text, next_status text) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM gate_client(wanted, NULL);
    IF EXISTS (SELECT FROM client c WHERE c.id = wanted AND c.status = next_status) THEN
        PERFORM refuse('client_status_same', jsonb_build_object('status', next_status));
    END IF;
    RETURN true;
END
$$;

-- The first secret of a client, where it has one. `digest` in hexadecimal digits.
CREATE OR REPLACE FUNCTION client_secret_first(of_client text, digest text) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    IF digest IS NOT NULL THEN
        INSERT INTO client_secret (client_id, hash) VALUES (of_client, decode(digest, 'hex'));
    END IF;
    RETURN true;
END
$$;

CREATE OR REPLACE FUNCTION gate_client_secret(of_client text, wanted uuid) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM gate_client(of_client, NULL);
    IF NOT EXISTS (SELECT FROM client_secret s WHERE s.id = wanted AND s.client_id = of_client) THEN
        PERFORM refuse('not_found');
    END IF;
    RETURN true;
END
$$;

CREATE OR REPLACE FUNCTION gate_api_key(of_client text, wanted uuid) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM gate_client(of_client, NULL);
    IF NOT EXISTS (SELECT FROM api_key k WHERE k.id = wanted AND k.client_id = of_client) THEN
        PERFORM refuse('not_found');
    END IF;
    RETURN true;
END
$$;

-- The owner's contact is read with the client, so the read goes on record. False when there is no such client.
CREATE OR REPLACE FUNCTION client_read(wanted text) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO audit (actor, client_id, request_id, operation, table_name, row_key, action)
    SELECT coalesce(audit_setting('tpbis.actor'), session_user), audit_setting('tpbis.client'), audit_setting('tpbis.request_id'),
           audit_setting('tpbis.operation'), 'client', jsonb_build_object('id', c.id), 'read'
    FROM client c WHERE c.id = wanted;
    RETURN FOUND;
END
$$;

-- Remembers that these keys were used today; once a day each. The service calls it beside the requests, not in them.
CREATE OR REPLACE FUNCTION api_key_used(keys uuid[]) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    written bigint;
BEGIN
    INSERT INTO api_key_use AS u (api_key_id, last_used_on)
    SELECT k.id, today() FROM api_key k WHERE k.id = ANY (keys) ORDER BY k.id
    ON CONFLICT ON CONSTRAINT api_key_use_pkey DO UPDATE SET last_used_on = EXCLUDED.last_used_on
        WHERE u.last_used_on < EXCLUDED.last_used_on;
    GET DIAGNOSTICS written = ROW_COUNT;
    RETURN written;
END
$$;
