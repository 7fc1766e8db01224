-- How much mail goes to whom, and the notices that an account was changed. Rule: a mailbox is its owner's; we write to it seldom, and
-- tell it what happens to the account before anybody else can keep that from it.

-- When an address may be sent something again that others made us send; NULL: now. Whoever asks for an address waits for whoever asks for the same
-- one at that time. Links count links alone: notices, which anybody with an account can cause, use up nothing of what an address is
-- invited with. Notices count both. `reset_of` is the account for which another password is asked by a link, else NULL.
--
-- In a day an address gets six mails of these kinds: at most five from callers who do not act for the nation, so that one is left to the nation, and
-- three from each of them. The last place of both is kept for another password of the holder, which is the account in use that has had
-- the address the longest. So nobody who makes us write to an address keeps its holder from it.
DROP FUNCTION IF EXISTS user_mail_free_at(text), user_mail_free_at(text, text[]); -- the versions before
CREATE OR REPLACE FUNCTION user_mail_free_at(to_address text, kinds text[], reset_of uuid) RETURNS timestamptz
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    maker text := coalesce(audit_setting('tpbis.actor'), session_user);
    by_nation boolean := actor_of_nation(maker);
    holder uuid := (SELECT u.id FROM app_user u WHERE lower(u.email) = lower(to_address) AND u.status = 'active'
                    ORDER BY u.email_at NULLS FIRST, u.id LIMIT 1);
    for_holder boolean := coalesce(reset_of = holder, false);
BEGIN
    PERFORM pg_advisory_xact_lock(1953653092, hashtext(lower(to_address)));
    RETURN (
        WITH sent AS (
            SELECT m.created_at, m.created_by = maker AS own, NOT actor_of_nation(m.created_by) AS below,
                (m.kind = 'reset' AND m.user_id = holder) IS NOT TRUE AS of_others
            FROM user_mail m
            WHERE lower(m.address) = lower(to_address) AND m.kind = ANY (kinds) AND m.created_at > now() - interval '1 day')
        SELECT max(last.created_at) + interval '1 day'
        FROM (VALUES (6, false, false, false), (5, false, false, true),
                     (5, false, true, false), (4, false, true, true),
                     (3, true, true, false)) AS share (most, own, below, of_others)
        CROSS JOIN LATERAL (
            SELECT s.created_at FROM sent s
            WHERE (s.own OR NOT share.own) AND (s.below OR NOT share.below) AND (s.of_others OR NOT share.of_others)
            ORDER BY s.created_at DESC OFFSET share.most - 1 LIMIT 1) AS last
        WHERE NOT (share.below AND by_nation) AND NOT (share.of_others AND for_holder));
END
$$;

-- A link by mail was asked for: refused when the same caller let one be sent for that account within the hour, or the address has had
-- enough.
CREATE OR REPLACE FUNCTION user_mail_count(of_user uuid, link_kind text, to_address text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    maker text := coalesce(audit_setting('tpbis.actor'), session_user);
    free_at timestamptz := user_mail_free_at(to_address, '{invitation,reset}', CASE WHEN link_kind = 'reset' THEN of_user END);
BEGIN
    SELECT greatest(free_at, max(m.created_at) + interval '1 hour') INTO free_at FROM user_mail m
    WHERE m.user_id = of_user AND m.created_by = maker AND m.kind IN ('invitation', 'reset');
    IF free_at > now() THEN
        PERFORM refuse('mail_limited', jsonb_build_object('seconds', ceil(extract(epoch FROM free_at - now()))));
    END IF;
    INSERT INTO user_mail (user_id, kind, address) VALUES (of_user, link_kind, to_address);
END
$$;

-- A link was shown in an answer: the account's own address hears of it, once an hour. Of an account that nobody has opened yet the address
-- may be anybody's: that one hears no more than links are sent to it.
CREATE OR REPLACE FUNCTION user_link_told(account app_user) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    free_at timestamptz := user_mail_free_at(account.email, '{invitation,reset,link_shown,address_taken}', NULL);
BEGIN
    INSERT INTO user_mail (user_id, kind, address, next_try_at)
    SELECT account.id, 'link_shown', account.email, now()
    WHERE account.email IS NOT NULL AND (account.status = 'active' OR free_at IS NULL)
      AND NOT EXISTS (SELECT FROM user_mail m WHERE m.user_id = account.id AND m.address = account.email AND m.kind = 'link_shown'
                        AND m.created_at > now() - interval '1 hour');
END
$$;

-- AFTER: whoever changes the address or the phone of an account that is in use, and by whichever way, its old address hears of it, and
-- so does the new one; what waits to be told to an address already is told once. Where no mail is sent the notices are forgotten
-- unsent. Of one account nobody makes more than five such changes a day, and no address is given to accounts beyond what it may be sent; but
-- back to the address with which the account began the day is always open, so that a thief's changes lock nobody out.
CREATE OR REPLACE FUNCTION user_contact_told() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    maker text := coalesce(audit_setting('tpbis.actor'), session_user);
    free_at timestamptz := (
        SELECT c.created_at + interval '1 day'
        FROM (SELECT DISTINCT m.created_at FROM user_mail m
              WHERE m.user_id = NEW.id AND m.created_by = maker AND m.kind IN ('address_left', 'address_taken', 'phone_changed')) c
        ORDER BY c.created_at DESC OFFSET 4 LIMIT 1);
BEGIN
    IF NEW.email IS DISTINCT FROM OLD.email AND lower(NEW.email) = lower((
        SELECT m.address FROM user_mail m WHERE m.user_id = NEW.id AND m.kind = 'address_left' AND m.created_at > now() - interval '1 day'
        ORDER BY m.created_at LIMIT 1)) THEN
        free_at := NULL;
    ELSIF NEW.email IS DISTINCT FROM OLD.email THEN
        free_at := greatest(free_at, user_mail_free_at(NEW.email, '{invitation,reset,link_shown,address_taken}', NULL));
    END IF;
    IF free_at > now() THEN
        PERFORM refuse('contact_limited', jsonb_build_object('seconds', ceil(extract(epoch FROM free_at - now()))));
    END IF;
    INSERT INTO user_mail (user_id, kind, address, next_try_at)
    SELECT NEW.id, told.kind, told.address,
        CASE WHEN NOT EXISTS (SELECT FROM user_mail m WHERE m.user_id = NEW.id AND m.kind = told.kind AND m.address = told.address
                                AND m.next_try_at IS NOT NULL) THEN now() END
    FROM (VALUES ('address_left', OLD.email, NEW.email IS DISTINCT FROM OLD.email),
                 ('address_taken', NEW.email, NEW.email IS DISTINCT FROM OLD.email),
                 ('phone_changed', NEW.email, NEW.email IS NOT DISTINCT FROM OLD.email)) AS told (kind, address, so)
    WHERE told.so AND told.address IS NOT NULL;
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER contact_told AFTER UPDATE OF email, phone ON app_user
    FOR EACH ROW WHEN (OLD.status = 'active' AND NEW.status = 'active'
                       AND (OLD.email IS DISTINCT FROM NEW.email OR OLD.phone IS DISTINCT FROM NEW.phone))
    EXECUTE FUNCTION user_contact_told();

-- AFTER: of an erased account no address stays, sent to or not.
CREATE OR REPLACE FUNCTION user_mail_forget() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM user_mail WHERE user_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER mail_forget AFTER UPDATE OF status ON app_user
    FOR EACH ROW WHEN (NEW.status = 'erased' AND OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION user_mail_forget();

-- The next notice that is due, of the kinds for which the caller has a text; no row when none is. It is due again later, unless
-- user_mail_sent() says that it went out; after eight tries (four hours) it is given up. What no process has a text for waits for one that has.
CREATE OR REPLACE FUNCTION user_mail_due(kinds text[], OUT id uuid, OUT user_id uuid, OUT kind text, OUT email text, OUT name text, OUT username text,
    OUT language text)
RETURNS SETOF record
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE user_mail m SET attempts = m.attempts + 1,
        next_try_at = CASE WHEN m.attempts + 1 < 8 THEN now() + 2 ^ m.attempts * interval '2 minutes' END
    FROM app_user u
    WHERE m.id = (SELECT d.id FROM user_mail d WHERE d.next_try_at <= now() AND d.kind = ANY (kinds)
                  ORDER BY d.next_try_at LIMIT 1 FOR UPDATE SKIP LOCKED)
      AND u.id = m.user_id
    RETURNING m.id, m.user_id, m.kind, m.address, u.name, u.username, u.language
$$;

-- For the version before, which does not say what it has texts for.
CREATE OR REPLACE FUNCTION user_mail_due(OUT id uuid, OUT user_id uuid, OUT kind text, OUT email text, OUT name text, OUT username text, OUT language text)
RETURNS SETOF record
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT * FROM user_mail_due('{address_left,address_taken,phone_changed,factor_reset}')
$$;

CREATE OR REPLACE FUNCTION user_mail_sent(sent uuid) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE user_mail m SET sent_at = now(), next_try_at = NULL WHERE m.id = sent
$$;

CREATE OR REPLACE FUNCTION user_mail_failed(refused uuid) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE user_mail m SET next_try_at = NULL WHERE m.id = refused
$$;

-- What no limit counts any more, at most so many; how many went, and whether there may be more.
CREATE OR REPLACE FUNCTION purge_mail(most integer, OUT done bigint, OUT more boolean)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM user_mail WHERE ctid = ANY (ARRAY(
        SELECT m.ctid FROM user_mail m WHERE m.created_at <= now() - interval '1 day' LIMIT most FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS done = ROW_COUNT;
    more := done = most;
END
$$;
