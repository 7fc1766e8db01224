-- Rules of trainings, their participants and certificates. A certificate is of somebody who attended; a certified
-- facilitator or master trainer is a person on record and a facilitator names a library, for their names and libraries are
-- published. Every other participant's name is for those in reach, and can be erased without breaking a count.

CREATE OR REPLACE FUNCTION training_rules() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.origin := coalesce(NEW.origin, 'recorded');
    IF NEW.origin = 'historical' AND NEW.source IS NULL THEN
        PERFORM refuse('source_required');
    ELSIF NEW.origin <> 'historical' AND NEW.starts_on IS NULL THEN
        PERFORM refuse('training_date_required');
    END IF;
    PERFORM period_require(NEW.starts_on, NEW.ends_on);
    IF TG_OP = 'INSERT' OR NEW.region_code IS DISTINCT FROM OLD.region_code THEN
        PERFORM region_require(NEW.region_code);
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF NEW.origin <> OLD.origin OR NEW.id <> OLD.id THEN
            RAISE EXCEPTION 'the origin of training % never changes', OLD.id
                USING ERRCODE = 'restrict_violation', CONSTRAINT = 'training_fixed';
        END IF;
        IF NEW.starts_on > coalesce(OLD.starts_on, '-infinity')
           AND EXISTS (SELECT FROM training_participant t WHERE t.training_id = NEW.id
                         AND (t.certified_on < NEW.starts_on OR t.attended AND NEW.starts_on > today())) THEN
            PERFORM refuse('training_not_begun', jsonb_build_object('starts_on', NEW.starts_on::text));
        END IF;
    END IF;
    RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER a_rules BEFORE INSERT OR UPDATE ON training
    FOR EACH ROW EXECUTE FUNCTION training_rules();
CREATE OR REPLACE TRIGGER b_touch BEFORE UPDATE ON training
    FOR EACH ROW EXECUTE FUNCTION touch('area');
CREATE OR REPLACE TRIGGER keep BEFORE DELETE OR TRUNCATE ON training
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_removal();

-- What a certificate asks for.
CREATE OR REPLACE FUNCTION training_certificate_check(p training_participant, starts_on date) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT p.attended THEN
        PERFORM refuse('participant_not_attended');
    ELSIF p.role = 'fasilitator' AND p.library_id IS NULL THEN
        PERFORM refuse('certificate_library_required');
    ELSIF p.certified_on < starts_on THEN
        PERFORM refuse('training_not_begun', jsonb_build_object('starts_on', starts_on::text));
    END IF;
    PERFORM date_require_past(p.certified_on);
    PERFORM period_require(p.certified_on, p.certificate_until);
END
$$;

-- BEFORE any change; the training's row is the lock.
CREATE OR REPLACE FUNCTION training_participant_rules() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    starts date;
BEGIN
    SELECT t.starts_on INTO starts FROM training t WHERE t.id = NEW.training_id FOR NO KEY UPDATE;
    NEW.attended := coalesce(NEW.attended, false);
    IF TG_OP = 'UPDATE' THEN
        IF NEW.training_id <> OLD.training_id THEN
            RAISE EXCEPTION 'a participant of one training does not pass to another'
                USING ERRCODE = 'restrict_violation', CONSTRAINT = 'training_participant_fixed';
        ELSIF OLD.erased_at IS NOT NULL AND (NEW.name, NEW.person_id) IS DISTINCT FROM (OLD.name, OLD.person_id) THEN
            PERFORM refuse('participant_erased');
        ELSIF OLD.certified_on IS NOT NULL AND NEW.certified_on IS NOT NULL
              AND (NEW.attended, NEW.role, NEW.person_id) IS DISTINCT FROM (OLD.attended, OLD.role, OLD.person_id) THEN
            PERFORM refuse('participant_certified');
        END IF;
    END IF;
    IF NEW.person_id IS NOT NULL THEN
        IF EXISTS (SELECT FROM person p WHERE p.id = NEW.person_id AND p.erased_at IS NOT NULL)
           AND (TG_OP = 'INSERT' OR NEW.person_id IS DISTINCT FROM OLD.person_id) THEN
            PERFORM refuse('reference_unknown');
        END IF;
        NEW.library_id := coalesce(NEW.library_id, (SELECT p.library_id FROM person p WHERE p.id = NEW.person_id));
    END IF;
    IF NEW.attended AND starts > today() THEN
        PERFORM refuse('training_not_begun', jsonb_build_object('starts_on', starts::text));
    END IF;
    IF NEW.certified_on IS NULL THEN
        NEW.certified_by := NULL;
        RETURN NEW;
    END IF;
    PERFORM training_certificate_check(NEW, starts);
    IF TG_OP = 'INSERT' OR NEW.certified_on IS DISTINCT FROM OLD.certified_on OR NEW.certified_by IS NULL THEN
        NEW.certified_by := coalesce(audit_setting('tpbis.actor'), session_user);
    END IF;
    IF NEW.role IN ('fasilitator', 'master_trainer') AND NEW.person_id IS NULL AND NEW.name IS NOT NULL THEN
        INSERT INTO person (name, library_id) VALUES (NEW.name, NEW.library_id) RETURNING id INTO NEW.person_id;
        NEW.name := NULL;
    END IF;
    RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER a_rules BEFORE INSERT OR UPDATE ON training_participant
    FOR EACH ROW EXECUTE FUNCTION training_participant_rules();
CREATE OR REPLACE TRIGGER b_touch BEFORE UPDATE ON training_participant
    FOR EACH ROW EXECUTE FUNCTION touch();

-- AFTER any change: a person facilitates as long as a certificate as facilitator or master trainer is on record. The
-- person's row is the lock, so that two changes of one person's certificates do not miss each other.
CREATE OR REPLACE FUNCTION training_participant_follow() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    touched uuid;
    certified boolean;
BEGIN
    FOR touched IN SELECT DISTINCT t FROM unnest(ARRAY[CASE WHEN TG_OP <> 'INSERT' THEN OLD.person_id END,
                                                       CASE WHEN TG_OP <> 'DELETE' THEN NEW.person_id END]) t
                   WHERE t IS NOT NULL ORDER BY t LOOP
        PERFORM FROM person WHERE id = touched FOR NO KEY UPDATE;
        certified := EXISTS (SELECT FROM training_participant t WHERE t.person_id = touched
                               AND t.certified_on IS NOT NULL AND t.role IN ('fasilitator', 'master_trainer'));
        UPDATE person SET facilitates = certified WHERE id = touched AND facilitates <> certified;
    END LOOP;
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER follow AFTER INSERT OR UPDATE OR DELETE ON training_participant
    FOR EACH ROW EXECUTE FUNCTION training_participant_follow();

-- Takes a participant off: whoever did not attend goes; of one who did, the name goes and the count stays.
CREATE OR REPLACE FUNCTION training_participant_remove(wanted uuid) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    p training_participant;
BEGIN
    SELECT * INTO p FROM training_participant WHERE id = wanted FOR UPDATE;
    IF p.certified_on IS NOT NULL THEN
        PERFORM refuse('participant_certified');
    ELSIF NOT p.attended THEN
        DELETE FROM training_participant WHERE id = wanted;
    ELSIF p.erased_at IS NULL THEN
        UPDATE training_participant SET name = NULL, person_id = NULL, erased_at = now() WHERE id = wanted;
    END IF;
END
$$;

-- Who is a certified facilitator or master trainer on that day, one row a person, with the certificate that stands highest
-- and lasts longest. The place is where the facilitator's library stood on the day.
CREATE OR REPLACE FUNCTION facilitators_on(day date)
RETURNS TABLE (person_id uuid, library_id uuid, place text, role text, certified_on date, certificate_until date,
               training_id uuid, participant_id uuid)
LANGUAGE sql STABLE AS $$
    SELECT DISTINCT ON (c.person_id) c.person_id, coalesce(p.library_id, c.library_id),
           coalesce((SELECT s.place FROM library_placement s
                     WHERE s.library_id = coalesce(p.library_id, c.library_id) AND s.period @> day),
                    (SELECT l.place FROM library l WHERE l.id = coalesce(p.library_id, c.library_id)), p.place),
           c.role, c.certified_on, c.certificate_until, c.training_id, c.id
    FROM training_participant c JOIN person p ON p.id = c.person_id
    WHERE c.role IN ('fasilitator', 'master_trainer') AND c.certified_on <= day
      AND (c.certificate_until IS NULL OR c.certificate_until >= day) AND p.erased_at IS NULL
    ORDER BY c.person_id, c.role DESC, c.certificate_until DESC NULLS FIRST, c.certified_on, c.id
$$;

-- ---- gates -----------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION gate_training(wanted uuid, if_match bigint[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    found_version bigint;
BEGIN
    SELECT t.row_version INTO found_version FROM training t WHERE t.id = wanted FOR NO KEY UPDATE;
    RETURN gate_version(found_version, if_match);
END
$$;

CREATE OR REPLACE FUNCTION gate_training(wanted uuid, if_match bigint[], reach_from text[], reach_to text[],
    reach_rank bigint[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    t record;
BEGIN
    SELECT area, title INTO t FROM training WHERE id = wanted FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        PERFORM refuse('not_found');
    END IF;
    PERFORM gate_area(t.area, t.title, reach_from, reach_to, reach_rank);
    RETURN gate_training(wanted, if_match);
END
$$;

CREATE OR REPLACE FUNCTION gate_training_participant(wanted uuid, owner uuid, if_match bigint[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    found_version bigint;
BEGIN
    PERFORM FROM training WHERE id = owner FOR NO KEY UPDATE; -- first the training, then the participant, as the rules do
    SELECT p.row_version INTO found_version FROM training_participant p
    WHERE p.id = wanted AND p.training_id = owner FOR NO KEY UPDATE;
    RETURN gate_version(found_version, if_match);
END
$$;

-- Certificates are given above the participant: by whoever writes the participant's library (the province for one of a
-- kabupaten), or, where there is none, the training's region.
CREATE OR REPLACE FUNCTION gate_certification(wanted uuid, owner uuid, reach_from text[], reach_to text[],
    reach_rank bigint[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    p record;
BEGIN
    PERFORM gate_training_participant(wanted, owner, NULL);
    SELECT l.place AS library_place, l.kind, l.name, t.area, t.title INTO p
    FROM training_participant m JOIN training t ON t.id = m.training_id LEFT JOIN library l ON l.id = m.library_id
    WHERE m.id = wanted;
    IF NOT place_certification(coalesce(p.library_place, p.area), library_rank(p.kind), reach_from, reach_to, reach_rank) THEN
        PERFORM refuse('out_of_reach', jsonb_build_object('what', coalesce(p.name, p.title)));
    END IF;
    RETURN true;
END
$$;

-- How many villages a facilitator mentors on that day: those of replications that were live then.
CREATE OR REPLACE FUNCTION facilitator_villages(facilitator uuid, day date) RETURNS bigint
LANGUAGE sql STABLE
RETURN (SELECT count(DISTINCT r.village_code)
        FROM replication_facilitator f JOIN replication r ON r.id = f.replication_id
        WHERE f.person_id = facilitator AND f.starts_on <= day AND (f.ends_on IS NULL OR f.ends_on >= day)
          AND (r.live OR r.status_on > day));
