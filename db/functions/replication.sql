-- Rules of replications, under any writer, at any isolation level: a replicator above village level that takes part in the
-- programme, a village in its own region, one live replication per target and programme, and a status that changes by
-- replication_missing() only. What a rule rests on in other tables is locked before it is asked, so that it still is so
-- when the transaction ends. A record of the past may begin anywhere, with its source and with what it lacks listed;
-- its later transitions obey every rule.

-- The replicator, and the library the target is or is to be; kept by the two rows' locks.
CREATE OR REPLACE FUNCTION replication_place(INOUT r replication) RETURNS replication
LANGUAGE plpgsql AS $$
DECLARE
    replicator library;
    l library;
BEGIN
    PERFORM FROM library WHERE id IN (r.replicator_id, r.library_id) ORDER BY id FOR SHARE;
    SELECT * INTO replicator FROM library WHERE id = r.replicator_id;
    IF replicator.id IS NULL THEN
        PERFORM refuse('reference_unknown');
    ELSIF library_rank(replicator.kind) >= library_rank('village') THEN
        PERFORM refuse('replicator_level', jsonb_build_object('kind', replicator.kind));
    ELSIF NOT region_contains(replicator.region_code, r.village_code) THEN
        PERFORM refuse('village_elsewhere', jsonb_build_object('village', r.village_code, 'region', replicator.region_code));
    END IF;
    r.target := r.village_code;
    IF r.library_id IS NOT NULL THEN
        SELECT * INTO l FROM library WHERE id = r.library_id;
        IF l.id IS NULL THEN
            PERFORM refuse('reference_unknown');
        ELSIF l.kind NOT IN ('village', 'tbm') THEN
            PERFORM refuse('replication_library_kind', jsonb_build_object('kind', l.kind));
        ELSIF l.region_code <> r.village_code AND NOT (l.kind = 'tbm' AND l.region_code = left(r.village_code, 8)) THEN
            PERFORM refuse('replication_library_elsewhere', jsonb_build_object('region', l.region_code, 'village', r.village_code));
        ELSIF l.kind = 'tbm' THEN
            r.target := l.id::text;
        END IF;
    END IF;
END
$$;

-- The phase is one of the programme.
CREATE OR REPLACE FUNCTION replication_phase_require(r replication) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM phase p WHERE p.id = r.phase_id AND p.program_slug <> r.program_slug) THEN
        PERFORM refuse('phase_of_other_program', jsonb_build_object('phase', r.phase_id, 'program', r.program_slug));
    END IF;
END
$$;

-- A replication to be.
CREATE OR REPLACE FUNCTION replication_born(INOUT r replication) RETURNS replication
LANGUAGE plpgsql AS $$
DECLARE
    replicator library;
    ph phase;
BEGIN
    r.origin := coalesce(r.origin, 'recorded');
    r.status := coalesce(r.status, 'proposed');
    SELECT * INTO ph FROM phase WHERE id = r.phase_id FOR SHARE;
    r.program_slug := coalesce(r.program_slug, ph.program_slug);
    IF r.phase_id IS NOT NULL AND ph.id IS NULL THEN
        PERFORM refuse('reference_unknown');
    ELSIF r.program_slug IS NULL THEN
        PERFORM refuse('replication_program_missing');
    ELSIF NOT EXISTS (SELECT FROM program p WHERE p.slug = r.program_slug) THEN
        PERFORM refuse('reference_unknown');
    END IF;
    PERFORM replication_phase_require(r);
    IF r.village_code IS NULL THEN -- a library that is named stands in the village
        r.village_code := (SELECT l.region_code FROM library l WHERE l.id = r.library_id AND length(l.region_code) = 13);
    END IF;
    IF r.origin <> 'historical' THEN -- a village of the past may have another code by now
        PERFORM region_require(r.village_code);
    END IF;
    r.library_id := replication_library(r);
    r := replication_place(r);
    SELECT * INTO replicator FROM library WHERE id = r.replicator_id;
    IF r.origin = 'historical' THEN
        IF r.source IS NULL THEN
            PERFORM refuse('source_required');
        END IF;
        IF r.participation_id IS NULL AND r.status IN ('active', 'independent', 'lapsed') THEN
            r.participation_id := (SELECT p.id FROM participation p
                                   WHERE p.phase_id = r.phase_id AND p.library_id = r.library_id);
        END IF;
        IF jsonb_array_length(r.undocumented) = 0 THEN
            r.undocumented := replication_undocumented(r);
        END IF;
        RETURN;
    END IF;
    IF r.status <> 'proposed' OR r.participation_id IS NOT NULL THEN
        PERFORM refuse('replication_beginning');
    ELSIF ph.status = 'closed' THEN
        PERFORM refuse('phase_closed', jsonb_build_object('phase', r.phase_id));
    ELSIF replicator.status = 'closed' OR EXISTS (SELECT FROM library l WHERE l.id = r.library_id AND l.status = 'closed') THEN
        PERFORM refuse('library_closed');
    END IF;
    r.status_on := coalesce(r.status_on, today());
    IF replicator.kind NOT IN ('national', 'provincial') THEN
        PERFORM FROM participation p JOIN phase f ON f.id = p.phase_id
        WHERE p.library_id = r.replicator_id AND f.program_slug = r.program_slug AND p.status IN ('active', 'graduated')
        FOR SHARE OF p;
        IF NOT FOUND THEN
            PERFORM refuse('replicator_not_participant', jsonb_build_object('library', replicator.name, 'program', r.program_slug));
        END IF;
    END IF;
END
$$;

-- Locks what the transition to that state rests on.
CREATE OR REPLACE FUNCTION replication_hold(r replication, to_status text, on_day date) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF to_status = 'training' THEN
        PERFORM FROM training_participant c WHERE c.id = (
            SELECT f.participant_id FROM replication_facilitators_on(r.village_code, on_day) f ORDER BY f.participant_id LIMIT 1)
        FOR SHARE;
    ELSIF to_status = 'active' THEN
        PERFORM FROM phase WHERE id = r.phase_id FOR SHARE;
        PERFORM FROM library WHERE id = r.library_id FOR SHARE;
        PERFORM FROM training_participant c WHERE c.id = (
            SELECT m.participant_id FROM replication_managers_on(r.library_id, on_day) m LIMIT 1) FOR SHARE;
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION replication_rules() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    before replication;
    lacking record;
    steps boolean := TG_OP = 'UPDATE' AND NEW.status IS DISTINCT FROM OLD.status;
BEGIN
    NEW.funding := coalesce(NEW.funding, '[]');
    NEW.undocumented := coalesce(NEW.undocumented, '[]');
    IF TG_OP = 'INSERT' THEN
        NEW := replication_born(NEW);
    ELSE
        IF (NEW.id, NEW.program_slug, NEW.replicator_id, NEW.village_code, NEW.origin)
           IS DISTINCT FROM (OLD.id, OLD.program_slug, OLD.replicator_id, OLD.village_code, OLD.origin) THEN
            RAISE EXCEPTION 'the program, the replicator, the village and the origin of replication % never change', OLD.id
                USING ERRCODE = 'restrict_violation', CONSTRAINT = 'replication_fixed';
        END IF;
        IF OLD.participation_id IS NOT NULL AND (NEW.library_id, NEW.phase_id, NEW.participation_id)
               IS DISTINCT FROM (OLD.library_id, OLD.phase_id, OLD.participation_id) THEN
            PERFORM refuse('replication_settled');
        END IF;
        IF OLD.status <> 'proposed' AND (OLD.origin <> 'historical' OR OLD.commitment_kind IS NOT NULL)
           AND (NEW.commitment_kind, NEW.commitment_number, NEW.commitment_signed_on)
               IS DISTINCT FROM (OLD.commitment_kind, OLD.commitment_number, OLD.commitment_signed_on) THEN
            PERFORM refuse('replication_committed');
        END IF;
        IF steps THEN
            NEW.status_on := coalesce(NEW.status_on, today());
            NEW.status_on_precision := NULL;
            NEW.library_id := replication_library(NEW);
        ELSIF (NEW.status_on, NEW.status_on_precision, NEW.status_note, NEW.participation_id)
               IS DISTINCT FROM (OLD.status_on, OLD.status_on_precision, OLD.status_note, OLD.participation_id) THEN
            RAISE EXCEPTION 'replication %: the day and the reason of a status come with it', OLD.id
                USING ERRCODE = 'restrict_violation', CONSTRAINT = 'replication_fixed';
        END IF;
        IF NEW.library_id IS DISTINCT FROM OLD.library_id THEN
            NEW := replication_place(NEW);
        ELSE
            NEW.target := OLD.target;
        END IF;
    END IF;
    IF NEW.origin <> 'historical' AND (NEW.undocumented <> '[]' OR coalesce(NEW.status_on_precision, 'day') <> 'day') THEN
        PERFORM refuse('record_not_historical');
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.phase_id IS DISTINCT FROM OLD.phase_id THEN
        PERFORM replication_phase_require(NEW);
    END IF;
    IF NEW.commitment_signed_on IS NOT NULL THEN
        PERFORM date_require_past(NEW.commitment_signed_on);
    END IF;
    IF steps THEN
        before := NEW;
        before.status := OLD.status;
        before.status_on := OLD.status_on;
        PERFORM replication_hold(before, NEW.status, NEW.status_on);
        SELECT m.code, m.arguments INTO lacking FROM replication_missing(before, NEW.status, NEW.status_on) m LIMIT 1;
        IF FOUND THEN
            PERFORM refuse(lacking.code, lacking.arguments);
        END IF;
        IF NEW.status = 'active' THEN
            NEW.participation_id := participation_join(NEW.phase_id, NEW.library_id,
                CASE WHEN NEW.funding <> '[]' AND NOT replication_self_funded(NEW.funding) THEN 'full' ELSE 'self_replication' END,
                NEW.status_on, NEW.status_note);
        END IF;
    END IF;
    PERFORM date_require_past(NEW.status_on);
    RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER a_rules BEFORE INSERT OR UPDATE ON replication
    FOR EACH ROW EXECUTE FUNCTION replication_rules();
CREATE OR REPLACE TRIGGER b_touch BEFORE UPDATE ON replication
    FOR EACH ROW EXECUTE FUNCTION touch('live', 'self_funded');
CREATE OR REPLACE TRIGGER keep BEFORE DELETE OR TRUNCATE ON replication
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_removal();
CREATE OR REPLACE TRIGGER b_touch BEFORE UPDATE ON replication_policy
    FOR EACH ROW EXECUTE FUNCTION touch('period');

-- AFTER a change of status: the history, under any writer.
CREATE OR REPLACE FUNCTION replication_follow() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO replication_history (replication_id, from_status, to_status, happened_on, happened_on_precision, note, evidence, actor)
    VALUES (NEW.id, CASE WHEN TG_OP = 'UPDATE' THEN OLD.status END, NEW.status, NEW.status_on, NEW.status_on_precision,
            NEW.status_note,
            CASE WHEN TG_OP = 'UPDATE' THEN replication_evidence(NEW, NEW.status_on)
                 WHEN NEW.origin = 'historical' THEN jsonb_build_object('source', NEW.source) ELSE '{}' END,
            coalesce(audit_setting('tpbis.actor'), session_user));
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER born AFTER INSERT ON replication
    FOR EACH ROW EXECUTE FUNCTION replication_follow();
CREATE OR REPLACE TRIGGER follow AFTER UPDATE OF status ON replication
    FOR EACH ROW WHEN (NEW.status <> OLD.status) EXECUTE FUNCTION replication_follow();

-- The history is for ever.
CREATE OR REPLACE FUNCTION replication_history_keep() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the history of a replication is only added to'
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'replication_history_kept';
END
$$;
CREATE OR REPLACE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON replication_history
    FOR EACH STATEMENT EXECUTE FUNCTION replication_history_keep();

-- ---- facilitators ----------------------------------------------------------------------------------------

-- BEFORE: who mentors is certified on the first day, for that kabupaten or its province, or is a master trainer.
CREATE OR REPLACE FUNCTION replication_facilitator_rules() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    village text;
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.replication_id, NEW.person_id) <> (OLD.replication_id, OLD.person_id) THEN
        RAISE EXCEPTION 'a facilitator of one replication does not pass to another'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'replication_facilitator_fixed';
    END IF;
    SELECT r.village_code INTO village FROM replication r WHERE r.id = NEW.replication_id FOR NO KEY UPDATE;
    NEW.starts_on := coalesce(NEW.starts_on, today());
    PERFORM date_require_past(NEW.starts_on);
    PERFORM period_require(NEW.starts_on, NEW.ends_on);
    IF TG_OP = 'INSERT' OR NEW.starts_on <> OLD.starts_on THEN
        PERFORM FROM training_participant c WHERE c.person_id = NEW.person_id AND c.certified_on IS NOT NULL FOR SHARE;
        IF NOT EXISTS (SELECT FROM replication_facilitators_on(village, NEW.starts_on) f WHERE f.person_id = NEW.person_id) THEN
            PERFORM refuse('facilitator_not_certified', jsonb_build_object('on', NEW.starts_on::text));
        END IF;
    END IF;
    RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER a_rules BEFORE INSERT OR UPDATE ON replication_facilitator
    FOR EACH ROW EXECUTE FUNCTION replication_facilitator_rules();
CREATE OR REPLACE TRIGGER b_touch BEFORE UPDATE ON replication_facilitator
    FOR EACH ROW EXECUTE FUNCTION touch();

-- ---- gates -----------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION gate_replication(wanted uuid, if_match bigint[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    found_version bigint;
BEGIN
    SELECT r.row_version INTO found_version FROM replication r WHERE r.id = wanted FOR NO KEY UPDATE;
    RETURN gate_version(found_version, if_match);
END
$$;

-- The reach of a replication is its village's.
CREATE OR REPLACE FUNCTION gate_replication(wanted uuid, if_match bigint[], reach_from text[], reach_to text[],
    reach_rank bigint[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    village text;
BEGIN
    SELECT r.village_code INTO village FROM replication r WHERE r.id = wanted FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        PERFORM refuse('not_found');
    ELSIF NOT place_village(village, reach_from, reach_to, reach_rank) THEN
        PERFORM refuse('out_of_reach', jsonb_build_object('what', village));
    END IF;
    RETURN gate_replication(wanted, if_match);
END
$$;

-- A replication to be: the village is written by the caller, and the replicator stands where the caller is charged.
CREATE OR REPLACE FUNCTION gate_replication_new(village text, replicator uuid, reach_from text[], reach_to text[],
    reach_rank bigint[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    l record;
BEGIN
    SELECT place, name INTO l FROM library WHERE id = replicator;
    IF NOT FOUND THEN
        PERFORM refuse('reference_unknown');
    ELSIF NOT place_village(village, reach_from, reach_to, reach_rank) THEN
        PERFORM refuse('out_of_reach', jsonb_build_object('what', village));
    ELSIF NOT place_inside(l.place, reach_from, reach_to, reach_rank) THEN
        PERFORM refuse('out_of_reach', jsonb_build_object('what', l.name));
    END IF;
    RETURN true;
END
$$;

-- Who may bring about that transition; whether it can be is decided with the write (replication_rules).
CREATE OR REPLACE FUNCTION gate_replication_transition(wanted uuid, if_match bigint[], to_status text, on_day date, scopes text[],
    limited boolean, reach_from text[], reach_to text[], reach_rank bigint[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    r replication;
    lacking record;
BEGIN
    SELECT * INTO r FROM replication WHERE id = wanted FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        PERFORM refuse('not_found');
    END IF;
    SELECT a.code, a.arguments INTO lacking
    FROM replication_authority(r, to_status, coalesce(on_day, today()), scopes, limited, reach_from, reach_to, reach_rank) a LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(lacking.code, lacking.arguments);
    END IF;
    RETURN gate_replication(wanted, if_match);
END
$$;
