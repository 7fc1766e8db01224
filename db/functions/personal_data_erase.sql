-- Erasure of people and of accounts. Never to be broken: what was counted, decided and decreed stays; whoever it was about
-- cannot be read from it any more.

-- What the audit tells of a row loses its contents. (That there was a change, when and by whom stays on record.)
CREATE OR REPLACE FUNCTION personal_data_forget(of_table text, of_key jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM audit_payload_erase(of_table, of_key); -- what is sealed stays so
END
$$;

-- AFTER: what is erased has no contact left, belongs to no account and to no open question.
CREATE OR REPLACE FUNCTION person_erase_follow() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM person_contact WHERE person_id = NEW.id;
    UPDATE app_user SET person_id = NULL WHERE person_id = NEW.id;
    UPDATE personal_data_request SET reason = NULL, status = CASE WHEN status = 'done' AND kind IN ('restriction', 'objection')
        THEN 'lifted' ELSE status END WHERE person_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER erase_follow AFTER UPDATE OF erased_at ON person
    FOR EACH ROW WHEN (NEW.erased_at IS NOT NULL AND OLD.erased_at IS NULL) EXECUTE FUNCTION person_erase_follow();

-- AFTER the audit wrote of the statement (its name stands behind audit_update): the audit forgets who was erased.
CREATE OR REPLACE FUNCTION personal_data_erase_forget() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    erased uuid;
BEGIN
    FOR erased IN SELECT n.id FROM new_rows n JOIN old_rows o USING (id) WHERE n.erased_at IS NOT NULL AND o.erased_at IS NULL LOOP
        PERFORM personal_data_forget(TG_TABLE_NAME, jsonb_build_object('id', erased));
        CONTINUE WHEN TG_TABLE_NAME NOT IN ('person', 'app_user');
        PERFORM personal_data_forget('personal_data_request', jsonb_build_object('id', r.id))
            FROM personal_data_request r WHERE r.person_id = erased OR r.user_id = erased;
        CONTINUE WHEN TG_TABLE_NAME <> 'person';
        PERFORM personal_data_forget('person_contact', jsonb_build_object('person_id', erased));
        PERFORM personal_data_forget('training_participant', jsonb_build_object('id', t.id))
            FROM training_participant t WHERE t.person_id = erased;
        PERFORM personal_data_forget('team_member', jsonb_build_object('id', m.id)) FROM team_member m WHERE m.person_id = erased;
    END LOOP;
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER z_forget AFTER UPDATE ON person REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION personal_data_erase_forget();
CREATE OR REPLACE TRIGGER z_forget AFTER UPDATE ON app_user REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION personal_data_erase_forget();
CREATE OR REPLACE TRIGGER z_forget AFTER UPDATE ON training_participant REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION personal_data_erase_forget();
CREATE OR REPLACE TRIGGER z_forget AFTER UPDATE ON team_member REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION personal_data_erase_forget();

-- Erases and puts it on record; done once, and the record of it found again ever after.
CREATE OR REPLACE FUNCTION person_erase(wanted uuid, why text, letter text, received date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    touched jsonb;
BEGIN
    PERFORM FROM person WHERE id = wanted FOR NO KEY UPDATE;
    IF EXISTS (SELECT FROM personal_data_request r WHERE r.person_id = wanted AND r.kind = 'erasure') THEN
        RETURN;
    END IF;
    PERFORM date_require_past(received);
    touched := jsonb_build_object(
        'contacts', (SELECT count(*) FROM person_contact c WHERE c.person_id = wanted),
        'trainings', (SELECT count(*) FROM training_participant t WHERE t.person_id = wanted),
        'teams', (SELECT count(*) FROM team_member m WHERE m.person_id = wanted),
        'replications', (SELECT count(*) FROM replication_facilitator f WHERE f.person_id = wanted),
        'visits', (SELECT count(*) FROM visit v WHERE v.person_id = wanted));
    UPDATE person SET erased_at = now() WHERE id = wanted AND erased_at IS NULL;
    INSERT INTO personal_data_request (kind, person_id, reason, reference, received_on, status, answered_at, counts)
    VALUES ('erasure', wanted, why, letter, coalesce(received, today()), 'done', now(), touched);
END
$$;

-- A region's writers erase whom they may write; who is erased already is known to them all the same.
CREATE OR REPLACE FUNCTION gate_person_erasure(wanted uuid) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM person WHERE id = wanted FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        PERFORM refuse('not_found');
    END IF;
    RETURN true;
END
$$;
CREATE OR REPLACE FUNCTION gate_person_erasure(wanted uuid, reach_from text[], reach_to text[], reach_rank bigint[])
RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    p record;
BEGIN
    SELECT place, name, published INTO p FROM person WHERE id = wanted FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        PERFORM refuse('not_found');
    ELSIF place_area(p.place, reach_from, reach_to, reach_rank) IS NOT TRUE THEN
        IF NOT p.published THEN
            PERFORM refuse('not_found');
        END IF;
        PERFORM refuse('out_of_reach', jsonb_build_object('what', p.name));
    END IF;
    RETURN true;
END
$$;

-- ---- accounts -----------------------------------------------------------------------------------------------------------

-- Nothing stays of the account but that there was one: what it did keeps its id. Rights end, doors close.
CREATE OR REPLACE FUNCTION user_anonymise(wanted uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM user_sessions_end(wanted, 'erased');
    PERFORM login_forget((SELECT u.username FROM app_user u WHERE u.id = wanted)); -- while the account still has its name
    PERFORM user_factor_attempts_forget(wanted);
    DELETE FROM oauth_consent WHERE user_id = wanted;
    DELETE FROM user_password WHERE user_id = wanted;
    DELETE FROM user_factor WHERE user_id = wanted;
    DELETE FROM user_link WHERE user_id = wanted;
    DELETE FROM user_mail WHERE user_id = wanted;
    UPDATE assignment SET ends_on = greatest(starts_on, today() - 1)
    WHERE user_id = wanted AND coalesce(ends_on, 'infinity') > greatest(starts_on, today() - 1);
    UPDATE personal_data_request SET reason = NULL WHERE user_id = wanted;
    UPDATE app_user SET username = 'erased-' || id, name = NULL, email = NULL, phone = NULL, person_id = NULL, disabled_reason = NULL,
        status = 'erased', erased_at = now(), retain_until = NULL
    WHERE id = wanted AND erased_at IS NULL;
END
$$;

-- Erases an account and puts it on record; the person of the account is a record of its own.
CREATE OR REPLACE FUNCTION user_erase(wanted uuid, why text, letter text, received date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    touched jsonb;
BEGIN
    PERFORM FROM app_user WHERE id = wanted FOR UPDATE;
    IF EXISTS (SELECT FROM personal_data_request r WHERE r.user_id = wanted AND r.kind = 'erasure' AND r.counts IS NOT NULL) THEN
        RETURN;
    END IF;
    PERFORM date_require_past(received);
    touched := jsonb_build_object('assignments', (SELECT count(*) FROM assignment a WHERE a.user_id = wanted));
    UPDATE personal_data_request SET status = 'done', answered_at = now()
    WHERE user_id = wanted AND kind = 'erasure' AND status = 'open';
    PERFORM user_anonymise(wanted);
    INSERT INTO personal_data_request (kind, user_id, reason, reference, received_on, status, answered_at, counts)
    VALUES ('erasure', wanted, why, letter, coalesce(received, today()), 'done', now(), touched);
END
$$;

-- An erased account is found, so that asking again is answered the same.
CREATE OR REPLACE FUNCTION gate_user_erasure(wanted uuid, by_user uuid) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM app_user WHERE id = wanted;
    IF NOT FOUND THEN
        PERFORM refuse('not_found');
    END IF;
    RETURN gate_other_account(wanted, by_user);
END
$$;
