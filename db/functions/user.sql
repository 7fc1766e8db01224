-- Accounts of people. Rule: nobody gets into somebody else's account by administering it: whoever is no national administrator
-- administers only accounts whose every charge lies in the own reach and below the own rank.

CREATE OR REPLACE FUNCTION user_rules() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.status = 'erased' AND NEW IS DISTINCT FROM OLD THEN
        PERFORM refuse('not_found');
    END IF;
    IF NEW.person_id IS NOT NULL AND (TG_OP = 'INSERT' OR NEW.person_id IS DISTINCT FROM OLD.person_id)
       AND NOT EXISTS (SELECT FROM person p WHERE p.id = NEW.person_id AND p.erased_at IS NULL) THEN
        PERFORM refuse('reference_unknown');
    END IF;
    IF TG_OP = 'INSERT' OR NEW.email IS DISTINCT FROM OLD.email THEN
        NEW.email_by := CASE WHEN NEW.email IS NOT NULL THEN coalesce(audit_setting('tpbis.actor'), session_user) END;
        NEW.email_at := CASE WHEN NEW.email IS NOT NULL THEN now() END;
    END IF;
    RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER a_rules BEFORE INSERT OR UPDATE ON app_user
    FOR EACH ROW EXECUTE FUNCTION user_rules();
CREATE OR REPLACE TRIGGER b_touch BEFORE UPDATE ON app_user
    FOR EACH ROW EXECUTE FUNCTION touch();
CREATE OR REPLACE TRIGGER keep BEFORE DELETE OR TRUNCATE ON app_user
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_removal();

-- AFTER: whoever may not log in any more has neither sessions nor a link left.
CREATE OR REPLACE FUNCTION user_end_follow() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM user_link WHERE user_id = NEW.id;
    PERFORM user_sessions_end(NEW.id, NEW.status);
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER end_follow AFTER UPDATE OF status ON app_user
    FOR EACH ROW WHEN (NEW.status IN ('disabled', 'erased') AND OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION user_end_follow();

-- ---- who sees and administers whom -----------------------------------------------------------------------

-- The accounts a caller knows of: those made by it, and those charged with something in its reach, now, later or within the last
-- year.
CREATE OR REPLACE FUNCTION users_in_sight(subject text, reach_from text[], reach_to text[], reach_libraries uuid[])
RETURNS SETOF uuid
LANGUAGE sql STABLE AS $$
    SELECT u.id FROM app_user u WHERE u.created_by = subject
    UNION
    SELECT a.user_id FROM unnest(reach_from, reach_to) AS range(from_code, to_code)
    JOIN assignment a ON a.region_code COLLATE "C" >= range.from_code AND a.region_code COLLATE "C" < range.to_code
    WHERE a.user_id IS NOT NULL AND (a.ends_on IS NULL OR a.ends_on >= today() - 365)
    UNION
    SELECT a.user_id FROM assignment a JOIN library l ON l.id = a.library_id
    WHERE a.user_id IS NOT NULL AND (a.ends_on IS NULL OR a.ends_on >= today() - 365)
      AND (l.id = ANY (reach_libraries)
           OR EXISTS (SELECT FROM unnest(reach_from, reach_to) AS range(from_code, to_code)
                      WHERE l.place COLLATE "C" >= range.from_code AND l.place COLLATE "C" < range.to_code))
$$;

-- Is the account charged with something there, now, later or within the last year? With `but_by` those charges count that show its contact to
-- somebody who gave none of them: given by others, who saw the contact themselves. So two who do not see it show it to each other by
-- nothing that they give.
CREATE OR REPLACE FUNCTION user_charge_in_reach(wanted uuid, but_by text, reach_from text[], reach_to text[], reach_libraries uuid[])
RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM assignment a
               WHERE a.user_id = wanted AND (a.ends_on IS NULL OR a.ends_on >= today() - 365)
                 AND (but_by IS NULL OR a.giver_saw_contact AND a.appointed_by IS DISTINCT FROM but_by)
                 AND (a.library_id = ANY (reach_libraries)
                      OR EXISTS (SELECT FROM unnest(reach_from, reach_to) AS range(from_code, to_code)
                                 WHERE nullif(a.place, '') >= range.from_code AND nullif(a.place, '') < range.to_code)));

-- The same as users_in_sight() for one account: its name and its charges may be seen.
CREATE OR REPLACE FUNCTION user_in_sight(wanted uuid, subject text, reach_from text[], reach_to text[], reach_libraries uuid[])
RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM app_user u WHERE u.id = wanted AND u.created_by = subject)
    OR user_charge_in_reach(wanted, NULL, reach_from, reach_to, reach_libraries);

-- Made by the caller, and charged by nobody else, ever.
CREATE OR REPLACE FUNCTION user_is_own(wanted uuid, subject text) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM app_user u WHERE u.id = wanted AND u.created_by = subject)
    AND NOT EXISTS (SELECT FROM assignment a WHERE a.user_id = wanted AND a.appointed_by IS DISTINCT FROM subject);

-- Who sees an account's e-mail and phone (and a user name that is an address): whoever made it while it is the maker's alone, and
-- those in whose reach it was charged by somebody else who saw them. Nobody gains that sight by an appointment of their own, or gives it on without.
CREATE OR REPLACE FUNCTION user_contact_in_sight(wanted uuid, subject text, reach_from text[], reach_to text[], reach_libraries uuid[])
RETURNS boolean
LANGUAGE sql STABLE
RETURN user_is_own(wanted, subject) OR user_charge_in_reach(wanted, subject, reach_from, reach_to, reach_libraries);

-- The same of somebody on record as an actor, for the next charge that the account is given: the nation, or by the places of the charges in which
-- the actor appoints others.
CREATE OR REPLACE FUNCTION actor_sees_contact(actor text, wanted uuid) RETURNS boolean
LANGUAGE sql STABLE
RETURN actor_of_nation(actor) OR user_is_own(wanted, actor)
    OR EXISTS (SELECT FROM assignment own
               JOIN role_scope s ON s.role = own.role AND s.scope = 'assignments:write'
               JOIN assignment a ON a.user_id = wanted AND a.giver_saw_contact AND a.appointed_by IS DISTINCT FROM actor
                                AND (a.ends_on IS NULL OR a.ends_on >= today() - 365)
                                AND region_contains(own.region_code, nullif(a.place, ''))
               WHERE coalesce(own.user_id::text, own.client_id) = actor AND own.library_id IS NULL
                 AND own.starts_on <= today() AND (own.ends_on IS NULL OR own.ends_on >= today()));

-- A user name, unless it is an address that the caller may not see.
CREATE OR REPLACE FUNCTION username_shown(u app_user, subject text, reach_from text[], reach_to text[], reach_libraries uuid[])
RETURNS text
LANGUAGE sql STABLE
RETURN CASE WHEN (u).username NOT LIKE '%@%' OR user_contact_in_sight((u).id, subject, reach_from, reach_to, reach_libraries)
            THEN (u).username END;

-- What is shown of who acted: the id of an account in the caller's sight, and the caller's own.
CREATE OR REPLACE FUNCTION actor_shown(actor text, subject text, reach_from text[], reach_to text[], reach_libraries uuid[]) RETURNS text
LANGUAGE sql STABLE
RETURN CASE WHEN actor = subject THEN actor
            WHEN actor ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
                 AND user_in_sight(actor::uuid, subject, reach_from, reach_to, reach_libraries) THEN actor END;

-- May the caller change an account and have a link sent to its address? Every charge that has not ended lies in the reach and below the own rank,
-- and either the account is the caller's own making, or somebody else who saw its contact has charged it there: an appointment of one's own
-- opens nothing.
CREATE OR REPLACE FUNCTION user_below(wanted uuid, subject text, reach_from text[], reach_to text[], reach_rank bigint[])
RETURNS boolean
LANGUAGE sql STABLE
RETURN NOT EXISTS (SELECT FROM assignment a JOIN role r ON r.name = a.role
                   WHERE a.user_id = wanted AND (a.ends_on IS NULL OR a.ends_on >= today())
                     AND in_reach(nullif(a.place, ''), r.rank - 1, reach_from, reach_to, reach_rank) IS NOT TRUE)
    AND (user_is_own(wanted, subject)
         OR EXISTS (SELECT FROM assignment a WHERE a.user_id = wanted AND (a.ends_on IS NULL OR a.ends_on >= today())
                      AND a.giver_saw_contact AND a.appointed_by IS DISTINCT FROM subject));

-- ---- gates ---------------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION gate_user(wanted uuid, if_match bigint[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    found_version bigint;
BEGIN
    SELECT u.row_version INTO found_version FROM app_user u WHERE u.id = wanted AND u.status <> 'erased' FOR NO KEY UPDATE;
    RETURN gate_version(found_version, if_match);
END
$$;

-- Before everything that is done to an account at /v1/users: one's own is changed at /v1/me, where the password is asked for, so that a stolen
-- token of an administrator does not take over the administrator's account.
CREATE OR REPLACE FUNCTION gate_other_account(wanted uuid, by_user uuid) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    IF wanted = by_user THEN
        PERFORM refuse('own_account');
    END IF;
    RETURN true;
END
$$;

-- Of a caller who is not of the nation. Whoever may not know of an account is told that there is none. `wanted_person` is whom
-- the account shall belong to.
CREATE OR REPLACE FUNCTION gate_user(wanted uuid, if_match bigint[], subject text, wanted_person uuid, reach_from text[], reach_to text[],
    reach_rank bigint[], reach_libraries uuid[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    called text;
BEGIN
    SELECT u.name INTO called FROM app_user u WHERE u.id = wanted AND u.status <> 'erased' FOR NO KEY UPDATE;
    IF NOT FOUND OR NOT user_in_sight(wanted, subject, reach_from, reach_to, reach_libraries) THEN
        PERFORM refuse('not_found');
    ELSIF NOT user_below(wanted, subject, reach_from, reach_to, reach_rank) THEN
        PERFORM refuse('out_of_reach', jsonb_build_object('what', called));
    END IF;
    PERFORM gate_user_person(wanted_person, reach_from, reach_to, reach_rank);
    RETURN gate_user(wanted, if_match);
END
$$;

-- What opens an account in other hands: a link in the answer, another address or phone. These are the nation's, and of whoever made the
-- account while nobody else has charged it; others who administer it let a link go to its own address.
CREATE OR REPLACE FUNCTION gate_user_own(wanted uuid, subject text) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT user_is_own(wanted, subject) THEN
        PERFORM refuse('account_not_own');
    END IF;
    RETURN true;
END
$$;

CREATE OR REPLACE FUNCTION gate_user_delivery(wanted uuid, subject text, delivery text, mail_possible boolean) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    RETURN user_link_by_mail(delivery, mail_possible, (SELECT u.email FROM app_user u WHERE u.id = wanted))
        OR gate_user_own(wanted, subject);
END
$$;

-- An account shows its holder everything that is held about the person it belongs to, so it is tied to somebody by those who write
-- the person's region.
CREATE OR REPLACE FUNCTION gate_user_person(wanted uuid, reach_from text[], reach_to text[], reach_rank bigint[]) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    IF wanted IS NOT NULL AND NOT EXISTS (SELECT FROM person p WHERE p.id = wanted
                                            AND place_area(p.place, reach_from, reach_to, reach_rank)) THEN
        PERFORM refuse('out_of_reach', jsonb_build_object('what', wanted));
    END IF;
    RETURN true;
END
$$;

-- BEFORE INSERT OR UPDATE OF person_id: an account that somebody else than the nation has tied to a person proves nothing about who holds
-- it. Until the nation ties it to the same person, that person's own document is not shown to its holder.
CREATE OR REPLACE FUNCTION user_person_confirm() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    NEW.person_confirmed := NEW.person_id IS NOT NULL
        AND (actor_of_nation(coalesce(audit_setting('tpbis.actor'), session_user))
             OR TG_OP = 'UPDATE' AND OLD.person_confirmed AND NEW.person_id = OLD.person_id);
    RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER person_confirm BEFORE INSERT OR UPDATE OF person_id ON app_user
    FOR EACH ROW EXECUTE FUNCTION user_person_confirm();

-- As the version before calls it.
CREATE OR REPLACE FUNCTION gate_user_person(wanted uuid, reach_from text[], reach_to text[], reach_rank bigint[],
    reach_libraries uuid[]) RETURNS boolean
LANGUAGE sql
RETURN gate_user_person(wanted, reach_from, reach_to, reach_rank);

-- To see one account, with its address: recorded.
CREATE OR REPLACE FUNCTION gate_user_read(wanted uuid, subject text, reach_from text[], reach_to text[], reach_libraries uuid[])
RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT user_in_sight(wanted, subject, reach_from, reach_to, reach_libraries) THEN
        PERFORM refuse('not_found');
    END IF;
    RETURN audit_read('app_user', wanted);
END
$$;

-- ---- status -----------------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION user_disable(wanted uuid, reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE app_user SET status = 'disabled', disabled_reason = reason WHERE id = wanted AND status IN ('invited', 'active');
    IF NOT FOUND THEN
        PERFORM refuse('user_status', jsonb_build_object('status', (SELECT u.status FROM app_user u WHERE u.id = wanted)));
    END IF;
END
$$;

-- Back to what it was: invited, where there is no password yet.
CREATE OR REPLACE FUNCTION user_enable(wanted uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE app_user SET disabled_reason = NULL,
        status = CASE WHEN EXISTS (SELECT FROM user_password p WHERE p.user_id = wanted) THEN 'active' ELSE 'invited' END
    WHERE id = wanted AND status = 'disabled';
    IF NOT FOUND THEN
        PERFORM refuse('user_status', jsonb_build_object('status', (SELECT u.status FROM app_user u WHERE u.id = wanted)));
    END IF;
END
$$;
