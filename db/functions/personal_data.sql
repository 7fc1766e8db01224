-- Personal data (Law 27/2022): why a record is kept and until when, restriction, and requests of data subjects. Never to be
-- broken: a record with personal data always says its purpose, legal basis, day of collection and, where there is one, its end.

-- The last day of data of that category, collected on that day; NULL: as long as the record.
CREATE OR REPLACE FUNCTION personal_data_end_of(category text, collected date) RETURNS date
LANGUAGE sql STABLE
RETURN (SELECT (collected + make_interval(months => c.retention_months))::date
        FROM personal_data_category c WHERE c.code = category);

-- BEFORE INSERT OR UPDATE. Arguments: category, prefix of the four columns, the columns that hold the data. New data are collected
-- now, and kept for as long as their category says unless the writer names a day. With a prefix the columns are NULL when
-- there are no data.
CREATE OR REPLACE FUNCTION personal_data_stamp() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    category personal_data_category;
    prefix text := TG_ARGV[1];
    columns text[] := TG_ARGV[2];
    now_is jsonb := to_jsonb(NEW);
    was jsonb := CASE WHEN TG_OP = 'UPDATE' THEN to_jsonb(OLD) END;
    picture jsonb := (SELECT jsonb_object_agg(c, now_is -> c) FROM unnest(columns) c WHERE now_is ->> c IS NOT NULL);
    collected timestamptz := now();
    ends date;
BEGIN
    IF picture IS NULL THEN
        IF prefix <> '' THEN
            NEW := jsonb_populate_record(NEW, jsonb_build_object(prefix || 'purpose', NULL, prefix || 'legal_basis', NULL,
                                                                 prefix || 'collected_at', NULL, prefix || 'retain_until', NULL));
        END IF;
        RETURN NEW;
    ELSIF TG_OP = 'UPDATE' AND now_is ->> (prefix || 'collected_at') IS NOT NULL
          AND picture = (SELECT jsonb_object_agg(c, was -> c) FROM unnest(columns) c WHERE was ->> c IS NOT NULL) THEN
        RETURN NEW;
    END IF;
    SELECT * INTO category FROM personal_data_category c WHERE c.code = TG_ARGV[0];
    IF TG_OP = 'INSERT' AND now_is ->> (prefix || 'collected_at') IS NOT NULL THEN
        collected := now_is ->> (prefix || 'collected_at');
    END IF;
    ends := now_is ->> (prefix || 'retain_until');
    IF category.retention_from IN ('collected', 'last_activity') AND (ends IS NULL OR ends::text = was ->> (prefix || 'retain_until')) THEN
        ends := personal_data_end_of(category.code, day_of(collected));
    END IF;
    NEW := jsonb_populate_record(NEW, jsonb_build_object(
        prefix || 'purpose', coalesce(now_is ->> (prefix || 'purpose'), category.code),
        prefix || 'legal_basis', coalesce(now_is ->> (prefix || 'legal_basis'), category.legal_basis),
        prefix || 'collected_at', collected, prefix || 'retain_until', ends));
    RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER a_stamp BEFORE INSERT OR UPDATE ON person
    FOR EACH ROW EXECUTE FUNCTION personal_data_stamp('actor', '', '{name,position}');
CREATE OR REPLACE TRIGGER a_stamp BEFORE INSERT OR UPDATE ON person_contact
    FOR EACH ROW EXECUTE FUNCTION personal_data_stamp('contact', '', '{phone,email,address,purpose}');
CREATE OR REPLACE TRIGGER a_stamp BEFORE INSERT OR UPDATE ON organization_contact
    FOR EACH ROW EXECUTE FUNCTION personal_data_stamp('office_contact', '', '{phone,email,address,purpose}');
CREATE OR REPLACE TRIGGER a_stamp BEFORE INSERT OR UPDATE ON training_participant
    FOR EACH ROW EXECUTE FUNCTION personal_data_stamp('trainee', '', '{id,name,person_id,certified_on}');
CREATE OR REPLACE TRIGGER a_stamp BEFORE INSERT OR UPDATE ON team_member
    FOR EACH ROW EXECUTE FUNCTION personal_data_stamp('team_member', '', '{id,name,person_id}');
CREATE OR REPLACE TRIGGER a_stamp BEFORE INSERT OR UPDATE OF owner_name, owner_email ON client
    FOR EACH ROW EXECUTE FUNCTION personal_data_stamp('client_owner', 'owner_', '{owner_name,owner_email}');
CREATE OR REPLACE TRIGGER a_stamp BEFORE INSERT ON library
    FOR EACH ROW WHEN (NEW.phone IS NOT NULL OR NEW.email IS NOT NULL)
    EXECUTE FUNCTION personal_data_stamp('library_contact', 'contact_', '{phone,email}');
CREATE OR REPLACE TRIGGER a_stamp_change BEFORE UPDATE OF phone, email ON library
    FOR EACH ROW EXECUTE FUNCTION personal_data_stamp('library_contact', 'contact_', '{phone,email}');
CREATE OR REPLACE TRIGGER a_stamp BEFORE INSERT ON personal_data_request
    FOR EACH ROW EXECUTE FUNCTION personal_data_stamp('request', '', '{id}');
CREATE OR REPLACE TRIGGER b_touch BEFORE UPDATE ON personal_data_request
    FOR EACH ROW EXECUTE FUNCTION touch();
CREATE OR REPLACE TRIGGER keep BEFORE DELETE OR TRUNCATE ON personal_data_category
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_removal();

-- BEFORE UPDATE OF status. What an account, a client or a library holds about people ends so many months after it was closed.
-- Arguments: category, the column of the last day, the status that closes.
CREATE OR REPLACE FUNCTION personal_data_close() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    NEW := jsonb_populate_record(NEW, jsonb_build_object(TG_ARGV[1],
        CASE WHEN to_jsonb(NEW) ->> 'status' = TG_ARGV[2] THEN personal_data_end_of(TG_ARGV[0], today()) END));
    RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER a_close BEFORE UPDATE OF status ON app_user
    FOR EACH ROW WHEN (NEW.status <> OLD.status) EXECUTE FUNCTION personal_data_close('account', 'retain_until', 'disabled');
CREATE OR REPLACE TRIGGER a_close BEFORE UPDATE OF status ON client
    FOR EACH ROW WHEN (NEW.status <> OLD.status AND (NEW.owner_name IS NOT NULL OR NEW.owner_email IS NOT NULL))
    EXECUTE FUNCTION personal_data_close('client_owner', 'owner_retain_until', 'suspended');
CREATE OR REPLACE TRIGGER a_close BEFORE UPDATE OF status ON library
    FOR EACH ROW WHEN (NEW.status <> OLD.status AND (NEW.phone IS NOT NULL OR NEW.email IS NOT NULL))
    EXECUTE FUNCTION personal_data_close('library_contact', 'contact_retain_until', 'closed');

-- ---- restriction: nothing is done with the data but keeping them ----------------------------------------------------------

-- BEFORE INSERT OR UPDATE of what names a person: somebody whose data are restricted is given no new part.
CREATE OR REPLACE FUNCTION person_use_rules() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF (TG_OP = 'INSERT' OR NEW.person_id IS DISTINCT FROM OLD.person_id) THEN
        PERFORM person_restricted_refuse(NEW.person_id);
    END IF;
    RETURN NEW;
END
$$;
CREATE OR REPLACE FUNCTION person_restricted_refuse(wanted uuid) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM person p WHERE p.id = wanted AND p.restricted_at IS NOT NULL) THEN
        PERFORM refuse('person_restricted');
    END IF;
    RETURN true;
END
$$;
CREATE OR REPLACE TRIGGER a_restricted BEFORE INSERT OR UPDATE OF person_id ON app_user
    FOR EACH ROW WHEN (NEW.person_id IS NOT NULL) EXECUTE FUNCTION person_use_rules();
CREATE OR REPLACE TRIGGER a_restricted BEFORE INSERT OR UPDATE OF person_id ON training_participant
    FOR EACH ROW WHEN (NEW.person_id IS NOT NULL) EXECUTE FUNCTION person_use_rules();
CREATE OR REPLACE TRIGGER a_restricted BEFORE INSERT OR UPDATE OF person_id ON team_member
    FOR EACH ROW WHEN (NEW.person_id IS NOT NULL) EXECUTE FUNCTION person_use_rules();
CREATE OR REPLACE TRIGGER a_restricted BEFORE INSERT OR UPDATE OF person_id ON replication_facilitator
    FOR EACH ROW WHEN (NEW.person_id IS NOT NULL) EXECUTE FUNCTION person_use_rules();
CREATE OR REPLACE TRIGGER a_restricted BEFORE INSERT OR UPDATE OF person_id ON visit
    FOR EACH ROW WHEN (NEW.person_id IS NOT NULL) EXECUTE FUNCTION person_use_rules();

-- Restricts, or changes the restriction there is. `asked`: restriction (Art. 11, 41), or objection, which has the same effect.
CREATE OR REPLACE FUNCTION person_restrict(wanted uuid, asked text, why text, letter text, received date, last_day date)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM period_require(today(), last_day), date_require_past(received);
    PERFORM person_lift(wanted);
    UPDATE person SET restricted_at = now(), restricted_until = last_day WHERE id = wanted AND erased_at IS NULL;
    INSERT INTO personal_data_request (kind, person_id, reason, reference, received_on, until, status, answered_at)
    VALUES (coalesce(asked, 'restriction'), wanted, why, letter, coalesce(received, today()), last_day, 'done', now());
END
$$;

CREATE OR REPLACE FUNCTION person_lift(wanted uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE person SET restricted_at = NULL, restricted_until = NULL WHERE id = wanted AND restricted_at IS NOT NULL;
    UPDATE personal_data_request SET status = 'lifted'
    WHERE person_id = wanted AND kind IN ('restriction', 'objection') AND status = 'done';
END
$$;

-- Restrictions whose last day is over end; how many did. A person whose restriction cannot be ended does not keep the others from it:
-- tpbis.job_failed says how many there are, and the server's log who refused.
CREATE OR REPLACE FUNCTION personal_data_lift_expired() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    lifted integer := 0;
    failed integer := 0;
    one uuid;
BEGIN
    FOR one IN SELECT p.id FROM person p WHERE p.restricted_at IS NOT NULL AND p.restricted_until < today()
               ORDER BY p.id FOR NO KEY UPDATE SKIP LOCKED LOOP
        BEGIN
            PERFORM person_lift(one);
            lifted := lifted + 1;
        EXCEPTION WHEN data_exception OR integrity_constraint_violation OR raise_exception OR deadlock_detected OR SQLSTATE 'TB001' THEN
            failed := failed + 1;
            RAISE WARNING 'the restriction of person % does not end: %', one, SQLERRM;
        END;
    END LOOP;
    PERFORM set_config('tpbis.job_failed', failed::text, true);
    RETURN lifted;
END
$$;

-- ---- requests -------------------------------------------------------------------------------------------------------------

-- A user asks for something about the own data; it is due in three times 24 hours.
CREATE OR REPLACE FUNCTION personal_data_ask(wanted uuid, by_user uuid, asked text, why text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO personal_data_request (id, kind, user_id, reason) VALUES (wanted, asked, by_user, why);
END
$$;

-- Puts on record that a request was dealt with or refused, and opens it again. What is done about data is done elsewhere.
CREATE OR REPLACE FUNCTION personal_data_answer(wanted uuid, new_status text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE personal_data_request SET status = new_status, answered_at = CASE WHEN new_status <> 'open' THEN coalesce(answered_at, now()) END
    WHERE id = wanted;
END
$$;

-- Restrictions and erasures that were carried out are not answered by hand.
CREATE OR REPLACE FUNCTION gate_personal_data_request(wanted uuid, if_match bigint[]) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    r personal_data_request;
BEGIN
    SELECT * INTO r FROM personal_data_request WHERE id = wanted FOR NO KEY UPDATE;
    PERFORM gate_version(r.row_version, if_match);
    IF r.user_id IS NULL OR r.counts IS NOT NULL THEN
        PERFORM refuse('request_carried_out');
    END IF;
    RETURN true;
END
$$;
