-- Rules of a library's own row, and what follows from a change of it: its first placement, its closing and
-- reopening, its dated facts. Whatever is written here, its placements remain the truth about where and when.

-- BEFORE INSERT OR UPDATE: absent values are NULL, a closed library has its day, caches say what their tables say.
CREATE OR REPLACE FUNCTION library_rules() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.npp := CASE WHEN text_line(NEW.npp) NOT IN ('0', '-', '') THEN text_line(NEW.npp) END;
    NEW.applications := coalesce(NEW.applications, '[]');
    NEW.contact_public := coalesce(NEW.contact_public, NEW.kind NOT IN ('village', 'tbm'));
    NEW.status := coalesce(NEW.status, 'active');
    IF NEW.founded_on > today() THEN
        PERFORM refuse('date_in_future', jsonb_build_object('on', NEW.founded_on::text));
    END IF;

    IF NEW.status <> 'closed' THEN
        NEW.closed_on := NULL;
        NEW.closed_at := NULL;
    ELSE
        NEW.closed_on := coalesce(NEW.closed_on, today());
        NEW.closed_at := CASE WHEN TG_OP = 'UPDATE' THEN coalesce(OLD.closed_at, now()) ELSE now() END;
        IF NEW.closed_on > today() THEN
            PERFORM refuse('date_in_future', jsonb_build_object('on', NEW.closed_on::text));
        END IF;
    END IF;

    IF TG_OP = 'INSERT' THEN
        NEW.identifiers := '[]';
        NEW.placed_from := NEW.founded_on;
        RETURN NEW;
    END IF;
    IF NEW.id <> OLD.id OR NEW.kind <> OLD.kind THEN
        RAISE EXCEPTION 'the id and the kind of library % never change', OLD.id
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'library_kind_fixed';
    END IF;
    IF (NEW.region_code, NEW.supervisor_id, NEW.placed_from)
           IS DISTINCT FROM (OLD.region_code, OLD.supervisor_id, OLD.placed_from)
       AND NOT EXISTS (SELECT FROM library_placement_last(NEW.id) p
                       WHERE (p.region_code, p.supervisor_id, p.starts_on)
                             IS NOT DISTINCT FROM (NEW.region_code, NEW.supervisor_id, NEW.placed_from)) THEN
        RAISE EXCEPTION 'library % is moved by its placements (library_move)', OLD.id
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'library_placement_rules';
    END IF;
    IF NEW.identifiers IS DISTINCT FROM OLD.identifiers THEN
        NEW.identifiers := (SELECT coalesce(jsonb_agg(jsonb_build_object('scheme', i.scheme, 'value', i.value)
                                                      ORDER BY i.scheme), '[]')
                            FROM library_identifier i WHERE i.library_id = NEW.id);
    END IF;
    RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER a_rules BEFORE INSERT OR UPDATE ON library
    FOR EACH ROW EXECUTE FUNCTION library_rules();
CREATE OR REPLACE TRIGGER b_touch BEFORE UPDATE ON library
    FOR EACH ROW EXECUTE FUNCTION touch('words', 'place', 'location', 'located', 'placed_from');
CREATE OR REPLACE TRIGGER keep BEFORE DELETE OR TRUNCATE ON library
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_removal();

-- Records those facts whose latest value is not what the library's row now says, for today.
CREATE OR REPLACE FUNCTION library_facts_record(l library) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO library_fact (library_id, fact, recorded_on, value)
    SELECT l.id, f.fact, today(), f.value
    FROM (VALUES ('computers', l.computers::double precision), ('servers', l.servers),
                 ('internet_mbps', l.internet_mbps), ('staff_count', l.staff_count), ('titles', l.titles),
                 ('copies', l.copies), ('digital_titles', l.digital_titles)) AS f (fact, value)
    WHERE f.value IS DISTINCT FROM (SELECT o.value FROM library_fact o
                                    WHERE o.library_id = l.id AND o.fact = f.fact
                                    ORDER BY o.recorded_on DESC LIMIT 1)
    ON CONFLICT ON CONSTRAINT library_fact_pkey DO UPDATE SET value = excluded.value, source = NULL;
END
$$;

CREATE OR REPLACE FUNCTION library_born() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
BEGIN
    INSERT INTO library_lock (library_id, holder, held_at)
    VALUES (NEW.id, pg_current_xact_id(), transaction_timestamp());
    IF NEW.region_code IS NOT NULL OR NEW.kind = 'national' THEN
        INSERT INTO library_placement (library_id, region_code, supervisor_id, starts_on, ends_on)
        VALUES (NEW.id, NEW.region_code, NEW.supervisor_id, NEW.founded_on, NEW.closed_on);
    END IF;
    IF num_nonnulls(NEW.computers, NEW.servers, NEW.internet_mbps, NEW.staff_count, NEW.titles, NEW.copies,
                    NEW.digital_titles) > 0 THEN
        PERFORM library_facts_record(NEW);
    END IF;
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER born AFTER INSERT ON library
    FOR EACH ROW EXECUTE FUNCTION library_born();

-- At the end of the transaction every library stands, or stood, somewhere.
CREATE OR REPLACE FUNCTION library_placed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM library_placement p WHERE p.library_id = NEW.id) THEN
        PERFORM refuse('region_required', jsonb_build_object('kind', NEW.kind));
    END IF;
    RETURN NULL;
END
$$;
DO $$
BEGIN
    -- A constraint trigger cannot be replaced; its function can.
    IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'library'::regclass AND tgname = 'placed') THEN
        CREATE CONSTRAINT TRIGGER placed AFTER INSERT ON library DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW WHEN (NEW.region_code IS NULL AND NEW.kind <> 'national') EXECUTE FUNCTION library_placed();
    END IF;
END
$$;

-- The region in force that a code has become, by as many steps as it took: each with exactly one successor. NULL: none.
CREATE OR REPLACE FUNCTION region_now(wanted text) RETURNS text
LANGUAGE sql STABLE
RETURN (WITH RECURSIVE step (code) AS (
            SELECT wanted COLLATE "C"
            UNION
            SELECT (r.successors ->> 0) COLLATE "C" FROM step JOIN region r ON r.code = step.code
            WHERE r.valid_to < today() AND jsonb_array_length(r.successors) = 1)
        SELECT r.code FROM step JOIN region r ON r.code = step.code
        WHERE coalesce(r.valid_to >= today(), true) AND coalesce(r.valid_from <= today(), true));

-- Closing ends the placement on the last day; reopening begins a new one today, under the same supervisor if it
-- is still there for it, and where the region was retired meanwhile in its only successor (else refused, as
-- any placement in a retired region is: region_unknown). A closing of today is simply taken back.
CREATE OR REPLACE FUNCTION library_close_follow(l library) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    last library_placement := library_placement_last(l.id);
    region text;
BEGIN
    IF l.status = 'closed' THEN
        IF last.starts_on > l.closed_on THEN
            PERFORM refuse('date_before_previous',
                           jsonb_build_object('on', l.closed_on::text, 'previous', last.starts_on::text));
        END IF;
        UPDATE library_placement SET ends_on = l.closed_on WHERE id = last.id AND ends_on IS DISTINCT FROM l.closed_on;
    ELSIF last.ends_on >= today() THEN
        UPDATE library_placement SET ends_on = NULL WHERE id = last.id;
    ELSIF last.ends_on IS NOT NULL THEN
        region := coalesce(region_now(last.region_code), last.region_code);
        INSERT INTO library_placement (library_id, region_code, supervisor_id, starts_on, starts_on_precision)
        VALUES (l.id, region,
                CASE WHEN library_supervisor_fits(last.supervisor_id, region, daterange(today(), NULL))
                     THEN last.supervisor_id END, today(), 'day');
    END IF;
END
$$;

-- AFTER UPDATE: placements and facts follow the row.
CREATE OR REPLACE FUNCTION library_follow() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
BEGIN
    IF NEW.founded_on IS DISTINCT FROM OLD.founded_on THEN
        -- The first placement began with the library; it moves with that day unless it has a day of its own.
        UPDATE library_placement p SET starts_on = NEW.founded_on, starts_on_precision = NULL
        WHERE p.library_id = NEW.id AND p.starts_on IS NOT DISTINCT FROM OLD.founded_on
          AND NOT EXISTS (SELECT FROM library_placement e WHERE e.library_id = p.library_id AND e.starts_on < p.starts_on);
    END IF;
    IF (NEW.status = 'closed', NEW.closed_on) IS DISTINCT FROM (OLD.status = 'closed', OLD.closed_on) THEN
        PERFORM library_close_follow(NEW);
    END IF;
    PERFORM library_facts_record(NEW);
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER follow AFTER UPDATE OF founded_on, status, closed_on, computers, servers, internet_mbps,
        staff_count, titles, copies, digital_titles ON library
    FOR EACH ROW EXECUTE FUNCTION library_follow();

-- ---- facts and identifiers -----------------------------------------------------------------------------

-- BEFORE any change of a fact or an identifier: the library's row is the lock of its caches.
CREATE OR REPLACE FUNCTION library_part_lock() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM FROM library WHERE id = OLD.library_id FOR NO KEY UPDATE;
        RETURN OLD;
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.library_id <> OLD.library_id THEN
        RAISE EXCEPTION '% of one library do not pass to another', TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_TABLE_NAME || '_library_fixed';
    END IF;
    PERFORM FROM library WHERE id = NEW.library_id FOR NO KEY UPDATE;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION library_fact_rules() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.recorded_on > today() THEN
        PERFORM refuse('date_in_future', jsonb_build_object('on', NEW.recorded_on::text));
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION library_fact_follow() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    changed uuid := CASE WHEN TG_OP = 'DELETE' THEN OLD.library_id ELSE NEW.library_id END;
BEGIN
    UPDATE library l SET computers = f.computers, servers = f.servers, internet_mbps = f.internet_mbps,
        staff_count = f.staff_count, titles = f.titles, copies = f.copies, digital_titles = f.digital_titles
    FROM (SELECT max(value) FILTER (WHERE fact = 'computers')::integer AS computers,
                 max(value) FILTER (WHERE fact = 'servers')::integer AS servers,
                 max(value) FILTER (WHERE fact = 'internet_mbps') AS internet_mbps,
                 max(value) FILTER (WHERE fact = 'staff_count')::integer AS staff_count,
                 max(value) FILTER (WHERE fact = 'titles')::integer AS titles,
                 max(value) FILTER (WHERE fact = 'copies')::integer AS copies,
                 max(value) FILTER (WHERE fact = 'digital_titles')::integer AS digital_titles
          FROM (SELECT DISTINCT ON (fact) fact, value FROM library_fact
                WHERE library_id = changed ORDER BY fact, recorded_on DESC) latest) f
    WHERE l.id = changed
      AND (l.computers, l.servers, l.internet_mbps, l.staff_count, l.titles, l.copies, l.digital_titles)
          IS DISTINCT FROM (f.computers, f.servers, f.internet_mbps, f.staff_count, f.titles, f.copies, f.digital_titles);
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER a_lock BEFORE INSERT OR UPDATE OR DELETE ON library_fact
    FOR EACH ROW EXECUTE FUNCTION library_part_lock();
CREATE OR REPLACE TRIGGER a_rules BEFORE INSERT OR UPDATE ON library_fact
    FOR EACH ROW EXECUTE FUNCTION library_fact_rules();
CREATE OR REPLACE TRIGGER b_touch BEFORE UPDATE ON library_fact
    FOR EACH ROW EXECUTE FUNCTION touch();
CREATE OR REPLACE TRIGGER follow AFTER INSERT OR UPDATE OR DELETE ON library_fact
    FOR EACH ROW EXECUTE FUNCTION library_fact_follow();

-- Any other value lets library_rules() read the identifiers again.
CREATE OR REPLACE FUNCTION library_identifier_follow() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
BEGIN
    UPDATE library SET identifiers = '[null]'
    WHERE id = CASE WHEN TG_OP = 'DELETE' THEN OLD.library_id ELSE NEW.library_id END;
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER a_lock BEFORE INSERT OR UPDATE OR DELETE ON library_identifier
    FOR EACH ROW EXECUTE FUNCTION library_part_lock();
CREATE OR REPLACE TRIGGER b_touch BEFORE UPDATE ON library_identifier
    FOR EACH ROW EXECUTE FUNCTION touch();
CREATE OR REPLACE TRIGGER follow AFTER INSERT OR UPDATE OR DELETE ON library_identifier
    FOR EACH ROW EXECUTE FUNCTION library_identifier_follow();
