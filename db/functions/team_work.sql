-- Rules of what a team does: its meetings, its work plan, its funding.

-- A row of a team stays that team's.
CREATE OR REPLACE FUNCTION team_part_fixed() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id <> OLD.id OR NEW.team_id <> OLD.team_id THEN
        RAISE EXCEPTION '% of one team do not pass to another', TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_TABLE_NAME || '_team_fixed';
    END IF;
    RETURN NEW;
END
$$;

-- Each commitment is {text, due_on, done_on}; the dates are days or null.
CREATE OR REPLACE FUNCTION team_commitments(given jsonb) RETURNS jsonb
LANGUAGE sql STABLE
RETURN (SELECT coalesce(jsonb_agg(jsonb_build_object('text', c.item ->> 'text', 'due_on', (c.item ->> 'due_on')::date,
                                                     'done_on', (c.item ->> 'done_on')::date) ORDER BY c.place), '[]')
        FROM jsonb_array_elements(given) WITH ORDINALITY AS c (item, place));

CREATE OR REPLACE FUNCTION team_meeting_rules() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    t team;
BEGIN
    SELECT * INTO t FROM team WHERE id = NEW.team_id;
    IF NOT FOUND THEN
        PERFORM refuse('reference_unknown');
    END IF;
    NEW.origin := coalesce(NEW.origin, 'recorded');
    NEW.status := coalesce(NEW.status, 'planned');
    NEW.region_code := coalesce(NEW.region_code, t.region_code);
    NEW.commitments := team_commitments(coalesce(NEW.commitments, '[]'));
    IF TG_OP = 'UPDATE' AND NEW.origin <> OLD.origin THEN
        RAISE EXCEPTION 'the origin of meeting % never changes', OLD.id
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'team_meeting_origin_fixed';
    ELSIF TG_OP = 'UPDATE' AND OLD.status = 'held' AND NEW.status <> 'held' THEN
        PERFORM refuse('meeting_held', jsonb_build_object('held_on', coalesce(OLD.held_on::text, '-')));
    ELSIF NEW.origin = 'historical' AND NEW.source IS NULL THEN
        PERFORM refuse('source_required');
    ELSIF NEW.held_on IS NOT NULL AND NEW.status <> 'held' THEN
        PERFORM refuse('meeting_not_held', jsonb_build_object('status', NEW.status));
    ELSIF NEW.origin = 'recorded' AND (NEW.status = 'held' AND NEW.held_on IS NULL
                                       OR NEW.status = 'planned' AND NEW.planned_for IS NULL
                                       OR coalesce(NEW.held_on_precision, 'day') <> 'day') THEN
        PERFORM refuse('meeting_date_required', jsonb_build_object('status', NEW.status));
    END IF;
    PERFORM date_require_past(NEW.held_on), team_require_live(t, NEW.held_on);
    PERFORM date_require_past((c ->> 'done_on')::date) FROM jsonb_array_elements(NEW.commitments) c;
    IF TG_OP = 'INSERT' OR NEW.region_code IS DISTINCT FROM OLD.region_code THEN
        PERFORM region_require(NEW.region_code);
        IF NOT region_contains(t.region_code, NEW.region_code) THEN
            PERFORM refuse('meeting_elsewhere', jsonb_build_object('region', NEW.region_code, 'team_region', t.region_code));
        END IF;
    END IF;
    RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER a_rules BEFORE INSERT OR UPDATE ON team_meeting
    FOR EACH ROW EXECUTE FUNCTION team_meeting_rules();
CREATE OR REPLACE TRIGGER a_fixed BEFORE UPDATE ON team_meeting
    FOR EACH ROW EXECUTE FUNCTION team_part_fixed();
CREATE OR REPLACE TRIGGER b_touch BEFORE UPDATE ON team_meeting
    FOR EACH ROW EXECUTE FUNCTION touch('day');
CREATE OR REPLACE TRIGGER keep BEFORE DELETE OR TRUNCATE ON team_meeting
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_removal();

-- Who was there: each an organization on record ({id}) or one to be found or made ({name, sector}). A change of them is a
-- change of the meeting.
CREATE OR REPLACE FUNCTION team_meeting_organizations(meeting uuid, of_team uuid, given jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    wanted uuid[];
    changed bigint;
BEGIN
    PERFORM FROM team_meeting WHERE id = meeting AND team_id = of_team FOR NO KEY UPDATE;
    SELECT array_agg(DISTINCT coalesce((o ->> 'id')::uuid, team_organization(of_team, o ->> 'name', o ->> 'sector'))) INTO wanted
    FROM jsonb_array_elements(coalesce(given, '[]')) o;
    wanted := coalesce(wanted, '{}');
    WITH gone AS (
        DELETE FROM team_meeting_organization w WHERE w.meeting_id = meeting AND w.organization_id <> ALL (wanted) RETURNING w.meeting_id),
    come AS (
        INSERT INTO team_meeting_organization (meeting_id, organization_id) SELECT meeting, unnest(wanted)
        ON CONFLICT ON CONSTRAINT team_meeting_organization_pkey DO NOTHING RETURNING meeting_id)
    SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM come) INTO changed;
    IF changed > 0 THEN
        UPDATE team_meeting SET organizations_version = organizations_version + 1 WHERE id = meeting;
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION team_work_plan_rules() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.status := coalesce(NEW.status, 'planned');
    RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER a_rules BEFORE INSERT OR UPDATE ON team_work_plan
    FOR EACH ROW EXECUTE FUNCTION team_work_plan_rules();
CREATE OR REPLACE TRIGGER a_fixed BEFORE UPDATE ON team_work_plan
    FOR EACH ROW EXECUTE FUNCTION team_part_fixed();
CREATE OR REPLACE TRIGGER b_touch BEFORE UPDATE ON team_work_plan
    FOR EACH ROW EXECUTE FUNCTION touch('due');
CREATE OR REPLACE TRIGGER keep BEFORE DELETE OR TRUNCATE ON team_work_plan
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_removal();

CREATE OR REPLACE FUNCTION team_funding_rules() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.form := coalesce(NEW.form, 'money');
    IF NEW.form = 'money' AND NEW.amount IS NULL THEN
        PERFORM refuse('amount_required');
    END IF;
    RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER a_rules BEFORE INSERT OR UPDATE ON team_funding
    FOR EACH ROW EXECUTE FUNCTION team_funding_rules();
CREATE OR REPLACE TRIGGER a_fixed BEFORE UPDATE ON team_funding
    FOR EACH ROW EXECUTE FUNCTION team_part_fixed();
CREATE OR REPLACE TRIGGER b_touch BEFORE UPDATE ON team_funding
    FOR EACH ROW EXECUTE FUNCTION touch();
CREATE OR REPLACE TRIGGER keep BEFORE DELETE OR TRUNCATE ON team_funding
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_removal();
