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

-- Which rows of a category are due: from which table and on which condition, what their key is, and the order in which they are locked.
CREATE OR REPLACE FUNCTION personal_data_due_rows(category text, OUT rows text, OUT key text, OUT ordered text)
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT d.rows, d.key, coalesce(d.ordered, d.key)
    FROM (VALUES
        ('actor', 'person WHERE retain_until < today() AND erased_at IS NULL', 'id', NULL),
        ('contact', 'person_contact WHERE retain_until < today()', 'person_id', NULL),
        ('trainee', 'training_participant WHERE retain_until < today() AND erased_at IS NULL AND name IS NOT NULL', 'id', 'training_id, id'),
        ('team_member', 'team_member WHERE retain_until < today() AND name IS NOT NULL', 'id', NULL),
        ('office_contact', 'organization_contact WHERE retain_until < today()', 'organization_id', NULL),
        ('account', 'app_user WHERE retain_until < today() AND erased_at IS NULL', 'id', NULL),
        ('client_owner', 'client WHERE owner_retain_until < today()', 'id', NULL),
        ('library_contact', 'library WHERE contact_retain_until < today()', 'id', NULL),
        ('request', 'personal_data_request WHERE retain_until < today() AND status <> ''open''', 'id', NULL)
    ) AS d (category, rows, key, ordered)
    WHERE d.category = personal_data_due_rows.category;
END;

-- What is due of a category: the keys of its rows whose day has passed.
CREATE OR REPLACE FUNCTION personal_data_due(category text) RETURNS SETOF text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    due record := personal_data_due_rows(category);
BEGIN
    RETURN QUERY EXECUTE format('SELECT %s::text FROM %s ORDER BY %s', due.key, due.rows, due.ordered);
END
$$;

-- Locks a row, with whatever may come to refer to a person or an account; false when the row is not due, or is so no more.
CREATE OR REPLACE FUNCTION personal_data_due_lock(category text, key text) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    due record := personal_data_due_rows(category);
    found_due boolean;
BEGIN
    IF category = 'contact' THEN
        PERFORM FROM person WHERE id = key::uuid FOR NO KEY UPDATE; -- the lock of the contact
    END IF;
    EXECUTE format('SELECT true FROM %s AND %s = %L FOR %s', due.rows, due.key, key,
                   CASE WHEN category IN ('actor', 'account') THEN 'UPDATE' ELSE 'NO KEY UPDATE' END) INTO found_due;
    RETURN coalesce(found_due, false);
END
$$;

-- Purges one row that is due; true when it is still needed and has a later day instead, NULL when it is not due any more. Looked at
-- again are people and their contacts, who may still act, and trainees, whose certificate may still run; of all others the day was set
-- when the record was closed, by hand, or by its category.
-- Participants on record as a person go with the person; of the others the name goes.
CREATE OR REPLACE FUNCTION personal_data_purge_row(category text, key text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    later date;
BEGIN
    IF NOT personal_data_due_lock(category, key) THEN
        RETURN NULL;
    END IF;
    CASE category
    WHEN 'actor' THEN
        later := personal_data_later(category, person_active_until(key::uuid));
        IF later >= today() THEN
            UPDATE person SET retain_until = later WHERE id = key::uuid;
            RETURN true;
        END IF;
        UPDATE person SET erased_at = now() WHERE id = key::uuid;
    WHEN 'contact' THEN
        later := personal_data_later(category, person_active_until(key::uuid));
        IF later >= today() THEN
            UPDATE person_contact SET retain_until = later WHERE person_id = key::uuid;
            RETURN true;
        END IF;
        DELETE FROM person_contact WHERE person_id = key::uuid;
        PERFORM personal_data_forget('person_contact', jsonb_build_object('person_id', key));
    WHEN 'trainee' THEN
        later := (SELECT personal_data_later(category, CASE WHEN t.certified_on IS NOT NULL THEN coalesce(t.certificate_until, 'infinity') END)
                  FROM training_participant t WHERE t.id = key::uuid);
        IF later >= today() THEN
            UPDATE training_participant SET retain_until = later WHERE id = key::uuid;
            RETURN true;
        END IF;
        UPDATE training_participant SET name = NULL, erased_at = now() WHERE id = key::uuid;
    WHEN 'team_member' THEN
        UPDATE team_member SET name = NULL, erased_at = now() WHERE id = key::uuid;
    WHEN 'office_contact' THEN
        DELETE FROM organization_contact WHERE organization_id = key::uuid;
        PERFORM personal_data_forget('organization_contact', jsonb_build_object('organization_id', key));
    WHEN 'account' THEN
        PERFORM user_anonymise(key::uuid);
    WHEN 'client_owner' THEN
        UPDATE client SET owner_name = NULL, owner_email = NULL WHERE id = key;
    WHEN 'library_contact' THEN
        UPDATE library SET phone = NULL, email = NULL WHERE id = key::uuid;
    WHEN 'request' THEN
        DELETE FROM personal_data_request WHERE id = key::uuid;
    END CASE;
    RETURN false;
END
$$;

-- Purges what is due of one category. A row that cannot be purged, or that somebody holds who waits for this purge, does not keep the others from it: it is counted, stays due for the next, and the
-- server's log says which and why.
CREATE OR REPLACE FUNCTION personal_data_purge_category(category text, OUT due integer, OUT removed integer, OUT extended integer, OUT failed integer)
LANGUAGE plpgsql AS $$
DECLARE
    one text;
    kept boolean;
BEGIN
    removed := 0;
    extended := 0;
    failed := 0;
    FOR one IN SELECT d.key FROM personal_data_due(category) AS d (key) LOOP
        BEGIN
            kept := personal_data_purge_row(category, one);
            extended := extended + (kept IS TRUE)::integer;
            removed := removed + (kept IS FALSE)::integer;
        EXCEPTION WHEN data_exception OR integrity_constraint_violation OR raise_exception OR deadlock_detected OR SQLSTATE 'TB001' THEN
            failed := failed + 1;
            RAISE WARNING 'the % % is not purged: %', category, one, SQLERRM;
        END;
    END LOOP;
    due := removed + extended + failed;
END
$$;

-- Everything that is due, one purge at a time; what it did, by category, goes on record. `keep` false: a dry run, of which
-- nothing stays but the answer.
DROP FUNCTION IF EXISTS personal_data_purge(boolean), personal_data_purge_people(), personal_data_purge_contacts(),
    personal_data_purge_trainees(), personal_data_purge_rest(text); -- the version before: with a column less, and by category
CREATE OR REPLACE FUNCTION personal_data_purge(keep boolean)
RETURNS TABLE (category text, due integer, removed integer, extended integer, failed integer)
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
            SELECT * INTO counts FROM personal_data_purge_category(one.code);
            INSERT INTO personal_data_purge (run_id, category, due_count, removed_count, extended_count, failed_count)
            VALUES (run, one.code, counts.due, counts.removed, counts.extended, counts.failed);
            report := report || (jsonb_build_object('category', one.code) || to_jsonb(counts));
        END LOOP;
        IF NOT keep THEN
            RAISE EXCEPTION USING ERRCODE = 'TB002', MESSAGE = 'a dry run';
        END IF;
    EXCEPTION WHEN SQLSTATE 'TB002' THEN
        NULL;
    END;
    RETURN QUERY SELECT r.category, r.due, r.removed, r.extended, r.failed
                 FROM jsonb_to_recordset(report) AS r (category text, due integer, removed integer, extended integer, failed integer);
END
$$;
