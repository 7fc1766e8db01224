-- The second factor. Rule: a secret comes in and goes out sealed, a recovery code comes in as its SHA-256; each code counts once, and
-- what a browser's login is worth is written in the transaction that used the code up.

-- Who gives rights or administers proves it twice. A property of the role's scopes, so that a new role is never forgotten.
CREATE OR REPLACE FUNCTION role_needs_factor(wanted text) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM role_scope s WHERE s.role = wanted AND s.scope IN ('admin', 'assignments:write'));

-- Charged with such a role today, or later.
CREATE OR REPLACE FUNCTION user_needs_factor(wanted uuid) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM assignment a
               WHERE a.user_id = wanted AND coalesce(a.ends_on, 'infinity') >= greatest(today(), a.starts_on) AND role_needs_factor(a.role));

-- What a page and the holder may know of it; factor_id is NULL when there is none.
CREATE OR REPLACE FUNCTION user_factor_state(wanted uuid, OUT factor_id uuid, OUT needed boolean, OUT codes_kept boolean,
    OUT codes_left integer, OUT set_up_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    needed := user_needs_factor(wanted);
    SELECT f.id, f.codes_kept, f.created_at INTO factor_id, codes_kept, set_up_at FROM user_factor f WHERE f.user_id = wanted;
    codes_left := (SELECT count(*) FROM user_recovery_code c WHERE c.user_id = wanted AND c.used_at IS NULL);
END
$$;

CREATE OR REPLACE FUNCTION user_factor_secret(wanted uuid, OUT secret bytea, OUT key_id text) RETURNS SETOF record
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT f.secret, f.key_id FROM user_factor f WHERE f.user_id = wanted
$$;

-- ---- guesses ------------------------------------------------------------------------------------------------------------

-- Counted like passwords, under the account's own key: only who has the password gets here, so nobody else can make the holder wait.
CREATE OR REPLACE FUNCTION user_factor_attempt(wanted uuid) RETURNS integer
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT t.wait_s FROM login_take('{account}', ARRAY[login_key('factor', wanted::text)]) t
$$;

CREATE OR REPLACE FUNCTION user_factor_attempts_forget(wanted uuid) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DELETE FROM login_throttle t WHERE t.kind = 'account' AND t.key = login_key('factor', wanted::text)
$$;

-- ---- a browser's login ---------------------------------------------------------------------------------------------------

-- The login of that browser, held until the end of the transaction; false when it has ended or is somebody else's.
CREATE OR REPLACE FUNCTION login_session_hold(session bytea, of_user uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM FROM login_session s JOIN app_user u ON u.id = s.user_id
    WHERE s.hash = session AND s.user_id = of_user AND s.expires_at > now() AND u.status = 'active' FOR UPDATE OF s;
    RETURN FOUND;
END
$$;

CREATE OR REPLACE FUNCTION login_session_two_factors(session bytea) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce((SELECT 'mfa' = ANY (s.amr) FROM login_session s WHERE s.hash = session), false)
$$;

-- May codes be given to apps in this login? Not before the second factor of an account that has one, or must have one.
CREATE OR REPLACE FUNCTION login_session_complete(session bytea, of_user uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT login_session_two_factors(session)
        OR NOT (user_needs_factor(of_user) OR EXISTS (SELECT FROM user_factor f WHERE f.user_id = of_user))
$$;

-- A code of that time step was right: once for each step, and in their order.
CREATE OR REPLACE FUNCTION user_factor_enter(session bytea, of_user uuid, step bigint) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT login_session_hold(session, of_user) THEN
        RETURN false;
    END IF;
    UPDATE user_factor f SET last_step = step WHERE f.user_id = of_user AND f.last_step < step;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE login_session s SET amr = '{pwd,otp,mfa}' WHERE s.hash = session;
    PERFORM user_factor_attempts_forget(of_user);
    RETURN true;
END
$$;

-- A recovery code in place of one of the telephone's.
CREATE OR REPLACE FUNCTION user_factor_recover(session bytea, of_user uuid, code bytea) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT login_session_hold(session, of_user) THEN
        RETURN false;
    END IF;
    UPDATE user_recovery_code c SET used_at = now() WHERE c.user_id = of_user AND c.hash = code AND c.used_at IS NULL;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE login_session s SET amr = '{pwd,mfa}' WHERE s.hash = session;
    PERFORM user_factor_attempts_forget(of_user);
    RETURN true;
END
$$;

-- ---- setting it up -------------------------------------------------------------------------------------------------------

-- Ten new recovery codes in place of all that were; until their holder says so they are not kept, and are made again.
CREATE OR REPLACE FUNCTION user_recovery_codes_set(wanted uuid, codes bytea[]) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM user_recovery_code c WHERE c.user_id = wanted;
    INSERT INTO user_recovery_code (user_id, number, hash) SELECT wanted, n, h FROM unnest(codes) WITH ORDINALITY AS made (h, n);
    UPDATE user_factor f SET codes_kept = false WHERE f.user_id = wanted;
END
$$;

-- A first code of a new secret was right. `in_place_of` is the factor that the page began with: of two at once, one wins. Whoever has a
-- factor already shows that one before (or a recovery code).
CREATE OR REPLACE FUNCTION user_factor_set_up(session bytea, of_user uuid, in_place_of uuid, new_secret bytea, by_key text, step bigint,
    codes bytea[]) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    old uuid;
BEGIN
    IF NOT login_session_hold(session, of_user) THEN
        RETURN false;
    END IF;
    PERFORM FROM app_user u WHERE u.id = of_user FOR NO KEY UPDATE;
    SELECT f.id INTO old FROM user_factor f WHERE f.user_id = of_user;
    IF old IS DISTINCT FROM in_place_of OR (old IS NOT NULL AND NOT login_session_two_factors(session)) THEN
        RETURN false;
    END IF;
    INSERT INTO user_factor (user_id, secret, key_id, last_step) VALUES (of_user, new_secret, by_key, step)
    ON CONFLICT ON CONSTRAINT user_factor_pkey DO UPDATE
    SET id = excluded.id, secret = excluded.secret, key_id = excluded.key_id, last_step = excluded.last_step, created_at = excluded.created_at;
    PERFORM user_recovery_codes_set(of_user, codes);
    UPDATE login_session s SET amr = '{pwd,otp,mfa}' WHERE s.hash = session;
    PERFORM user_factor_attempts_forget(of_user);
    RETURN true;
END
$$;

CREATE OR REPLACE FUNCTION user_recovery_codes_renew(session bytea, of_user uuid, codes bytea[]) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT login_session_hold(session, of_user) OR NOT login_session_two_factors(session)
       OR NOT EXISTS (SELECT FROM user_factor f WHERE f.user_id = of_user FOR UPDATE) THEN
        RETURN false;
    END IF;
    PERFORM user_recovery_codes_set(of_user, codes);
    RETURN true;
END
$$;

CREATE OR REPLACE FUNCTION user_recovery_codes_keep(session bytea, of_user uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT login_session_hold(session, of_user) OR NOT login_session_two_factors(session) THEN
        RETURN false;
    END IF;
    UPDATE user_factor f SET codes_kept = true WHERE f.user_id = of_user;
    RETURN FOUND;
END
$$;

-- ---- taking it away ------------------------------------------------------------------------------------------------------

-- By its holder, who has just logged in: not where a charge asks for it.
CREATE OR REPLACE FUNCTION user_factor_remove(wanted uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF user_needs_factor(wanted) THEN
        PERFORM refuse('second_factor_kept');
    END IF;
    DELETE FROM user_factor f WHERE f.user_id = wanted;
    IF NOT FOUND THEN
        PERFORM refuse('not_found');
    END IF;
END
$$;

-- By an administrator or from the command line, for somebody who has lost telephone and recovery codes: whoever is logged in with that
-- account is so no more, and the holder hears of it by mail.
CREATE OR REPLACE FUNCTION user_factor_reset(wanted uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM user_factor f WHERE f.user_id = wanted;
    IF NOT FOUND THEN
        PERFORM refuse('not_found');
    END IF;
    PERFORM user_factor_attempts_forget(wanted);
    PERFORM user_sessions_end(wanted, 'second factor');
    INSERT INTO user_mail (user_id, kind, address, next_try_at)
    SELECT u.id, 'factor_reset', u.email, now() FROM app_user u WHERE u.id = wanted AND u.email IS NOT NULL;
END
$$;

-- As the version before calls it.
CREATE OR REPLACE FUNCTION user_factor_reset(wanted uuid, subject text) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT CASE WHEN wanted::text = subject THEN refuse('own_account') END;
    SELECT user_factor_reset(wanted)
$$;

-- ---- what a token says of its login ------------------------------------------------------------------------------------------

-- When and how the person of a grant logged in: Unix time, and the words of RFC 8176. It sees what this very statement has written.
CREATE OR REPLACE FUNCTION oauth_grant_login(of_grant uuid, outcome text, OUT auth_time bigint, OUT amr text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    SELECT floor(extract(epoch FROM g.authenticated_at))::bigint, array_to_string(g.amr, ' ') INTO auth_time, amr
    FROM oauth_grant g WHERE g.id = of_grant AND outcome IN ('issued', 'again');
END
$$;
