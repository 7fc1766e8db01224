-- Rules of memberships, positions and the coordinator's duty, under any writer, at any isolation level. Each BEFORE trigger
-- takes the team's lock first; what concerns several rows is asked AFTER, when the whole statement is done, so that a
-- substitution is one step.

-- The organization of that name (case and blanks aside) and sector in the team's region; made when there is none.
CREATE OR REPLACE FUNCTION team_organization(of_team uuid, wanted_name text, wanted_sector text) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    region text;
    found_id uuid;
BEGIN
    IF wanted_name IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT t.region_code INTO region FROM team t WHERE t.id = of_team;
    SELECT o.id INTO found_id FROM organization o
    WHERE text_key(o.name) = text_key(wanted_name) AND o.sector = wanted_sector AND o.region_code = region ORDER BY o.id LIMIT 1;
    IF found_id IS NULL THEN
        INSERT INTO organization (name, sector, region_code) VALUES (text_line(wanted_name), wanted_sector, region)
        RETURNING id INTO found_id;
    END IF;
    RETURN found_id;
END
$$;

-- What a member was on a day: the office held, or the first or last one when the day is outside the membership.
CREATE OR REPLACE FUNCTION team_position_on(member uuid, member_period daterange, day date) RETURNS team_member_position
LANGUAGE sql STABLE
RETURN (SELECT p FROM team_member_position p
        WHERE p.member_id = member
          AND p.period @> greatest(lower(member_period), least(day, coalesce(upper(member_period) - 1, day))));

-- ---- members ---------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION team_member_rules() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    t team := team_lock(NEW.team_id);
    latest team_member_position;
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.id, NEW.team_id) IS DISTINCT FROM (OLD.id, OLD.team_id) THEN
        RAISE EXCEPTION 'member % does not pass to another team', OLD.id
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'team_member_team_fixed';
    ELSIF TG_OP = 'UPDATE' AND (NEW.position, NEW.organization_id) IS DISTINCT FROM (OLD.position, OLD.organization_id) THEN
        SELECT * INTO latest FROM team_member_position p WHERE p.member_id = NEW.id ORDER BY p.starts_on DESC NULLS LAST LIMIT 1;
        IF (NEW.position, NEW.organization_id) IS DISTINCT FROM (latest.position, latest.organization_id) THEN
            RAISE EXCEPTION 'the position of member % changes by a dated change (team_position_change)', OLD.id
                USING ERRCODE = 'restrict_violation', CONSTRAINT = 'team_member_position_rules';
        END IF;
    END IF;
    NEW.role := coalesce(NEW.role, 'anggota');
    NEW.starts_on := coalesce(NEW.starts_on, today());
    NEW.name := CASE WHEN NEW.person_id IS NULL THEN text_line(NEW.name) END;
    NEW.name_key := nullif(array_to_string(words(NEW.name), ' '), '');
    IF num_nonnulls(NEW.person_id, NEW.name, NEW.position) = 0 AND NEW.erased_at IS NULL THEN
        PERFORM refuse('member_nobody');
    ELSIF NEW.source IS NULL AND (coalesce(NEW.starts_on_precision, 'day'), coalesce(NEW.ends_on_precision, 'day')) <> ('day', 'day') THEN
        PERFORM refuse('source_required');
    ELSIF NEW.end_reason IS NOT NULL AND NEW.ends_on IS NULL THEN
        PERFORM refuse('member_not_ended');
    ELSIF NEW.person_id IS NOT NULL AND (TG_OP = 'INSERT' OR NEW.person_id IS DISTINCT FROM OLD.person_id)
          AND NOT EXISTS (SELECT FROM person p WHERE p.id = NEW.person_id AND p.erased_at IS NULL) THEN
        PERFORM refuse('reference_unknown');
    END IF;
    PERFORM period_require(NEW.starts_on, NEW.ends_on);
    PERFORM team_require_live(t, NEW.starts_on), team_require_live(t, NEW.ends_on);
    IF NEW.ends_on IS NULL THEN
        NEW.ends_on_precision := NULL;
        PERFORM team_require_live(t, CASE WHEN t.dissolved_on IS NOT NULL THEN t.dissolved_on + 1 END);
    END IF;
    RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER a_rules BEFORE INSERT OR UPDATE ON team_member
    FOR EACH ROW EXECUTE FUNCTION team_member_rules();
CREATE OR REPLACE TRIGGER b_touch BEFORE UPDATE ON team_member
    FOR EACH ROW EXECUTE FUNCTION touch('role_rank', 'period');
CREATE OR REPLACE TRIGGER keep BEFORE DELETE OR TRUNCATE ON team_member
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_removal();

-- Refuses somebody who is in the team twice on one day: a person on record, or a name of somebody who may be the same.
CREATE OR REPLACE FUNCTION team_check_twice(m team_member) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    called text := coalesce(m.name, (SELECT p.name FROM person p WHERE p.id = m.person_id));
    other team_member;
BEGIN
    SELECT o.* INTO other
    FROM team_member o LEFT JOIN person p ON p.id = o.person_id
    WHERE o.team_id = m.team_id AND o.id <> m.id AND o.period && m.period
      AND (o.person_id = m.person_id
           OR (o.person_id IS NULL OR m.person_id IS NULL) AND words(coalesce(o.name, p.name)) = words(called))
    ORDER BY o.starts_on LIMIT 1;
    IF FOUND THEN
        PERFORM refuse('member_twice', jsonb_build_object('name', called, 'period', period_text(other.starts_on, other.ends_on)));
    END IF;
END
$$;

-- An office that is held by one only.
CREATE OR REPLACE FUNCTION team_check_office(m team_member) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    other team_member;
BEGIN
    SELECT o.* INTO other FROM team_member o
    WHERE m.role <> 'anggota' AND o.team_id = m.team_id AND o.id <> m.id AND o.role = m.role AND o.period && m.period
    ORDER BY o.starts_on LIMIT 1;
    IF FOUND THEN
        PERFORM refuse('office_taken', jsonb_build_object('role', m.role, 'period', period_text(other.starts_on, other.ends_on)));
    END IF;
END
$$;

-- AFTER: the first position, the coordinator's duty, whether the person is published, and the rules of the whole team.
CREATE OR REPLACE FUNCTION team_member_follow() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    m team_member;
    changed date;
BEGIN
    SELECT * INTO m FROM team_member WHERE id = NEW.id; -- as it is now: the statement may have changed it since
    IF TG_OP = 'INSERT' THEN
        INSERT INTO team_member_position (member_id, position, organization_id) VALUES (m.id, m.position, m.organization_id);
    ELSIF m.period <> OLD.period THEN
        SELECT p.starts_on INTO changed FROM team_member_position p
        WHERE p.member_id = m.id AND p.starts_on IS NOT NULL AND NOT (m.period @> p.starts_on AND m.starts_on < p.starts_on)
        ORDER BY p.starts_on LIMIT 1;
        IF FOUND THEN
            PERFORM refuse('position_outside', jsonb_build_object('on', changed::text, 'period', period_text(m.starts_on, m.ends_on)));
        END IF;
        UPDATE team_coordinator c SET ends_on = m.ends_on
        WHERE c.member_id = m.id AND c.starts_on <= m.ends_on AND coalesce(c.ends_on, 'infinity') > m.ends_on;
        DELETE FROM team_coordinator c WHERE c.member_id = m.id AND c.starts_on > m.ends_on; -- it cannot begin any more
        PERFORM team_coordinator_check(c) FROM team_coordinator c WHERE c.member_id = m.id;
    END IF;
    PERFORM team_check_twice(m), team_check_office(m), team_check_size(m.team_id);
    UPDATE person SET acts_in_team = true WHERE id = m.person_id AND NOT acts_in_team;
    IF TG_OP = 'UPDATE' AND OLD.person_id IS DISTINCT FROM m.person_id THEN
        UPDATE person p SET acts_in_team = false
        WHERE p.id = OLD.person_id AND NOT EXISTS (SELECT FROM team_member o WHERE o.person_id = p.id);
    END IF;
    IF m.replaces_id IS NOT NULL AND EXISTS (SELECT FROM team_member o WHERE o.id = m.replaces_id AND o.starts_on >= m.starts_on) THEN
        PERFORM refuse('substitution_order');
    END IF;
    RETURN NULL;
END
$$;
-- Its name comes before those of the exclusion constraints' own triggers, so that a refusal can say who stands in the way.
CREATE OR REPLACE TRIGGER "A_follow" AFTER INSERT OR UPDATE ON team_member
    FOR EACH ROW EXECUTE FUNCTION team_member_follow();

-- A membership ends on its last day, and the next begins: one step, one statement.
CREATE OR REPLACE FUNCTION team_substitute(of_team uuid, leaving uuid, on_day date, why text, new_id uuid, new_person uuid,
    new_name text, new_position text, new_organization uuid, new_role text, new_decree uuid, vouched boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    old team_member;
BEGIN
    PERFORM team_lock(of_team);
    SELECT * INTO old FROM team_member WHERE id = leaving AND team_id = of_team;
    on_day := coalesce(on_day, today());
    IF NOT FOUND THEN
        PERFORM refuse('member_unknown');
    ELSIF on_day <= old.starts_on THEN
        PERFORM refuse('date_before_previous', jsonb_build_object('on', on_day::text, 'previous', old.starts_on::text));
    ELSIF old.ends_on < on_day - 1 OR EXISTS (SELECT FROM team_member m WHERE m.replaces_id = leaving) THEN
        PERFORM refuse('member_left', jsonb_build_object('ends_on', old.ends_on::text));
    END IF;
    WITH ended AS (
        UPDATE team_member SET ends_on = on_day - 1, end_reason = why WHERE id = leaving)
    INSERT INTO team_member (id, team_id, person_id, name, position, organization_id, role, starts_on, replaces_id, decree_id, person_vouched)
    VALUES (new_id, of_team, new_person, new_name, new_position, new_organization, coalesce(new_role, old.role), on_day,
            leaving, coalesce(new_decree, old.decree_id), vouched);
END
$$;

-- ---- positions -------------------------------------------------------------------------------------------

-- BEFORE: the member's team is the lock; AFTER: the member's own columns are the latest position's.
CREATE OR REPLACE FUNCTION team_position_rules() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    m team_member;
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.member_id <> OLD.member_id THEN
        RAISE EXCEPTION 'a position does not pass to another member'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'team_member_position_member_fixed';
    END IF;
    PERFORM team_lock(o.team_id) FROM team_member o WHERE o.id = NEW.member_id;
    SELECT * INTO m FROM team_member WHERE id = NEW.member_id;
    IF num_nonnulls(m.person_id, m.name, NEW.position) = 0 THEN
        PERFORM refuse('member_nobody');
    ELSIF NEW.starts_on IS NOT NULL AND NOT (m.period @> NEW.starts_on AND m.starts_on < NEW.starts_on) THEN
        PERFORM refuse('position_outside', jsonb_build_object('on', NEW.starts_on::text, 'period', period_text(m.starts_on, m.ends_on)));
    END IF;
    PERFORM date_require_past(NEW.starts_on);
    RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER a_rules BEFORE INSERT OR UPDATE ON team_member_position
    FOR EACH ROW EXECUTE FUNCTION team_position_rules();
CREATE OR REPLACE TRIGGER b_touch BEFORE UPDATE ON team_member_position
    FOR EACH ROW EXECUTE FUNCTION touch('period');
CREATE OR REPLACE TRIGGER keep BEFORE DELETE OR TRUNCATE ON team_member_position
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_removal();

CREATE OR REPLACE FUNCTION team_position_follow() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE team_member m SET position = p.position, organization_id = p.organization_id
    FROM (SELECT w.position, w.organization_id FROM team_member_position w WHERE w.member_id = NEW.member_id
          ORDER BY w.starts_on DESC NULLS LAST LIMIT 1) p
    WHERE m.id = NEW.member_id AND (m.position, m.organization_id) IS DISTINCT FROM (p.position, p.organization_id);
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER follow AFTER INSERT OR UPDATE ON team_member_position
    FOR EACH ROW EXECUTE FUNCTION team_position_follow();

-- From that day on the member holds another office; what is kept is as it was.
CREATE OR REPLACE FUNCTION team_position_change(new_id uuid, member uuid, on_day date,
    to_position text DEFAULT NULL, keep_position boolean DEFAULT false,
    to_organization uuid DEFAULT NULL, keep_organization boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    last team_member_position;
    began date;
BEGIN
    PERFORM team_lock(o.team_id) FROM team_member o WHERE o.id = member;
    SELECT * INTO last FROM team_member_position p WHERE p.member_id = member ORDER BY p.starts_on DESC NULLS LAST LIMIT 1;
    SELECT coalesce(last.starts_on, m.starts_on) INTO began FROM team_member m WHERE m.id = member;
    on_day := coalesce(on_day, today());
    IF on_day <= began THEN
        PERFORM refuse('date_before_previous', jsonb_build_object('on', on_day::text, 'previous', began::text));
    END IF;
    WITH ended AS (
        UPDATE team_member_position SET ends_on = on_day - 1 WHERE id = last.id)
    INSERT INTO team_member_position (id, member_id, position, organization_id, starts_on)
    VALUES (new_id, member, CASE WHEN keep_position THEN last.position ELSE to_position END,
            CASE WHEN keep_organization THEN last.organization_id ELSE to_organization END, on_day);
END
$$;

-- ---- the coordinator --------------------------------------------------------------------------------------

-- Who coordinates is a member on each of these days.
CREATE OR REPLACE FUNCTION team_coordinator_check(c team_coordinator) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    m team_member;
BEGIN
    SELECT * INTO m FROM team_member o WHERE o.id = c.member_id AND o.team_id = c.team_id;
    IF NOT FOUND THEN
        PERFORM refuse('member_unknown');
    ELSIF NOT m.period @> daterange(c.starts_on, c.ends_on, '[]') THEN -- a BEFORE trigger does not know generated columns yet
        PERFORM refuse('coordinator_no_member', jsonb_build_object('period', period_text(m.starts_on, m.ends_on)));
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION team_coordinator_rules() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM team_lock(OLD.team_id);
        RETURN OLD;
    END IF;
    PERFORM team_lock(NEW.team_id);
    PERFORM period_require(NEW.starts_on, NEW.ends_on);
    PERFORM team_coordinator_check(NEW);
    RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER a_rules BEFORE INSERT OR UPDATE OR DELETE ON team_coordinator
    FOR EACH ROW EXECUTE FUNCTION team_coordinator_rules();
CREATE OR REPLACE TRIGGER b_touch BEFORE UPDATE ON team_coordinator
    FOR EACH ROW EXECUTE FUNCTION touch('period');

-- From that day on this member coordinates, until the membership ends; who did before, until the day before.
CREATE OR REPLACE FUNCTION team_coordinate(of_team uuid, member uuid, from_day date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    last team_coordinator;
    m team_member;
BEGIN
    PERFORM team_lock(of_team);
    SELECT * INTO m FROM team_member WHERE id = member AND team_id = of_team;
    IF NOT FOUND THEN
        PERFORM refuse('member_unknown');
    END IF;
    from_day := coalesce(from_day, greatest(today(), m.starts_on));
    IF NOT m.period @> from_day THEN
        PERFORM refuse('coordinator_no_member', jsonb_build_object('period', period_text(m.starts_on, m.ends_on)));
    END IF;
    SELECT * INTO last FROM team_coordinator c WHERE c.team_id = of_team ORDER BY c.starts_on DESC LIMIT 1;
    IF last.starts_on = from_day THEN
        UPDATE team_coordinator SET member_id = member, ends_on = m.ends_on
        WHERE id = last.id AND (member_id, ends_on) IS DISTINCT FROM (member, m.ends_on);
        RETURN;
    ELSIF last.member_id = member AND last.period @> from_day AND last.ends_on IS NOT DISTINCT FROM m.ends_on THEN
        RETURN; -- already so
    ELSIF from_day < last.starts_on THEN
        PERFORM refuse('date_before_previous', jsonb_build_object('on', from_day::text, 'previous', last.starts_on::text));
    END IF;
    WITH ended AS (
        UPDATE team_coordinator SET ends_on = from_day - 1 WHERE id = last.id AND coalesce(ends_on, 'infinity') >= from_day)
    INSERT INTO team_coordinator (team_id, member_id, starts_on, ends_on) VALUES (of_team, member, from_day, m.ends_on);
END
$$;
