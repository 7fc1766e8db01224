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
        PERFORM refuse('person_unknown');
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

-- The same for one account.
CREATE OR REPLACE FUNCTION user_in_sight(wanted uuid, subject text, reach_from text[], reach_to text[], reach_libraries uuid[])
RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM app_user u WHERE u.id = wanted AND u.created_by = subject)
    OR EXISTS (SELECT FROM assignment a LEFT JOIN library l ON l.id = a.library_id
               WHERE a.user_id = wanted AND (a.ends_on IS NULL OR a.ends_on >= today() - 365)
                 AND (l.id = ANY (reach_libraries)
                      OR EXISTS (SELECT FROM unnest(reach_from, reach_to) AS range(from_code, to_code)
                                 WHERE coalesce(a.region_code, l.place) COLLATE "C" >= range.from_code
                                   AND coalesce(a.region_code, l.place) COLLATE "C" < range.to_code)));

-- Below the caller's rank and in its reach, every charge that has not ended. (An account without a charge: only of who made it.)
CREATE OR REPLACE FUNCTION user_below(wanted uuid, subject text, reach_from text[], reach_to text[], reach_rank bigint[])
RETURNS boolean
LANGUAGE sql STABLE
RETURN CASE WHEN EXISTS (SELECT FROM assignment a WHERE a.user_id = wanted AND (a.ends_on IS NULL OR a.ends_on >= today()))
    THEN NOT EXISTS (SELECT FROM assignment a JOIN role r ON r.name = a.role LEFT JOIN library l ON l.id = a.library_id
                     WHERE a.user_id = wanted AND (a.ends_on IS NULL OR a.ends_on >= today())
                       AND in_reach(coalesce(a.region_code, l.place), r.rank - 1, reach_from, reach_to, reach_rank) IS NOT TRUE)
    ELSE EXISTS (SELECT FROM app_user u WHERE u.id = wanted AND u.created_by = subject) END;

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

-- Of a caller who is not of the nation. Whoever may not know of an account is told that there is none. `wanted_person` is whom
-- the account shall belong to: somebody whose contact the caller may read, for the account shows it to its holder.
CREATE OR REPLACE FUNCTION gate_user(wanted uuid, if_match bigint[], subject text, wanted_person uuid, reach_from text[], reach_to text[],
    reach_rank bigint[], reach_libraries uuid[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    username text;
BEGIN
    SELECT u.username INTO username FROM app_user u WHERE u.id = wanted AND u.status <> 'erased' FOR NO KEY UPDATE;
    IF NOT FOUND OR NOT user_in_sight(wanted, subject, reach_from, reach_to, reach_libraries) THEN
        PERFORM refuse('not_found');
    ELSIF NOT user_below(wanted, subject, reach_from, reach_to, reach_rank) THEN
        PERFORM refuse('out_of_reach', jsonb_build_object('what', username));
    END IF;
    PERFORM gate_user_person(wanted_person, reach_from, reach_to, reach_rank, reach_libraries);
    RETURN gate_user(wanted, if_match);
END
$$;

CREATE OR REPLACE FUNCTION gate_user_person(wanted uuid, reach_from text[], reach_to text[], reach_rank bigint[],
    reach_libraries uuid[]) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    IF wanted IS NOT NULL AND NOT person_contact_in_reach(wanted, reach_from, reach_to, reach_rank, reach_libraries) THEN
        PERFORM refuse('out_of_reach', jsonb_build_object('what', wanted));
    END IF;
    RETURN true;
END
$$;

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
