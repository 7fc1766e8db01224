-- The purge: what has passed its day is destroyed or made anonymous, and what is still needed gets a later day. Never to be
-- broken: a dry run does exactly what a run does, and then takes it back.

-- Until which day somebody acts in the programme, as far as is known: NULL never, infinity still.
CREATE OR REPLACE FUNCTION person_active_until(wanted uuid) RETURNS date
LANGUAGE sql STABLE
RETURN greatest(
    (SELECT max(coalesce(m.ends_on, 'infinity')) FROM team_member m WHERE m.person_id = wanted),
    (SELECT max(coalesce(f.ends_on, 'infinity')) FROM replication_facilitator f WHERE f.person_id = wanted),
    (SELECT max(coalesce(t.certificate_until, 'infinity')) FROM training_participant t
     WHERE t.person_id = wanted AND t.certified_on IS NOT NULL),
    (SELECT max(g.starts_on) FROM training_participant t JOIN training g ON g.id = t.training_id WHERE t.person_id = wanted),
    (SELECT max(v.visited_on) FROM visit v WHERE v.person_id = wanted),
    (SELECT max(date 'infinity') FROM app_user u WHERE u.person_id = wanted AND u.status IN ('invited', 'active')));

-- The day until which it is kept when it is looked at today: counted from the last activity, from today while that goes on.
CREATE OR REPLACE FUNCTION personal_data_later(category text, active_until date) RETURNS date
LANGUAGE sql STABLE
RETURN personal_data_end_of(category, CASE WHEN active_until IS NOT NULL THEN least(active_until, today()) END);

CREATE OR REPLACE FUNCTION personal_data_purge_people(OUT due integer, OUT extended integer)
LANGUAGE plpgsql AS $$
DECLARE
    one record;
    later date;
BEGIN
    due := 0;
    extended := 0;
    FOR one IN SELECT id FROM person WHERE retain_until < today() AND erased_at IS NULL ORDER BY id FOR UPDATE LOOP
        due := due + 1;
        later := personal_data_later('actor', person_active_until(one.id));
        IF later >= today() THEN
            UPDATE person SET retain_until = later WHERE id = one.id;
            extended := extended + 1;
        ELSE
            UPDATE person SET erased_at = now() WHERE id = one.id;
        END IF;
    END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION personal_data_purge_contacts(OUT due integer, OUT extended integer)
LANGUAGE plpgsql AS $$
DECLARE
    one record;
    later date;
BEGIN
    due := 0;
    extended := 0;
    FOR one IN SELECT person_id FROM person_contact WHERE retain_until < today() ORDER BY person_id LOOP
        PERFORM FROM person WHERE id = one.person_id FOR NO KEY UPDATE; -- the lock of the contact
        due := due + 1;
        later := personal_data_later('contact', person_active_until(one.person_id));
        IF later >= today() THEN
            UPDATE person_contact SET retain_until = later WHERE person_id = one.person_id;
            extended := extended + 1;
        ELSE
            DELETE FROM person_contact WHERE person_id = one.person_id;
            PERFORM personal_data_forget('person_contact', jsonb_build_object('person_id', one.person_id));
        END IF;
    END LOOP;
END
$$;

-- Participants on record as a person go with the person; of the others the name goes, once the certificate is over too.
CREATE OR REPLACE FUNCTION personal_data_purge_trainees(OUT due integer, OUT extended integer)
LANGUAGE plpgsql AS $$
DECLARE
    one record;
    later date;
BEGIN
    due := 0;
    extended := 0;
    FOR one IN SELECT id, certified_on, certificate_until FROM training_participant
               WHERE retain_until < today() AND erased_at IS NULL AND name IS NOT NULL ORDER BY training_id, id LOOP
        due := due + 1;
        later := personal_data_later('trainee', CASE WHEN one.certified_on IS NOT NULL
                                                     THEN coalesce(one.certificate_until, 'infinity') END);
        IF later >= today() THEN
            UPDATE training_participant SET retain_until = later WHERE id = one.id;
            extended := extended + 1;
        ELSE
            UPDATE training_participant SET name = NULL, erased_at = now() WHERE id = one.id;
        END IF;
    END LOOP;
END
$$;

-- What is not looked at again: the day was set when it was closed, by hand, or by its category.
CREATE OR REPLACE FUNCTION personal_data_purge_rest(category text) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    due integer;
    one record;
BEGIN
    CASE category
    WHEN 'team_member' THEN
        UPDATE team_member SET name = NULL, erased_at = now() WHERE name IS NOT NULL AND retain_until < today();
    WHEN 'office_contact' THEN
        due := 0;
        FOR one IN DELETE FROM organization_contact WHERE retain_until < today() RETURNING organization_id LOOP
            PERFORM personal_data_forget('organization_contact', jsonb_build_object('organization_id', one.organization_id));
            due := due + 1;
        END LOOP;
        RETURN due;
    WHEN 'account' THEN
        due := 0;
        FOR one IN SELECT id FROM app_user WHERE retain_until < today() AND erased_at IS NULL ORDER BY id FOR UPDATE LOOP
            PERFORM user_anonymise(one.id);
            due := due + 1;
        END LOOP;
        RETURN due;
    WHEN 'client_owner' THEN
        UPDATE client SET owner_name = NULL, owner_email = NULL WHERE owner_retain_until < today();
    WHEN 'library_contact' THEN
        UPDATE library SET phone = NULL, email = NULL WHERE contact_retain_until < today();
    WHEN 'request' THEN
        DELETE FROM personal_data_request WHERE retain_until < today() AND status <> 'open';
    END CASE;
    GET DIAGNOSTICS due = ROW_COUNT;
    RETURN due;
END
$$;

-- Everything that is due, one purge at a time; what it did, by category, goes on record. `keep` false: a dry run, of which
-- nothing stays but the answer.
CREATE OR REPLACE FUNCTION personal_data_purge(keep boolean)
RETURNS TABLE (category text, due integer, removed integer, extended integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    run uuid := uuidv7();
    report jsonb := '[]';
    one record;
    counts record;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('personal_data_purge'));
    BEGIN
        PERFORM personal_data_lift_expired();
        FOR one IN SELECT c.code FROM personal_data_category c WHERE c.code <> 'audit' ORDER BY c.code LOOP
            CASE one.code
            WHEN 'actor' THEN SELECT * INTO counts FROM personal_data_purge_people();
            WHEN 'contact' THEN SELECT * INTO counts FROM personal_data_purge_contacts();
            WHEN 'trainee' THEN SELECT * INTO counts FROM personal_data_purge_trainees();
            ELSE SELECT personal_data_purge_rest(one.code) AS due, 0 AS extended INTO counts;
            END CASE;
            INSERT INTO personal_data_purge (run_id, category, due_count, removed_count, extended_count)
            VALUES (run, one.code, counts.due, counts.due - counts.extended, counts.extended);
            report := report || jsonb_build_object('category', one.code, 'due', counts.due, 'removed', counts.due - counts.extended,
                                                   'extended', counts.extended);
        END LOOP;
        IF NOT keep THEN
            RAISE EXCEPTION USING ERRCODE = 'TB002', MESSAGE = 'a dry run';
        END IF;
    EXCEPTION WHEN SQLSTATE 'TB002' THEN
        NULL;
    END;
    RETURN QUERY SELECT r.category, r.due, r.removed, r.extended
                 FROM jsonb_to_recordset(report) AS r (category text, due integer, removed integer, extended integer);
END
$$;
