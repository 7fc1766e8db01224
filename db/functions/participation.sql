-- Rules of participations: a library takes part in a phase at most once; nominated -> confirmed -> active -> graduated, or
-- withdrawn; every change keeps who, when and why. A record of the past may begin anywhere, with its source; its later
-- transitions obey every rule.

-- The states that may follow a state.
CREATE OR REPLACE FUNCTION participation_next(status text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE status WHEN 'nominated' THEN '{confirmed,withdrawn}' WHEN 'confirmed' THEN '{active,withdrawn}'
                   WHEN 'active' THEN '{graduated,withdrawn}' ELSE '{}' END::text[];

CREATE OR REPLACE FUNCTION participation_born(INOUT p participation) RETURNS participation
LANGUAGE plpgsql AS $$
DECLARE
    phase_status text;
    library_status text;
BEGIN
    p.origin := coalesce(p.origin, 'recorded');
    p.status := coalesce(p.status, 'nominated');
    IF p.origin = 'historical' THEN
        IF p.source IS NULL THEN
            PERFORM refuse('source_required');
        END IF;
        p.status_on := coalesce(p.status_on, p.ended_on, p.joined_on); -- NULL: nobody published it
    ELSE
        IF p.status <> 'nominated' OR p.joined_on IS NOT NULL OR p.ended_on IS NOT NULL THEN
            PERFORM refuse('participation_beginning');
        END IF;
        -- the phase's row is read under a lock, so that it is not closed meanwhile
        SELECT ph.status INTO phase_status FROM phase ph WHERE ph.id = p.phase_id FOR SHARE;
        IF phase_status = 'closed' THEN
            PERFORM refuse('phase_closed', jsonb_build_object('phase', p.phase_id));
        END IF;
        SELECT l.status INTO library_status FROM library l WHERE l.id = p.library_id FOR SHARE;
        IF library_status = 'closed' THEN
            PERFORM refuse('library_closed');
        END IF;
        p.status_on := coalesce(p.status_on, today());
    END IF;
END
$$;

-- BEFORE any change. The days: none in the future, none before the one of the state before.
CREATE OR REPLACE FUNCTION participation_rules() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW := participation_born(NEW);
    ELSE
        IF (NEW.id, NEW.phase_id, NEW.library_id, NEW.origin) <> (OLD.id, OLD.phase_id, OLD.library_id, OLD.origin) THEN
            RAISE EXCEPTION 'the phase, the library and the origin of participation % never change', OLD.id
                USING ERRCODE = 'restrict_violation', CONSTRAINT = 'participation_fixed';
        END IF;
        IF NEW.status <> OLD.status THEN
            IF NOT NEW.status = ANY (participation_next(OLD.status)) THEN
                PERFORM refuse('participation_transition', jsonb_build_object('from', OLD.status, 'to', NEW.status,
                    'allowed', coalesce(nullif(array_to_string(participation_next(OLD.status), ', '), ''), '-')));
            END IF;
            NEW.status_on := coalesce(NEW.status_on, today());
            IF NEW.status_on < OLD.status_on THEN
                PERFORM refuse('date_before_previous',
                    jsonb_build_object('on', NEW.status_on::text, 'previous', OLD.status_on::text));
            END IF;
            IF NEW.status = 'confirmed' THEN
                NEW.joined_on := NEW.status_on;
                NEW.joined_on_precision := 'day';
            ELSIF NEW.status IN ('graduated', 'withdrawn') THEN
                NEW.ended_on := NEW.status_on;
            END IF;
        ELSIF (NEW.status_on, NEW.status_note) IS DISTINCT FROM (OLD.status_on, OLD.status_note) THEN
            RAISE EXCEPTION 'participation %: the day and the reason of a status come with it', OLD.id
                USING ERRCODE = 'restrict_violation', CONSTRAINT = 'participation_fixed';
        END IF;
    END IF;
    PERFORM date_require_past(greatest(NEW.status_on, NEW.joined_on, NEW.ended_on));
    PERFORM period_require(NEW.joined_on, NEW.ended_on);
    RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER a_rules BEFORE INSERT OR UPDATE ON participation
    FOR EACH ROW EXECUTE FUNCTION participation_rules();
CREATE OR REPLACE TRIGGER b_touch BEFORE UPDATE ON participation
    FOR EACH ROW EXECUTE FUNCTION touch();
CREATE OR REPLACE TRIGGER keep BEFORE DELETE OR TRUNCATE ON participation
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_removal();

-- AFTER a change of status: the history, under any writer.
CREATE OR REPLACE FUNCTION participation_follow() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO participation_history (participation_id, from_status, to_status, happened_on, note, actor)
    VALUES (NEW.id, CASE WHEN TG_OP = 'UPDATE' THEN OLD.status END, NEW.status, NEW.status_on, NEW.status_note,
            coalesce(audit_setting('tpbis.actor'), session_user));
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER born AFTER INSERT ON participation
    FOR EACH ROW EXECUTE FUNCTION participation_follow();
CREATE OR REPLACE TRIGGER follow AFTER UPDATE OF status ON participation
    FOR EACH ROW WHEN (NEW.status <> OLD.status) EXECUTE FUNCTION participation_follow();

-- The history is for ever.
CREATE OR REPLACE FUNCTION participation_history_keep() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the history of a participation is only added to'
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'participation_history_kept';
END
$$;
CREATE OR REPLACE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON participation_history
    FOR EACH STATEMENT EXECUTE FUNCTION participation_history_keep();

-- A transition. The day unless told is today; the rules and the history follow by trigger. (A step to the state that already
-- is would change nothing, so it is refused here.)
CREATE OR REPLACE FUNCTION participation_move(wanted uuid, to_status text, on_day date, why text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    from_status text := (SELECT p.status FROM participation p WHERE p.id = wanted);
BEGIN
    IF from_status = to_status THEN
        PERFORM refuse('participation_transition', jsonb_build_object('from', from_status, 'to', to_status,
            'allowed', coalesce(nullif(array_to_string(participation_next(from_status), ', '), ''), '-')));
    END IF;
    UPDATE participation SET status = to_status, status_on = coalesce(on_day, today()), status_note = why WHERE id = wanted;
END
$$;

-- A library's replication became active: makes it a participant of the phase, or links the participation it has; every
-- state on the way is on record with the same day and note. Returns the participation.
CREATE OR REPLACE FUNCTION participation_join(wanted_phase text, wanted_library uuid, wanted_support text, on_day date,
    why text) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    p participation;
    step text;
BEGIN
    INSERT INTO participation (phase_id, library_id, support, status_on, status_note)
    VALUES (wanted_phase, wanted_library, wanted_support, on_day, why)
    ON CONFLICT ON CONSTRAINT participation_library_key DO NOTHING;
    SELECT * INTO p FROM participation WHERE (phase_id, library_id) = (wanted_phase, wanted_library) FOR NO KEY UPDATE;
    IF p.status = 'withdrawn' THEN
        PERFORM refuse('participation_withdrawn', jsonb_build_object('phase', wanted_phase));
    END IF;
    FOREACH step IN ARRAY CASE p.status WHEN 'nominated' THEN '{confirmed,active}' WHEN 'confirmed' THEN '{active}'
                                        ELSE '{}' END::text[] LOOP
        UPDATE participation SET status = step, status_on = greatest(on_day, status_on), status_note = why WHERE id = p.id;
    END LOOP;
    RETURN p.id;
END
$$;

-- ---- the work plan ---------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION participation_work_plan_rules() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.status := coalesce(NEW.status, 'planned');
    IF TG_OP = 'UPDATE' AND NEW.participation_id <> OLD.participation_id THEN
        RAISE EXCEPTION 'an entry of one work plan does not pass to another'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'participation_work_plan_fixed';
    END IF;
    RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER a_rules BEFORE INSERT OR UPDATE ON participation_work_plan
    FOR EACH ROW EXECUTE FUNCTION participation_work_plan_rules();
CREATE OR REPLACE TRIGGER b_touch BEFORE UPDATE ON participation_work_plan
    FOR EACH ROW EXECUTE FUNCTION touch();

-- ---- gates -----------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION gate_participation(wanted uuid, if_match bigint[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    found_version bigint;
BEGIN
    SELECT p.row_version INTO found_version FROM participation p WHERE p.id = wanted FOR NO KEY UPDATE;
    RETURN gate_version(found_version, if_match);
END
$$;

-- The reach of a participation is its library's.
CREATE OR REPLACE FUNCTION gate_participation(wanted uuid, if_match bigint[], reach_from text[], reach_to text[],
    reach_rank bigint[], reach_libraries uuid[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    l record;
BEGIN
    SELECT b.id, b.place, b.kind, b.name INTO l FROM participation p JOIN library b ON b.id = p.library_id
    WHERE p.id = wanted FOR NO KEY UPDATE OF p;
    IF NOT FOUND THEN
        PERFORM refuse('not_found');
    ELSIF NOT place_own_library(l.id, l.place, library_rank(l.kind), reach_from, reach_to, reach_rank, reach_libraries) THEN
        PERFORM refuse('out_of_reach', jsonb_build_object('what', l.name));
    END IF;
    RETURN gate_participation(wanted, if_match);
END
$$;

-- May something be written about that library? One that is not there is a fault of the body.
CREATE OR REPLACE FUNCTION gate_library_about(wanted uuid, reach_from text[], reach_to text[], reach_rank bigint[],
    reach_libraries uuid[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    l record;
BEGIN
    SELECT place, kind, name INTO l FROM library WHERE id = wanted;
    IF NOT FOUND THEN
        PERFORM refuse('reference_unknown');
    ELSIF NOT place_own_library(wanted, l.place, library_rank(l.kind), reach_from, reach_to, reach_rank, reach_libraries) THEN
        PERFORM refuse('out_of_reach', jsonb_build_object('what', l.name));
    END IF;
    RETURN true;
END
$$;

-- Confirming and graduating are the nation's.
CREATE OR REPLACE FUNCTION gate_participation_step(to_status text) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    IF to_status IN ('confirmed', 'graduated') THEN
        PERFORM refuse('participation_needs_nation');
    END IF;
    RETURN true;
END
$$;

-- An entry of that participation's work plan, in the reach of its library.
CREATE OR REPLACE FUNCTION gate_participation_plan(wanted uuid, owner uuid, if_match bigint[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    found_version bigint;
BEGIN
    SELECT w.row_version INTO found_version FROM participation_work_plan w
    WHERE w.id = wanted AND w.participation_id = owner FOR NO KEY UPDATE;
    RETURN gate_version(found_version, if_match);
END
$$;
