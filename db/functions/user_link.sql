-- Passwords and the links that set them. Rule: what opens an account is nowhere in the database, only its digest.

-- 256 random bits and more, in base64url behind a name that is recognised where it should not be (a log, a repository).
CREATE OR REPLACE FUNCTION user_link_token() RETURNS text
LANGUAGE sql VOLATILE
RETURN 'tpl_' || translate(encode(sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())),
                                  'base64'), '+/=', '-_');

CREATE OR REPLACE FUNCTION user_link_life(kind text) RETURNS interval
LANGUAGE sql IMMUTABLE STRICT
RETURN CASE kind WHEN 'invitation' THEN interval '72 hours' ELSE interval '1 hour' END;

-- By mail where that is possible and nothing else is asked for, else in the answer.
CREATE OR REPLACE FUNCTION user_link_by_mail(wanted_delivery text, mail_possible boolean, address text) RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN coalesce(wanted_delivery = 'mail', mail_possible AND address IS NOT NULL);

-- A new link in place of any that is there. One that does not go by mail is left to the answer of this very transaction (tpbis.link), and
-- to nobody after that; the account's address hears of it.
CREATE OR REPLACE FUNCTION user_link_make(wanted uuid, wanted_kind text, wanted_delivery text, mail_possible boolean, service_url text)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    account app_user;
    by_mail boolean;
    token text := user_link_token();
BEGIN
    SELECT u.* INTO account FROM app_user u WHERE u.id = wanted FOR NO KEY UPDATE;
    IF account.status <> (CASE wanted_kind WHEN 'invitation' THEN 'invited' ELSE 'active' END) THEN
        PERFORM refuse('user_status', jsonb_build_object('status', account.status));
    END IF;
    by_mail := user_link_by_mail(wanted_delivery, mail_possible, account.email);
    IF by_mail AND (NOT mail_possible OR account.email IS NULL) THEN
        PERFORM refuse('mail_impossible');
    ELSIF by_mail THEN
        PERFORM user_mail_count(wanted, wanted_kind, account.email);
    END IF;
    INSERT INTO user_link AS l (user_id, kind, hash, delivery, expires_at, next_try_at)
    VALUES (wanted, wanted_kind, CASE WHEN NOT by_mail THEN sha256(convert_to(token, 'UTF8')) END,
            CASE WHEN by_mail THEN 'mail' ELSE 'answer' END, now() + user_link_life(wanted_kind), CASE WHEN by_mail THEN now() END)
    ON CONFLICT ON CONSTRAINT user_link_pkey DO UPDATE
    SET kind = excluded.kind, hash = excluded.hash, delivery = excluded.delivery, expires_at = excluded.expires_at, attempts = 0,
        next_try_at = excluded.next_try_at, sent_at = NULL, created_by = excluded.created_by, created_at = excluded.created_at;
    IF NOT by_mail THEN
        PERFORM user_link_told(account);
        PERFORM set_config('tpbis.link', service_url || '/account/password?token=' || token, true);
    END IF;
END
$$;

-- The link that this transaction made, for its answer.
CREATE OR REPLACE FUNCTION user_link_shown(wanted uuid) RETURNS text
LANGUAGE sql STABLE
RETURN nullif(current_setting('tpbis.link', true), '');

-- ---- by mail ----------------------------------------------------------------------------------------------------

-- The next mail that is due, with a new token in it: that of an earlier try is dead from now on. No row when none is due. It is due
-- again later, unless user_link_sent() says that it went out or user_link_failed() that the recipient was refused for good; after eight tries
-- (four hours) it is given up.
CREATE OR REPLACE FUNCTION user_link_mail(OUT user_id uuid, OUT kind text, OUT token text, OUT email text, OUT name text, OUT username text,
    OUT language text)
RETURNS SETOF record
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    due user_link;
    account app_user;
BEGIN
    SELECT l.* INTO due FROM user_link l WHERE l.next_try_at <= now() ORDER BY l.next_try_at LIMIT 1 FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT u.* INTO account FROM app_user u WHERE u.id = due.user_id;
    token := user_link_token();
    UPDATE user_link l SET
        hash = sha256(convert_to(user_link_mail.token, 'UTF8')), attempts = l.attempts + 1, expires_at = now() + user_link_life(l.kind),
        next_try_at = CASE WHEN l.attempts + 1 < 8 THEN now() + 2 ^ l.attempts * interval '2 minutes' END
    WHERE l.user_id = due.user_id;
    user_id := due.user_id;
    kind := due.kind;
    email := account.email;
    name := account.name;
    username := account.username;
    language := account.language;
    RETURN NEXT;
END
$$;

-- It went out, unless another link took its place meanwhile.
CREATE OR REPLACE FUNCTION user_link_sent(wanted uuid, sent_token text) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE user_link l SET sent_at = now(), next_try_at = NULL
    WHERE l.user_id = wanted AND l.hash = sha256(convert_to(sent_token, 'UTF8'))
$$;

-- Its recipient was refused for good: it is not tried again, and opens nothing.
CREATE OR REPLACE FUNCTION user_link_failed(wanted uuid, sent_token text) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE user_link l SET hash = NULL, next_try_at = NULL
    WHERE l.user_id = wanted AND l.hash = sha256(convert_to(sent_token, 'UTF8'))
$$;

-- AFTER: a link by mail is for the address that it was asked for. When that is no longer the account's, it opens nothing, sent or not.
CREATE OR REPLACE FUNCTION user_link_void() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM user_link WHERE user_id = NEW.id AND delivery = 'mail';
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER link_void AFTER UPDATE OF email ON app_user
    FOR EACH ROW WHEN (OLD.email IS DISTINCT FROM NEW.email) EXECUTE FUNCTION user_link_void();

-- ---- setting the password -------------------------------------------------------------------------------------------

-- Whose link this is, while it can be used.
CREATE OR REPLACE FUNCTION user_link_open(token text, OUT user_id uuid, OUT username text, OUT name text, OUT language text, OUT kind text)
RETURNS SETOF record
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT u.id, u.username, u.name, u.language, l.kind
    FROM user_link l JOIN app_user u ON u.id = l.user_id
    WHERE l.hash = sha256(convert_to(user_link_open.token, 'UTF8')) AND l.expires_at > now()
      AND u.status = CASE l.kind WHEN 'invitation' THEN 'invited' ELSE 'active' END
$$;

-- The password of an account becomes this one: whoever was logged in is so no more, guesses are forgotten, a link is used up.
-- `opener` made the link, at that moment; NULL: the holder, who changes what the same opener's link once opened.
DROP FUNCTION IF EXISTS user_password_set(uuid, text, text, uuid, text); -- the version before
CREATE OR REPLACE FUNCTION user_password_set(wanted uuid, new_hash text, reason text, but_session uuid DEFAULT NULL, opener text DEFAULT NULL,
    opened_at timestamptz DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO user_password AS p (user_id, hash, opened_by, opened_at)
    VALUES (wanted, new_hash, opener, coalesce(user_password_set.opened_at, now()))
    ON CONFLICT ON CONSTRAINT user_password_pkey DO UPDATE
    SET hash = excluded.hash, opened_by = coalesce(excluded.opened_by, p.opened_by),
        opened_at = coalesce(user_password_set.opened_at, p.opened_at), updated_at = now();
    UPDATE app_user SET status = 'active' WHERE id = wanted AND status = 'invited';
    DELETE FROM user_link WHERE user_id = wanted;
    PERFORM login_forget((SELECT u.username FROM app_user u WHERE u.id = wanted));
    PERFORM user_sessions_end(wanted, reason, but_session);
END
$$;

-- By a link, which works once: of two at once, one finds it used. The account is locked before its link, as by whoever makes or voids one.
CREATE OR REPLACE FUNCTION user_link_use(token text, new_hash text) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    used user_link;
BEGIN
    PERFORM FROM app_user u JOIN user_link l ON l.user_id = u.id WHERE l.hash = sha256(convert_to(token, 'UTF8')) FOR NO KEY UPDATE OF u;
    SELECT l.* INTO used FROM user_link l WHERE l.hash = sha256(convert_to(token, 'UTF8')) FOR UPDATE;
    IF used.user_id IS NULL OR NOT EXISTS (SELECT FROM user_link_open(token)) THEN
        RETURN false;
    END IF;
    PERFORM user_password_set(used.user_id, new_hash, 'password', opener => used.created_by, opened_at => used.created_at);
    RETURN true;
END
$$;

-- By its holder, who has just shown the password of now and stays logged in here.
CREATE OR REPLACE FUNCTION user_password_change(wanted uuid, new_hash text, session uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM FROM app_user u WHERE u.id = wanted AND u.status = 'active' FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        PERFORM refuse('not_found');
    END IF;
    PERFORM user_password_set(wanted, new_hash, 'password', session);
END
$$;

-- ---- what somebody handed out is void -----------------------------------------------------------------------------

-- Whoever handed out what opens the account today, and when: by its live link, or by the one through which its password was set.
DROP FUNCTION IF EXISTS user_openers(uuid); -- the version before: with one column
CREATE OR REPLACE FUNCTION user_openers(wanted uuid, OUT opener text, OUT opened_at timestamptz) RETURNS SETOF record
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT l.created_by, l.created_at FROM user_link l WHERE l.user_id = wanted
    UNION SELECT coalesce(p.opened_by, u.created_by), p.opened_at
    FROM user_password p JOIN app_user u ON u.id = p.user_id WHERE p.user_id = wanted
$$;

-- Nothing that was handed out opens the account any more: no session, no password, no link; no browser is known. It is as if just
-- invited; whoever was in it hears why. The new link goes to the account's own address where the service sends mail (tpbis.mail) and
-- `address_trusted` says that the address is good for a link that nobody looks at; else an administrator sends one, or the nation makes one.
DROP FUNCTION IF EXISTS user_close(uuid); -- the version before
CREATE OR REPLACE FUNCTION user_close(wanted uuid, address_trusted boolean) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM user_sessions_end(wanted, 'charged');
    PERFORM login_forget((SELECT u.username FROM app_user u WHERE u.id = wanted));
    DELETE FROM user_password WHERE user_id = wanted;
    DELETE FROM user_factor WHERE user_id = wanted;
    DELETE FROM user_link WHERE user_id = wanted;
    INSERT INTO user_mail (user_id, kind, address, next_try_at)
    SELECT u.id, 'account_closed', u.email, now() FROM app_user u WHERE u.id = wanted AND u.status = 'active' AND u.email IS NOT NULL;
    UPDATE app_user SET status = 'invited' WHERE id = wanted AND status = 'active';
    WITH invited AS (
        SELECT u.id, u.email FROM app_user u
        WHERE u.id = wanted AND u.status = 'invited' AND u.email IS NOT NULL AND address_trusted
          AND current_setting('tpbis.mail', true) = 'true'),
    counted AS (INSERT INTO user_mail (user_id, kind, address) SELECT i.id, 'invitation', i.email FROM invited i)
    INSERT INTO user_link (user_id, kind, delivery, expires_at, next_try_at)
    SELECT i.id, 'invitation', 'mail', now() + user_link_life('invitation'), now() FROM invited i;
END
$$;

-- ---- from the command line ------------------------------------------------------------------------------------------

-- An account, perhaps charged with something, and its invitation.
CREATE OR REPLACE FUNCTION user_create(username text, name text, email text, role text, region text, library text, service_url text,
    OUT user_id uuid, OUT url text)
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    INSERT INTO app_user (username, name, email) VALUES (text_key(user_create.username), text_line(user_create.name), text_line(user_create.email)) RETURNING id INTO user_id;
    IF user_create.role IS NOT NULL THEN
        INSERT INTO assignment (user_id, role, national, region_code, library_id)
        VALUES (user_create.user_id, user_create.role, region IS NULL AND library IS NULL, region, library::uuid);
    END IF;
    PERFORM user_link_make(user_id, 'invitation', 'answer', false, service_url);
    url := user_link_shown(user_id);
END
$$;

CREATE OR REPLACE FUNCTION user_of_name(username text) RETURNS uuid
LANGUAGE plpgsql STABLE AS $$
DECLARE
    found uuid := (SELECT u.id FROM app_user u WHERE u.username = text_key(user_of_name.username) COLLATE "C");
BEGIN
    IF found IS NULL THEN
        PERFORM refuse('not_found');
    END IF;
    RETURN found;
END
$$;

-- Another link for whoever lost the last one: an invitation or another password, as the account is.
CREATE OR REPLACE FUNCTION user_reset(username text, service_url text, OUT user_id uuid, OUT url text)
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    user_id := user_of_name(username);
    PERFORM user_link_make(user_id, CASE (SELECT u.status FROM app_user u WHERE u.id = user_id) WHEN 'invited' THEN 'invitation' ELSE 'reset' END,
                           'answer', false, service_url);
    url := user_link_shown(user_id);
END
$$;
