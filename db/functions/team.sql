-- Rules of a team and of the policies of its level, under any writer, at any isolation level. How many members a team may
-- have is asked on every day on which it can begin to be broken: when a membership, a policy or a decree begins or ends.

-- Takes the team's lock and makes a new version of it; the rules over its rows hold from here to the end of the transaction.
CREATE OR REPLACE FUNCTION team_lock(wanted uuid) RETURNS team
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    t team;
BEGIN
    UPDATE team SET membership_version = membership_version + 1 WHERE id = wanted RETURNING * INTO t;
    IF NOT FOUND THEN
        PERFORM refuse('reference_unknown');
    END IF;
    RETURN t;
END
$$;

-- Refuses a day on which the team is not there, NULL passes.
CREATE OR REPLACE FUNCTION team_require_live(t team, day date) RETURNS void
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF NOT t.period @> day THEN
        PERFORM refuse('team_not_live', jsonb_build_object('on', day::text, 'period', period_text(t.formed_on, t.dissolved_on)));
    END IF;
END
$$;

-- How many members the team may have on a day (NULL: no limit is known): what the strongest decree in force that
-- names a number says, else the policy of its level.
CREATE OR REPLACE FUNCTION team_limit_on(wanted uuid, of_level text, day date) RETURNS integer
LANGUAGE sql STABLE
RETURN coalesce(
    (SELECT d.max_members FROM team_decree d
     WHERE d.team_id = wanted AND d.period @> day AND d.max_members IS NOT NULL
     ORDER BY d.strength DESC, coalesce(d.valid_from, d.signed_on) DESC NULLS LAST, d.id DESC LIMIT 1),
    (SELECT p.max_members FROM team_policy p WHERE p.level = of_level AND p.period @> day));

-- Refuses a team that has too many members on some day.
CREATE OR REPLACE FUNCTION team_check_size(wanted uuid) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    found_one record;
BEGIN
    SELECT day, members, allowed INTO found_one
    FROM (SELECT d.day, team_limit_on(t.id, t.level, d.day) AS allowed,
                 (SELECT count(*) FROM team_member m WHERE m.team_id = t.id AND m.period @> d.day) AS members
          FROM team t
          CROSS JOIN LATERAL (
              SELECT m.starts_on AS day FROM team_member m WHERE m.team_id = t.id
              UNION SELECT unnest(ARRAY[lower(p.period), upper(p.period)]) FROM team_policy p WHERE p.level = t.level
              UNION SELECT unnest(ARRAY[lower(d.period), upper(d.period)]) FROM team_decree d WHERE d.team_id = t.id) d
          WHERE t.id = wanted AND d.day IS NOT NULL) days
    WHERE members > allowed
    ORDER BY day LIMIT 1;
    IF FOUND THEN
        PERFORM refuse('team_full', jsonb_build_object('on', found_one.day::text, 'limit', found_one.allowed::text,
                                                       'members', found_one.members::text));
    END IF;
END
$$;

-- ---- the team --------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION team_rules() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.id, NEW.region_code, NEW.origin) IS DISTINCT FROM (OLD.id, OLD.region_code, OLD.origin) THEN
        RAISE EXCEPTION 'the id, the region and the origin of team % never change', OLD.id
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'team_region_fixed';
    ELSIF TG_OP = 'INSERT' THEN
        NEW.origin := coalesce(NEW.origin, 'recorded');
        NEW.formed_on := coalesce(NEW.formed_on, CASE WHEN NEW.origin = 'recorded' THEN today() END);
        PERFORM region_require(NEW.region_code);
        NEW.name := coalesce(NEW.name, 'Tim Sinergi ' || (SELECT r.name FROM region r WHERE r.code = NEW.region_code));
        -- a policy that is changed at this moment would not see this team
        UPDATE team_policy_lock SET version = version + 1 WHERE level = region_level(NEW.region_code);
    END IF;
    NEW.undocumented := coalesce(NEW.undocumented, '[]');
    IF NEW.origin = 'historical' AND NEW.source IS NULL THEN
        PERFORM refuse('source_required');
    ELSIF NEW.origin = 'recorded' AND (NEW.formed_on IS NULL OR coalesce(NEW.formed_on_precision, 'day') <> 'day'
                                       OR NEW.undocumented <> '[]') THEN
        PERFORM refuse('team_undocumented');
    END IF;
    PERFORM date_require_past(NEW.formed_on), date_require_past(NEW.dissolved_on);
    PERFORM period_require(NEW.formed_on, NEW.dissolved_on);
    RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER a_rules BEFORE INSERT OR UPDATE ON team
    FOR EACH ROW EXECUTE FUNCTION team_rules();
CREATE OR REPLACE TRIGGER b_touch BEFORE UPDATE ON team
    FOR EACH ROW EXECUTE FUNCTION touch('level', 'period', 'membership_version');
CREATE OR REPLACE TRIGGER keep BEFORE DELETE OR TRUNCATE ON team
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_removal();

-- AFTER: memberships end with the team, and none lies outside of it.
CREATE OR REPLACE FUNCTION team_follow() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    outside date;
BEGIN
    IF NEW.dissolved_on IS NOT NULL THEN
        UPDATE team_member SET ends_on = NEW.dissolved_on, end_reason = 'team_dissolved'
        WHERE team_id = NEW.id AND starts_on <= NEW.dissolved_on AND coalesce(ends_on, 'infinity') > NEW.dissolved_on;
    END IF;
    SELECT CASE WHEN m.starts_on < NEW.formed_on THEN m.starts_on ELSE coalesce(m.ends_on, m.starts_on) END INTO outside
    FROM team_member m WHERE m.team_id = NEW.id AND NOT NEW.period @> m.period
    ORDER BY m.starts_on LIMIT 1;
    IF FOUND THEN
        PERFORM team_require_live(NEW, outside);
    END IF;
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER follow AFTER UPDATE OF formed_on, dissolved_on ON team
    FOR EACH ROW EXECUTE FUNCTION team_follow();

-- ---- policies ----------------------------------------------------------------------------------------------

-- BEFORE: the level's lock, then every team of the level, in the order of their ids.
CREATE OR REPLACE FUNCTION team_policy_rules() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    levels text[] := CASE TG_OP WHEN 'INSERT' THEN ARRAY[NEW.level] WHEN 'DELETE' THEN ARRAY[OLD.level]
                                ELSE ARRAY[OLD.level, NEW.level] END;
BEGIN
    PERFORM FROM team_policy_lock WHERE level = ANY (levels) ORDER BY level FOR NO KEY UPDATE;
    UPDATE team_policy_lock SET version = version + 1 WHERE level = ANY (levels);
    PERFORM FROM team WHERE level = ANY (levels) ORDER BY id FOR NO KEY UPDATE;
    UPDATE team SET membership_version = membership_version + 1 WHERE level = ANY (levels);
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    PERFORM period_require(NEW.starts_on, NEW.ends_on);
    NEW.wanted_sectors := coalesce(NEW.wanted_sectors, '{}');
    RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER a_rules BEFORE INSERT OR UPDATE OR DELETE ON team_policy
    FOR EACH ROW EXECUTE FUNCTION team_policy_rules();
CREATE OR REPLACE TRIGGER b_touch BEFORE UPDATE ON team_policy
    FOR EACH ROW EXECUTE FUNCTION touch('period');
CREATE OR REPLACE TRIGGER keep BEFORE TRUNCATE ON team_policy
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_removal();

CREATE OR REPLACE FUNCTION team_policy_follow() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM team_check_size(t.id) FROM team t
    WHERE t.level IN (CASE WHEN TG_OP <> 'DELETE' THEN NEW.level END, CASE WHEN TG_OP <> 'INSERT' THEN OLD.level END);
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER follow AFTER INSERT OR UPDATE OR DELETE ON team_policy
    FOR EACH ROW EXECUTE FUNCTION team_policy_follow();

-- A new policy ends the one before it the day before.
CREATE OR REPLACE FUNCTION team_policy_begin(policy_id uuid, of_level text, from_day date, most bigint, sectors text[], months bigint,
    from_source text, with_note text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    last team_policy;
BEGIN
    UPDATE team_policy_lock SET version = version + 1 WHERE level = of_level;
    SELECT * INTO last FROM team_policy WHERE level = of_level ORDER BY starts_on DESC NULLS LAST LIMIT 1;
    IF from_day <= last.starts_on THEN
        PERFORM refuse('date_before_previous', jsonb_build_object('on', from_day::text, 'previous', last.starts_on::text));
    END IF;
    WITH ended AS (
        UPDATE team_policy SET ends_on = from_day - 1 WHERE id = last.id AND coalesce(ends_on, 'infinity') >= from_day)
    INSERT INTO team_policy (id, level, starts_on, max_members, wanted_sectors, meeting_interval_months, source, note)
    VALUES (policy_id, of_level, from_day, most::integer, sectors, months::integer, from_source, with_note);
END
$$;
