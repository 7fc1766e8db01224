-- Rules and gates of assignments: a role stands where it may stand, the holder and the place never change, what has ended stays as
-- it was, and there is always a national administrator. Delegation goes downward only (role_delegation), and never to oneself.

CREATE OR REPLACE FUNCTION assignment_rules() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    l record;
    kind text;
    allowed text[];
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.id, NEW.client_id, NEW.user_id, NEW.role, NEW.national, NEW.region_code, NEW.library_id, NEW.appointed_by,
            NEW.giver_saw_contact) IS DISTINCT FROM (OLD.id, OLD.client_id, OLD.user_id, OLD.role, OLD.national, OLD.region_code, OLD.library_id,
            OLD.appointed_by, OLD.giver_saw_contact) THEN
        RAISE EXCEPTION 'assignment % keeps its holder, role and place', OLD.id
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'assignment_fixed';
    END IF;
    SELECT place, status INTO l FROM library WHERE id = NEW.library_id;
    NEW.place := coalesce(NEW.region_code, l.place, '');
    IF TG_OP = 'UPDATE' THEN
        RETURN NEW;
    END IF;
    NEW.giver_saw_contact := NEW.user_id IS NOT NULL AND actor_sees_contact(NEW.appointed_by, NEW.user_id);
    IF NEW.national AND num_nonnulls(NEW.region_code, NEW.library_id) > 0 THEN
        RETURN NEW; -- the table's own check refuses it
    END IF;
    PERFORM region_require(NEW.region_code);
    IF NEW.library_id IS NOT NULL AND l.status IS NULL THEN
        PERFORM refuse('reference_unknown');
    ELSIF l.status = 'closed' THEN
        PERFORM refuse('library_closed');
    END IF;
    IF EXISTS (SELECT FROM app_user u WHERE u.id = NEW.user_id AND u.erased_at IS NOT NULL) THEN
        PERFORM refuse('reference_unknown');
    END IF;
    kind := CASE WHEN NEW.library_id IS NOT NULL THEN 'library' WHEN NEW.region_code IS NULL THEN 'nation'
                 ELSE region_level(NEW.region_code) END;
    SELECT r.places INTO allowed FROM role r WHERE r.name = NEW.role;
    IF NOT kind = ANY (allowed) THEN
        PERFORM refuse('assignment_place_mismatch', jsonb_build_object('role', NEW.role, 'places', array_to_string(allowed, ', ')));
    END IF;
    RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER a_rules BEFORE INSERT OR UPDATE ON assignment
    FOR EACH ROW EXECUTE FUNCTION assignment_rules();
CREATE OR REPLACE TRIGGER keep BEFORE DELETE OR TRUNCATE ON assignment
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_removal();

-- A library takes its assignments along when it moves.
CREATE OR REPLACE FUNCTION assignment_follow() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE assignment SET place = NEW.place WHERE library_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER assignment_follow AFTER UPDATE ON library
    FOR EACH ROW WHEN (OLD.region_code IS DISTINCT FROM NEW.region_code) EXECUTE FUNCTION assignment_follow();

-- ---- there is always a national administrator ----------------------------------------------------------------

-- One that is in force without an end, of a holder who can act. Two who remove each other meet at the lock.
CREATE OR REPLACE FUNCTION national_admin_require() RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('tpbis.national_admin'));
    IF NOT EXISTS (SELECT FROM assignment a
                   LEFT JOIN app_user u ON u.id = a.user_id
                   LEFT JOIN client c ON c.id = a.client_id
                   WHERE a.role = 'national_admin' AND a.starts_on <= today() AND a.ends_on IS NULL
                     AND coalesce(u.status, c.status) = 'active') THEN
        PERFORM refuse('assignment_last_admin');
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION national_admin_keep() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_TABLE_NAME = 'assignment' THEN
        IF OLD.starts_on <= today() AND OLD.ends_on IS NULL AND (NEW.starts_on > today() OR NEW.ends_on IS NOT NULL)
           AND EXISTS (SELECT FROM app_user u WHERE u.id = OLD.user_id AND u.status = 'active'
                       UNION ALL SELECT FROM client c WHERE c.id = OLD.client_id AND c.status = 'active') THEN
            PERFORM national_admin_require();
        END IF;
    ELSIF EXISTS (SELECT FROM assignment a WHERE (a.user_id::text = NEW.id::text OR a.client_id = NEW.id::text)
                    AND a.role = 'national_admin' AND a.starts_on <= today() AND a.ends_on IS NULL) THEN
        PERFORM national_admin_require();
    END IF;
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER keep_admin AFTER UPDATE ON assignment
    FOR EACH ROW WHEN (OLD.role = 'national_admin') EXECUTE FUNCTION national_admin_keep();
CREATE OR REPLACE TRIGGER keep_admin AFTER UPDATE ON app_user
    FOR EACH ROW WHEN (OLD.status = 'active' AND NEW.status <> 'active') EXECUTE FUNCTION national_admin_keep();
CREATE OR REPLACE TRIGGER keep_admin AFTER UPDATE ON client
    FOR EACH ROW WHEN (OLD.status = 'active' AND NEW.status <> 'active') EXECUTE FUNCTION national_admin_keep();

-- ---- gates ---------------------------------------------------------------------------------------------------

-- A caller whose subject is its client acts for itself; else the subject is a user's id.
CREATE OR REPLACE FUNCTION assignment_is_of(holder_user uuid, holder_client text, caller text, caller_client text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(CASE WHEN caller = caller_client THEN holder_client = caller ELSE holder_user::text = caller END, false);

-- Until when the caller could give that role there at a moment ('infinity': without an end), NULL: not at all. By an assignment of its own that
-- was in force then, whose role may appoint that one, and whose place contains it; libraries no higher than the appointer's role writes.
-- `wanted_rank` is the library's, 7 of a region. What was ended on that day, but later, was still in force.
CREATE OR REPLACE FUNCTION may_appoint_until(caller text, caller_client text, wanted_role text, wanted_place text, wanted_rank integer,
    moment timestamptz) RETURNS date
LANGUAGE sql STABLE
RETURN (SELECT max(coalesce(a.ends_on, 'infinity')) FROM assignment a
    JOIN role r ON r.name = a.role
    JOIN role_delegation d ON d.appointer = a.role AND d.role = wanted_role
    WHERE (a.client_id = CASE WHEN caller = caller_client THEN caller END
           OR a.user_id = CASE WHEN caller <> caller_client THEN caller::uuid END)
      AND a.starts_on <= day_of(moment)
      AND (a.ends_on IS NULL OR a.ends_on >= day_of(moment) OR a.ends_on = day_of(moment) - 1 AND a.updated_at > moment)
      AND a.library_id IS NULL AND region_contains(a.region_code, wanted_place) AND wanted_rank >= r.rank);

-- The same now.
CREATE OR REPLACE FUNCTION may_appoint_until(caller text, caller_client text, wanted_role text, wanted_place text, wanted_rank integer)
RETURNS date
LANGUAGE sql STABLE
RETURN may_appoint_until(caller, caller_client, wanted_role, wanted_place, wanted_rank, now());

CREATE OR REPLACE FUNCTION may_appoint(caller text, caller_client text, wanted_role text, wanted_place text, wanted_rank integer)
RETURNS boolean
LANGUAGE sql STABLE
RETURN may_appoint_until(caller, caller_client, wanted_role, wanted_place, wanted_rank) IS NOT NULL;

-- Could somebody who is on record as an actor give that at that moment? A user, a client, or an owner of the database, who may all; where
-- nobody is on record (NULL), nobody could. What has become of them since (disabled, suspended) takes nothing away from what they could
-- give then.
DROP FUNCTION IF EXISTS actor_may_appoint(text, text, text, integer); -- the version before
CREATE OR REPLACE FUNCTION actor_may_appoint(actor text, wanted_role text, wanted_place text, wanted_rank integer, moment timestamptz)
RETURNS boolean
LANGUAGE sql STABLE
RETURN CASE WHEN actor IS NULL THEN false
            WHEN EXISTS (SELECT FROM client c WHERE c.id = actor COLLATE "C")
            THEN may_appoint_until(actor, actor, wanted_role, wanted_place, wanted_rank, moment) IS NOT NULL
            WHEN actor ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
            THEN may_appoint_until(actor, '', wanted_role, wanted_place, wanted_rank, moment) IS NOT NULL
            ELSE true END;

-- Does the actor act for the nation?
CREATE OR REPLACE FUNCTION actor_of_nation(actor text) RETURNS boolean
LANGUAGE sql STABLE
RETURN actor_may_appoint(actor, 'national_admin', '', 7, now());

-- Could that actor give what an assignment gives, then or now? What somebody may give only since is no more than they have; that they may
-- give nothing any more takes nothing back. Nobody gives anything to themselves, not by what this very assignment lets them give either.
CREATE OR REPLACE FUNCTION actor_may_appoint(actor text, acted_at timestamptz, given assignment) RETURNS boolean
LANGUAGE sql STABLE
RETURN actor IS DISTINCT FROM given.user_id::text
    AND EXISTS (SELECT FROM (VALUES (acted_at), (now())) AS judged (moment)
                WHERE actor_may_appoint(actor, given.role, given.place,
                                        coalesce((SELECT library_rank(l.kind) FROM library l WHERE l.id = given.library_id), 7), judged.moment));

-- AFTER INSERT: who is charged with more than those could give who handed out what opens the account gets into it by nothing of theirs,
-- nor by a link that goes unseen to an address that such a one chose. So nobody waits in an account of their own making for the rights
-- that it will be given.
CREATE OR REPLACE FUNCTION assignment_close_account() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM FROM app_user u WHERE u.id = NEW.user_id FOR NO KEY UPDATE; -- links are made under this lock
    IF EXISTS (SELECT FROM user_openers(NEW.user_id) o WHERE NOT actor_may_appoint(o.opener, o.opened_at, NEW)) THEN
        PERFORM user_close(NEW.user_id, (SELECT actor_may_appoint(u.email_by, u.email_at, NEW) FROM app_user u WHERE u.id = NEW.user_id));
    END IF;
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER close_account AFTER INSERT ON assignment
    FOR EACH ROW WHEN (NEW.user_id IS NOT NULL) EXECUTE FUNCTION assignment_close_account();

-- The days of an appointment lie within the appointer's own, and none of them is past, unless the nation appoints. `first` and `last`
-- are asked as far as they are set.
CREATE OR REPLACE FUNCTION gate_appointment_days(caller text, caller_client text, wanted_role text, wanted_place text, wanted_rank integer,
    first date, sets_first boolean, last date, sets_last boolean) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    until date := may_appoint_until(caller, caller_client, wanted_role, wanted_place, wanted_rank);
BEGIN
    IF may_appoint(caller, caller_client, 'national_admin', '', 7) THEN
        RETURN true;
    ELSIF sets_first AND first < today() OR sets_last AND coalesce(last, 'infinity') > until THEN
        PERFORM refuse('assignment_days', jsonb_build_object('reason', CASE WHEN until = 'infinity' THEN 'days_from' ELSE 'days_within' END,
            'first', today(), 'last', nullif(until, 'infinity')));
    END IF;
    RETURN true;
END
$$;

-- The common part of every write, of a place that the caller may see.
CREATE OR REPLACE FUNCTION gate_appointment(caller text, caller_client text, holder_user uuid, holder_client text, wanted_role text,
    wanted_place text, wanted_rank integer) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    IF assignment_is_of(holder_user, holder_client, caller, caller_client) THEN
        PERFORM refuse('assignment_self');
    ELSIF NOT may_appoint(caller, caller_client, wanted_role, wanted_place, wanted_rank) THEN
        PERFORM refuse('delegation_missing', jsonb_build_object('role', wanted_role,
            'place', coalesce(nullif(wanted_place, ''), 'Indonesia'),
            'appointers', (SELECT string_agg(d.appointer, ', ' ORDER BY d.appointer) FROM role_delegation d WHERE d.role = wanted_role)));
    ELSIF holder_client IS NOT NULL AND NOT may_appoint(caller, caller_client, 'national_admin', '', 7) THEN
        PERFORM refuse('assignment_client_nation');
    END IF;
    RETURN true;
END
$$;

CREATE OR REPLACE FUNCTION gate_create_assignment(caller text, caller_client text, holder_user uuid, holder_client text, wanted_role text,
    wanted_region text, wanted_library uuid, starts_on date, ends_on date) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    place text := coalesce(wanted_region, '');
    rank integer := 7;
BEGIN
    IF wanted_library IS NOT NULL THEN
        SELECT l.place, library_rank(l.kind) INTO place, rank FROM library l WHERE l.id = wanted_library;
    END IF;
    PERFORM gate_appointment(caller, caller_client, holder_user, holder_client, wanted_role, place, rank);
    PERFORM period_require(coalesce(starts_on, today()), ends_on);
    RETURN gate_appointment_days(caller, caller_client, wanted_role, place, rank, coalesce(starts_on, today()), true, ends_on, true);
END
$$;

-- The same for a caller with a limited reach.
CREATE OR REPLACE FUNCTION gate_create_assignment(caller text, caller_client text, holder_user uuid, holder_client text, wanted_role text,
    wanted_region text, wanted_library uuid, starts_on date, ends_on date, reach_from text[], reach_to text[], reach_rank bigint[])
RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    l record;
BEGIN
    IF wanted_library IS NOT NULL THEN
        SELECT place, library_rank(library.kind) AS rank, name INTO l FROM library WHERE id = wanted_library;
        IF FOUND AND NOT place_library(l.place, l.rank, reach_from, reach_to, reach_rank) THEN
            PERFORM refuse('out_of_reach', jsonb_build_object('what', l.name));
        END IF;
    ELSIF NOT place_inside(coalesce(wanted_region, ''), reach_from, reach_to, reach_rank) THEN
        PERFORM refuse('out_of_reach', jsonb_build_object('what', coalesce(wanted_region, 'Indonesia')));
    END IF;
    RETURN gate_create_assignment(caller, caller_client, holder_user, holder_client, wanted_role, wanted_region, wanted_library,
                                  starts_on, ends_on);
END
$$;

-- PATCH and the end: locks the row; unknown or outside the reach is not found. `ending`: to be ended now, whatever its days.
CREATE OR REPLACE FUNCTION gate_assignment(wanted uuid, if_match bigint[], caller text, caller_client text, ending boolean,
    new_starts_on date, sets_starts boolean, new_ends_on date, sets_ends boolean) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    a record;
    rank integer;
BEGIN
    SELECT * INTO a FROM assignment WHERE id = wanted FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        PERFORM refuse('not_found');
    END IF;
    rank := coalesce((SELECT library_rank(l.kind) FROM library l WHERE l.id = a.library_id), 7);
    PERFORM gate_appointment(caller, caller_client, a.user_id, a.client_id, a.role, a.place, rank);
    PERFORM gate_version(a.row_version, if_match);
    IF a.ends_on < greatest(today(), a.starts_on) THEN
        PERFORM refuse('assignment_ended', jsonb_build_object('ends_on', a.ends_on::text));
    ELSIF sets_starts AND a.starts_on <= today() AND new_starts_on IS DISTINCT FROM a.starts_on THEN
        PERFORM refuse('assignment_begun', jsonb_build_object('starts_on', a.starts_on::text));
    END IF;
    IF NOT ending THEN
        PERFORM period_require(CASE WHEN sets_starts THEN new_starts_on ELSE a.starts_on END,
                               CASE WHEN sets_ends THEN new_ends_on ELSE a.ends_on END);
        PERFORM gate_appointment_days(caller, caller_client, a.role, a.place, rank, new_starts_on, sets_starts, new_ends_on, sets_ends);
    END IF;
    RETURN true;
END
$$;

-- Is it there for a caller with that reach?
CREATE OR REPLACE FUNCTION gate_assignment_reach(wanted uuid, reach_from text[], reach_to text[], reach_rank bigint[]) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM assignment a WHERE a.id = wanted AND place_inside(a.place, reach_from, reach_to, reach_rank)) THEN
        PERFORM refuse('not_found');
    END IF;
    RETURN true;
END
$$;
