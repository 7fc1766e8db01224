-- Logging in. Rule: an attempt is counted before the password is looked at, so that a hundred at once are no more than a
-- hundred in turn; the right password takes it back. Nobody is locked out for ever, and somebody else's guessing does not lock
-- out an account at the addresses from which it was opened before.

-- What stands in the table for a name or an address.
CREATE OR REPLACE FUNCTION login_key(kind text, value text) RETURNS bytea
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
RETURN (SELECT sha256(s.salt || convert_to(kind || ':' || value, 'UTF8')) FROM audit_salt s);

-- An IPv6 subscriber has a whole /64; an IPv4 address may come in IPv6's clothes. Whatever is no address is one of its own.
CREATE OR REPLACE FUNCTION login_address(address text) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    plain inet;
BEGIN
    plain := regexp_replace(address, '^::ffff:(?=\d+\.)', '', 'i');
    RETURN CASE family(plain) WHEN 6 THEN network(set_masklen(plain, 64))::text ELSE host(plain) END;
EXCEPTION WHEN invalid_text_representation THEN
    RETURN '';
END
$$;

-- Failures that cost nothing, and the seconds that forgive one.
CREATE OR REPLACE FUNCTION login_free(kind text) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT
RETURN CASE kind WHEN 'address' THEN 30 ELSE 5 END;
CREATE OR REPLACE FUNCTION login_leak_s(kind text) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT
RETURN CASE kind WHEN 'address' THEN 30 ELSE 600 END;

-- Takes one attempt from each bucket, or from none: the seconds to wait, 0 when it may go on. Beyond the free ones each
-- failure doubles the wait, from a second to a quarter of an hour; a refused attempt makes it no longer.
CREATE OR REPLACE FUNCTION login_take(kinds text[], keys bytea[]) RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    bucket login_throttle;
    wait_s double precision;
    forgiven integer;
    moment timestamptz;
BEGIN
    INSERT INTO login_throttle (kind, key) SELECT * FROM unnest(kinds, keys) ON CONFLICT DO NOTHING;
    PERFORM FROM login_throttle t JOIN unnest(kinds, keys) AS w(kind, key) USING (kind, key) ORDER BY t.kind, t.key FOR UPDATE OF t;
    moment := clock_timestamp();
    SELECT max(extract(epoch FROM t.until - moment)) INTO wait_s
    FROM login_throttle t JOIN unnest(kinds, keys) AS w(kind, key) USING (kind, key);
    IF wait_s > 0 THEN
        RETURN ceil(wait_s);
    END IF;
    FOR bucket IN SELECT t.* FROM login_throttle t JOIN unnest(kinds, keys) AS w(kind, key) USING (kind, key) LOOP
        forgiven := floor(extract(epoch FROM moment - bucket.leaked_at) / login_leak_s(bucket.kind));
        UPDATE login_throttle t SET
            failures = greatest(bucket.failures - forgiven, 0) + 1,
            leaked_at = CASE WHEN forgiven >= bucket.failures THEN moment
                             ELSE bucket.leaked_at + forgiven * login_leak_s(bucket.kind) * interval '1 second' END,
            until = CASE WHEN greatest(bucket.failures - forgiven, 0) + 1 <= login_free(bucket.kind) THEN moment
                         ELSE moment + least(900, 2 ^ least(greatest(bucket.failures - forgiven, 0) - login_free(bucket.kind), 10))
                                     * interval '1 second' END
        WHERE t.kind = bucket.kind AND t.key = bucket.key;
    END LOOP;
    RETURN 0;
END
$$;

-- The buckets of an attempt: of account and address together where it is a known one, else of each.
CREATE OR REPLACE FUNCTION login_buckets(username text, address text, OUT kinds text[], OUT keys bytea[])
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    account bytea := login_key('account', lower(username));
    place bytea := login_key('address', login_address(address));
BEGIN
    IF EXISTS (SELECT FROM login_throttle t WHERE t.kind = 'known' AND t.key = account || place) THEN
        kinds := '{known}';
        keys := ARRAY[account || place];
    ELSE
        kinds := '{account,address}';
        keys := ARRAY[account, place];
    END IF;
END
$$;

-- Counts an attempt and says what to compare the password with; hash is NULL when nobody can log in by that name. It asks
-- the same of names that exist and of others.
CREATE OR REPLACE FUNCTION login_attempt(wanted_username text, address text,
    OUT wait_s integer, OUT user_id uuid, OUT name text, OUT language text, OUT hash text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    buckets record;
BEGIN
    buckets := login_buckets(wanted_username, address);
    wait_s := login_take(buckets.kinds, buckets.keys);
    IF wait_s = 0 THEN
        SELECT u.id, u.name, u.language, p.hash INTO user_id, name, language, hash
        FROM app_user u JOIN user_password p ON p.user_id = u.id
        WHERE u.username = lower(wanted_username) COLLATE "C" AND u.status = 'active';
    END IF;
END
$$;

-- Takes an attempt back: one that was right (then the account starts afresh, and the address is known to it from now on), or
-- one whose password was never looked at.
CREATE OR REPLACE FUNCTION login_release(username text, address text, was_right boolean) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    account bytea := login_key('account', lower(username));
    place bytea := login_key('address', login_address(address));
    buckets record := login_buckets(username, address);
BEGIN
    PERFORM FROM login_throttle t JOIN unnest(buckets.kinds, buckets.keys) AS w(kind, key) USING (kind, key)
    ORDER BY t.kind, t.key FOR UPDATE OF t;
    UPDATE login_throttle t SET failures = greatest(t.failures - 1, 0), until = clock_timestamp()
    FROM unnest(buckets.kinds, buckets.keys) AS w(kind, key)
    WHERE t.kind = w.kind AND t.key = w.key;
    IF was_right THEN
        DELETE FROM login_throttle t WHERE t.kind = 'account' AND t.key = account;
        INSERT INTO login_throttle (kind, key) VALUES ('known', account || place)
        ON CONFLICT ON CONSTRAINT login_throttle_pkey DO UPDATE
        SET failures = 0, leaked_at = excluded.leaked_at, until = excluded.until;
    END IF;
END
$$;

-- Everything counted against an account, and the addresses it was opened from, when its password becomes another.
CREATE OR REPLACE FUNCTION login_forget(username text) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DELETE FROM login_throttle t
    WHERE (t.kind = 'account' AND t.key = login_key('account', lower(username)))
       OR (t.kind = 'known' AND substring(t.key FROM 1 FOR 32) = login_key('account', lower(username)))
$$;

-- What time has forgiven: counts of yesterday, addresses not used for three months.
CREATE OR REPLACE FUNCTION login_purge() RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH gone AS (
        DELETE FROM login_throttle t
        WHERE (t.kind <> 'known' AND t.until < now() - interval '1 day')
           OR (t.kind = 'known' AND t.until < now() - interval '90 days')
        RETURNING 1)
    SELECT count(*) FROM gone
$$;
