-- Logging in. Rule: an attempt is counted before the password is looked at, so that a hundred at once are no more than a
-- hundred in turn; the right password takes it back. Nobody is locked out for ever, and nobody's guessing locks out an account
-- in a browser in which it was opened before.

-- What stands in the table for a name, an address or a device.
CREATE OR REPLACE FUNCTION login_key(kind text, value text) RETURNS bytea
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
RETURN (SELECT sha256(s.salt || convert_to(kind || ':' || value, 'UTF8')) FROM audit_salt s);

-- The networks that an attempt is counted by, from the narrowest on, with the bits that tell them. An IPv6 subscriber has a whole /64, often
-- a /56, and anybody can have a /48; an IPv4 address may come in IPv6's clothes. Whatever is no address is one of its own.
CREATE OR REPLACE FUNCTION login_networks(address text, OUT kinds text[], OUT names text[], OUT bits integer[])
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    plain inet;
BEGIN
    plain := regexp_replace(address, '^::ffff:(?=\d+\.)', '', 'i');
    IF family(plain) = 6 THEN
        kinds := '{address,net,wide}';
        bits := '{64,56,48}';
    ELSE
        kinds := '{address,net}';
        bits := '{32,24}';
    END IF;
    names := ARRAY(SELECT network(set_masklen(plain, b.bits))::text FROM unnest(bits) WITH ORDINALITY b (bits, n) ORDER BY b.n);
EXCEPTION WHEN invalid_text_representation THEN
    kinds := '{address}';
    names := '{""}';
    bits := '{0}';
END
$$;

-- Failures that cost nothing, the seconds that forgive one, and how many leave a network unsuspicious: the wider it is, the more
-- people are in it.
CREATE OR REPLACE FUNCTION login_free(kind text) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT
RETURN CASE kind WHEN 'address' THEN 30 WHEN 'net' THEN 90 WHEN 'wide' THEN 180 ELSE 5 END;
CREATE OR REPLACE FUNCTION login_leak_s(kind text) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT
RETURN CASE kind WHEN 'address' THEN 30 WHEN 'net' THEN 10 WHEN 'wide' THEN 5 ELSE 600 END;
CREATE OR REPLACE FUNCTION login_quiet(kind text) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT
RETURN CASE kind WHEN 'address' THEN 3 WHEN 'net' THEN 30 WHEN 'wide' THEN 60 END;

-- What time has left of the failures.
CREATE OR REPLACE FUNCTION login_left(t login_throttle, moment timestamptz) RETURNS integer
LANGUAGE sql IMMUTABLE
RETURN greatest(t.failures - floor(extract(epoch FROM moment - t.leaked_at) / login_leak_s(t.kind)), 0)::integer;

-- Seconds of rest after so many failures: beyond the free ones each doubles them, from one to a quarter of an hour.
CREATE OR REPLACE FUNCTION login_pause(kind text, failures integer) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT
RETURN CASE WHEN failures <= login_free(kind) THEN 0 ELSE least(900, 2 ^ least(failures - 1 - login_free(kind), 10)) END;

-- Seconds that a bucket still asks for. From an unsuspicious network that of an account asks for no more than fifteen: guesses from everywhere
-- slow down the holder who comes from a new place, and do not keep the holder out.
CREATE OR REPLACE FUNCTION login_rest(t login_throttle, moment timestamptz, unsuspicious boolean) RETURNS double precision
LANGUAGE sql IMMUTABLE
RETURN extract(epoch FROM t.until - moment)
    - CASE WHEN t.kind = 'account' AND unsuspicious THEN greatest(login_pause(t.kind, t.failures) - 15, 0) ELSE 0 END;

-- Takes one attempt from each bucket, or from none: wait_s is 0 when it may go on, else waits_for says which bucket asks for it. A refused
-- attempt makes no wait longer; but who tries an account that rests pays for it in the own networks.
CREATE OR REPLACE FUNCTION login_take(kinds text[], keys bytea[], OUT wait_s integer, OUT waits_for text, OUT quiet boolean)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    moment timestamptz;
BEGIN
    INSERT INTO login_throttle (kind, key) SELECT w.* FROM unnest(kinds, keys) AS w (kind, key) ORDER BY w.kind, w.key ON CONFLICT DO NOTHING;
    PERFORM FROM login_throttle t JOIN unnest(kinds, keys) AS w (kind, key) USING (kind, key) ORDER BY t.kind, t.key FOR UPDATE OF t;
    moment := clock_timestamp();
    SELECT coalesce(bool_and(login_left(t, moment) <= login_quiet(t.kind)), false) INTO quiet -- of no network: nothing is known
    FROM login_throttle t JOIN unnest(kinds, keys) AS w (kind, key) USING (kind, key);
    SELECT ceil(login_rest(t, moment, quiet)), t.kind INTO wait_s, waits_for
    FROM login_throttle t JOIN unnest(kinds, keys) AS w (kind, key) USING (kind, key)
    WHERE login_rest(t, moment, quiet) > 0 ORDER BY login_rest(t, moment, quiet) DESC LIMIT 1;
    wait_s := coalesce(wait_s, 0);
    UPDATE login_throttle t SET
        failures = login_left(t, moment) + 1,
        leaked_at = CASE WHEN login_left(t, moment) = 0 THEN moment
                         ELSE t.leaked_at + (t.failures - login_left(t, moment)) * login_leak_s(t.kind) * interval '1 second' END,
        until = moment + login_pause(t.kind, login_left(t, moment) + 1) * interval '1 second'
    FROM unnest(kinds, keys) AS w (kind, key)
    WHERE t.kind = w.kind AND t.key = w.key AND (wait_s = 0 OR (waits_for = 'account' AND t.kind <> 'account' AND t.until <= moment));
END
$$;

-- Was the account opened in that browser before? A device is what the cookie names, or the login of an app ('grant:' and its id).
CREATE OR REPLACE FUNCTION login_device_known(account uuid, device text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
RETURN EXISTS (SELECT FROM login_device d WHERE d.user_id = account AND d.device = login_key('device', login_device_known.device))
    OR EXISTS (SELECT FROM oauth_grant g WHERE g.user_id = account AND 'grant:' || g.id = login_device_known.device AND g.expires_at > now());

-- The buckets of an attempt: of account and device together where they are known to each other, else of the account and of each
-- network.
CREATE OR REPLACE FUNCTION login_buckets(username text, address text, device text, OUT kinds text[], OUT keys bytea[])
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    account bytea := login_key('account', lower(username));
    networks record := login_networks(address);
BEGIN
    IF login_device_known((SELECT u.id FROM app_user u WHERE u.username = lower(login_buckets.username) COLLATE "C"), device) THEN
        kinds := '{known}';
        keys := ARRAY[account || login_key('device', device)];
    ELSE
        kinds := ARRAY['account'] || networks.kinds;
        keys := account || ARRAY(SELECT login_key(n.kind, n.name) FROM unnest(networks.kinds, networks.names) WITH ORDINALITY n (kind, name, i)
                                 ORDER BY n.i);
    END IF;
END
$$;

-- Counts an attempt and says what to compare the password with; hash is NULL when nobody can log in by that name. It asks
-- the same of names that exist and of others. lane: known (the account is at home there), quiet (no failures to speak of
-- around that address), other. wait_bits: the network that has to wait, when that is why.
CREATE OR REPLACE FUNCTION login_attempt(wanted_username text, address text, device text,
    OUT wait_s integer, OUT wait_bits integer, OUT lane text, OUT user_id uuid, OUT name text, OUT language text, OUT hash text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    buckets record := login_buckets(wanted_username, address, device);
    taken record := login_take(buckets.kinds, buckets.keys);
    networks record := login_networks(address);
BEGIN
    wait_s := taken.wait_s;
    wait_bits := networks.bits[array_position(networks.kinds, taken.waits_for)];
    lane := CASE WHEN buckets.kinds[1] = 'known' THEN 'known' WHEN taken.quiet THEN 'quiet' ELSE 'other' END;
    IF wait_s = 0 THEN
        SELECT u.id, u.name, u.language, p.hash INTO user_id, name, language, hash
        FROM app_user u JOIN user_password p ON p.user_id = u.id
        WHERE u.username = lower(wanted_username) COLLATE "C" AND u.status = 'active';
    END IF;
END
$$;

-- Takes an attempt back: one that was right (then the account starts afresh), or one whose password was never looked at, which the
-- account does not pay for, but the networks that it came from do.
CREATE OR REPLACE FUNCTION login_release(username text, address text, device text, was_right boolean) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    account bytea := login_key('account', lower(username));
    buckets record := login_buckets(username, address, device);
BEGIN
    PERFORM FROM login_throttle t JOIN unnest(buckets.kinds, buckets.keys) AS w (kind, key) USING (kind, key)
    ORDER BY t.kind, t.key FOR UPDATE OF t;
    UPDATE login_throttle t SET until = clock_timestamp(),
        failures = CASE WHEN was_right AND t.kind = 'known' THEN 0 ELSE greatest(t.failures - 1, 0) END
    FROM unnest(buckets.kinds, buckets.keys) AS w (kind, key)
    WHERE t.kind = w.kind AND t.key = w.key AND (was_right OR t.kind IN ('account', 'known'));
    IF was_right THEN
        DELETE FROM login_throttle t WHERE t.kind = 'account' AND t.key = account;
    END IF;
END
$$;

-- What the version before asks while this one is brought in: it knows of no devices.
CREATE OR REPLACE FUNCTION login_attempt(wanted_username text, address text,
    OUT wait_s integer, OUT user_id uuid, OUT name text, OUT language text, OUT hash text)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT a.wait_s, a.user_id, a.name, a.language, a.hash FROM login_attempt(wanted_username, address, NULL) a
$$;
CREATE OR REPLACE FUNCTION login_release(username text, address text, was_right boolean) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT login_release(username, address, NULL, was_right)
$$;

-- The whole login was right in that browser. Of an account the twenty browsers used last are remembered.
CREATE OR REPLACE FUNCTION login_remember(account uuid, device text) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO login_device (user_id, device) VALUES (account, login_key('device', device))
    ON CONFLICT ON CONSTRAINT login_device_pkey DO UPDATE SET used_on = today() WHERE login_device.used_on < today();
    DELETE FROM login_device d WHERE d.user_id = account AND d.device IN (
        SELECT o.device FROM login_device o WHERE o.user_id = account AND o.device <> login_key('device', login_remember.device)
        ORDER BY o.used_on DESC, o.device OFFSET 19);
$$;

-- Everything counted against an account, and the browsers it was opened in, when its password becomes another.
CREATE OR REPLACE FUNCTION login_forget(username text) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DELETE FROM login_throttle t
    WHERE (t.kind = 'account' AND t.key = login_key('account', lower(username)))
       OR (t.kind = 'known' AND substring(t.key FROM 1 FOR 32) = login_key('account', lower(username)));
    DELETE FROM login_device d USING app_user u WHERE u.id = d.user_id AND u.username = lower(login_forget.username) COLLATE "C"
$$;

-- What time has forgiven: counts of yesterday, browsers not used for three months.
CREATE OR REPLACE FUNCTION login_purge() RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH counts AS (DELETE FROM login_throttle t WHERE t.until < now() - interval '1 day' RETURNING 1),
    devices AS (DELETE FROM login_device d WHERE d.used_on < today() - 90 RETURNING 1)
    SELECT (SELECT count(*) FROM counts) + (SELECT count(*) FROM devices)
$$;
