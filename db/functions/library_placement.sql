-- Rules of placements, under any writer, at any isolation level: a library stands in a region of its own level, its
-- supervisor is of a higher level, is there, and its region contains the library's, on every day from the
-- supervisor's first to the placement's last. The checks run when the whole statement is done, so that a
-- move (one placement ended, the next begun, for one library or many) is one statement.

-- The placement in force, or the last one of a closed library.
CREATE OR REPLACE FUNCTION library_placement_last(wanted uuid) RETURNS library_placement
LANGUAGE sql STABLE
RETURN (SELECT p FROM library_placement p WHERE p.library_id = wanted ORDER BY p.starts_on DESC NULLS LAST LIMIT 1);

-- A period in ISO 8601 (.. is an open end).
CREATE OR REPLACE FUNCTION period_text(starts_on date, ends_on date) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(starts_on::text, '..') || '/' || coalesce(ends_on::text, '..');

-- Is the supervisor there, on every day of the period from its own first day on?
CREATE OR REPLACE FUNCTION library_supervisor_there(supervisor uuid, for_period daterange) RETURNS boolean
LANGUAGE sql STABLE
RETURN (SELECT coalesce(NOT isempty(needed) AND stood @> needed, false)
        FROM (SELECT range_agg(s.period) AS stood,
                     for_period * daterange(lower(range_merge(range_agg(s.period))), NULL) AS needed
              FROM library_placement s WHERE s.library_id = supervisor) AS s);

-- The same, in regions that contain the given one.
CREATE OR REPLACE FUNCTION library_supervisor_fits(supervisor uuid, region_code text, for_period daterange) RETURNS boolean
LANGUAGE sql STABLE
RETURN (SELECT coalesce(NOT isempty(needed) AND containing @> needed, false)
        FROM (SELECT range_agg(s.period) FILTER (WHERE region_contains(s.region_code, library_supervisor_fits.region_code))
                         AS containing,
                     for_period * daterange(lower(range_merge(range_agg(s.period))), NULL) AS needed
              FROM library_placement s WHERE s.library_id = supervisor) AS s);

-- Takes the locks of these libraries, in the order of their ids, and makes a new version of each.
CREATE OR REPLACE FUNCTION library_locks_take(libraries uuid[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM FROM library_lock WHERE library_id = ANY (libraries) ORDER BY library_id FOR NO KEY UPDATE;
    UPDATE library_lock SET holder = pg_current_xact_id(), held_at = transaction_timestamp()
    WHERE library_id = ANY (libraries)
      AND (holder, held_at) IS DISTINCT FROM (pg_current_xact_id(), transaction_timestamp());
END
$$;

-- The region fits the kind of the library and is in force on the placement's last day, or today. (A region
-- may be retired later, while the library stands in it: that stands until somebody moves the library.)
CREATE OR REPLACE FUNCTION library_region_check(region_code text, kind text, day date) RETURNS void
LANGUAGE plpgsql STABLE AS $$
DECLARE
    level text := region_level(region_code);
BEGIN
    IF kind = 'national' AND region_code IS NULL THEN
        RETURN;
    ELSIF region_code IS NULL THEN
        PERFORM refuse('region_required', jsonb_build_object('kind', kind));
    END IF;
    IF NOT EXISTS (SELECT FROM region r WHERE r.code = region_code
                     AND coalesce(r.valid_from <= day, true) AND coalesce(r.valid_to >= day, true)) THEN
        PERFORM refuse('region_unknown', jsonb_build_object('code', region_code, 'on', day::text));
    END IF;
    IF NOT (CASE kind WHEN 'national' THEN false WHEN 'provincial' THEN level = 'province'
                      WHEN 'tbm' THEN level IN ('district', 'village') ELSE level = kind END) THEN
        PERFORM refuse('region_level_mismatch', jsonb_build_object('kind', kind, 'level', level));
    END IF;
END
$$;

-- BEFORE any change: first the library's row, then the locks; then what the placement's own row shows.
CREATE OR REPLACE FUNCTION library_placement_rules() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    owner_id uuid := CASE WHEN TG_OP = 'DELETE' THEN OLD.library_id ELSE NEW.library_id END;
    owner_kind text;
    supervisor_kind text;
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.library_id <> OLD.library_id THEN
        RAISE EXCEPTION 'a placement does not pass to another library'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'library_placement_library_fixed';
    END IF;
    SELECT l.kind INTO owner_kind FROM library l WHERE l.id = owner_id FOR NO KEY UPDATE;
    PERFORM library_locks_take(array_remove(ARRAY[owner_id,
        CASE WHEN TG_OP <> 'INSERT' THEN OLD.supervisor_id END,
        CASE WHEN TG_OP <> 'DELETE' THEN NEW.supervisor_id END], NULL));
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    ELSIF owner_kind IS NULL THEN
        PERFORM refuse('not_found'); -- no such library
    END IF;
    NEW.kind := owner_kind;

    IF greatest(NEW.starts_on, NEW.ends_on) > today() THEN
        PERFORM refuse('date_in_future', jsonb_build_object('on', greatest(NEW.starts_on, NEW.ends_on)::text));
    ELSIF NEW.starts_on > NEW.ends_on THEN
        PERFORM refuse('date_before_previous',
                       jsonb_build_object('on', NEW.ends_on::text, 'previous', NEW.starts_on::text));
    END IF;
    IF TG_OP = 'INSERT' OR NEW.region_code IS DISTINCT FROM OLD.region_code THEN
        PERFORM library_region_check(NEW.region_code, owner_kind, coalesce(NEW.ends_on, today()));
    END IF;
    IF NEW.supervisor_id IS NOT NULL THEN
        SELECT s.kind INTO supervisor_kind FROM library s WHERE s.id = NEW.supervisor_id;
        IF supervisor_kind IS NULL THEN
            PERFORM refuse('reference_unknown');
        ELSIF library_rank(supervisor_kind) >= library_rank(owner_kind) THEN
            PERFORM refuse('supervisor_rank', jsonb_build_object('kind', owner_kind));
        END IF;
    END IF;
    RETURN NEW;
END
$$;

-- Refuses a placement whose supervisor is elsewhere, or not there, on one of its days.
CREATE OR REPLACE FUNCTION library_supervisor_check(p library_placement) RETURNS void
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF p.supervisor_id IS NULL OR library_supervisor_fits(p.supervisor_id, p.region_code, p.period) THEN
        RETURN;
    END IF;
    IF NOT library_supervisor_there(p.supervisor_id, p.period) THEN
        PERFORM refuse('supervisor_absent', jsonb_build_object('period', period_text(p.starts_on, p.ends_on)));
    END IF;
    PERFORM refuse('supervisor_elsewhere', jsonb_build_object('region', p.region_code, 'supervisor_region',
        (SELECT string_agg(DISTINCT s.region_code, ', ') FROM library_placement s
         WHERE s.library_id = p.supervisor_id AND s.period && p.period
           AND NOT region_contains(s.region_code, p.region_code))));
END
$$;

-- Refuses, naming them (what struct query_failure has room for), when libraries under this one are left without it on one of their days.
CREATE OR REPLACE FUNCTION library_dependents_check(supervisor uuid) RETURNS void
LANGUAGE plpgsql STABLE AS $$
DECLARE
    names text[];
BEGIN
    SELECT array_agg(DISTINCT l.name ORDER BY l.name) INTO names
    FROM library_placement p JOIN library l ON l.id = p.library_id
    WHERE p.supervisor_id = supervisor AND NOT library_supervisor_fits(supervisor, p.region_code, p.period);
    IF names IS NOT NULL THEN
        PERFORM refuse('library_has_dependents', jsonb_build_object('libraries',
            (SELECT string_agg(CASE WHEN length(n) > 100 THEN left(n, 99) || '…' ELSE n END, ', ') FROM unnest(names[1:5]) n)
            || CASE WHEN cardinality(names) > 5 THEN format(' (+%s)', cardinality(names) - 5) ELSE '' END));
    END IF;
END
$$;

-- AFTER any change, when the statement is done: the library's caches, its supervisor, its dependents.
CREATE OR REPLACE FUNCTION library_placement_follow() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    changed uuid := CASE WHEN TG_OP = 'DELETE' THEN OLD.library_id ELSE NEW.library_id END;
    last library_placement := library_placement_last(changed);
BEGIN
    IF last.id IS NULL THEN
        RAISE EXCEPTION 'library % keeps at least one placement', changed
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'library_placement_last_one';
    END IF;
    IF TG_OP <> 'DELETE' THEN
        -- As the row is now: another row of this statement may have changed it since.
        PERFORM library_supervisor_check(p) FROM library_placement p WHERE p.id = NEW.id;
    END IF;
    IF EXISTS (SELECT FROM library_placement p WHERE p.supervisor_id = changed) THEN
        PERFORM library_dependents_check(changed);
    END IF;
    UPDATE library l SET region_code = last.region_code, supervisor_id = last.supervisor_id,
        placed_from = last.starts_on, closed_on = last.ends_on,
        status = CASE WHEN last.ends_on IS NOT NULL THEN 'closed' WHEN l.status = 'closed' THEN 'active' ELSE l.status END
    WHERE l.id = changed AND (l.region_code, l.supervisor_id, l.placed_from, l.closed_on)
        IS DISTINCT FROM (last.region_code, last.supervisor_id, last.starts_on, last.ends_on);
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER a_rules BEFORE INSERT OR UPDATE OR DELETE ON library_placement
    FOR EACH ROW EXECUTE FUNCTION library_placement_rules();
CREATE OR REPLACE TRIGGER b_touch BEFORE UPDATE ON library_placement
    FOR EACH ROW EXECUTE FUNCTION touch('place', 'period');
CREATE OR REPLACE TRIGGER follow AFTER INSERT OR UPDATE OR DELETE ON library_placement
    FOR EACH ROW EXECUTE FUNCTION library_placement_follow();
CREATE OR REPLACE TRIGGER keep BEFORE TRUNCATE ON library_placement
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_removal();

-- Moves an open library: from that day on it stands in that region, under that supervisor. What is kept
-- (keep_region, keep_supervisor) is as it was.
CREATE OR REPLACE FUNCTION library_move(moved uuid, effective_on date, reason text,
    to_region text DEFAULT NULL, keep_region boolean DEFAULT false,
    to_supervisor uuid DEFAULT NULL, keep_supervisor boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    last library_placement;
BEGIN
    PERFORM FROM library WHERE id = moved FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        PERFORM refuse('not_found');
    END IF;
    last := library_placement_last(moved);
    effective_on := coalesce(effective_on, today());
    IF last.ends_on IS NOT NULL THEN
        PERFORM refuse('library_closed');
    ELSIF effective_on > today() THEN
        PERFORM refuse('date_in_future', jsonb_build_object('on', effective_on::text));
    ELSIF effective_on <= last.starts_on THEN
        PERFORM refuse('date_before_previous',
                       jsonb_build_object('on', effective_on::text, 'previous', last.starts_on::text));
    END IF;
    WITH ended AS (
        UPDATE library_placement SET ends_on = effective_on - 1 WHERE id = last.id)
    INSERT INTO library_placement (library_id, region_code, supervisor_id, starts_on, starts_on_precision, reason)
    VALUES (moved, CASE WHEN keep_region THEN last.region_code ELSE to_region END,
            CASE WHEN keep_supervisor THEN last.supervisor_id ELSE to_supervisor END, effective_on, 'day', reason);
END
$$;
