-- Libraries in a load of reference data: those that stand in a retired region are placed anew where the recode is one
-- to one, and those that public documents name are brought in once.
-- Rule: everything goes through library_placement and its rules. What they refuse is told, never forced, and a
-- library that is there is not touched by the facts.

-- What a refusal says, short: its code and arguments.
CREATE OR REPLACE FUNCTION load_refusal(code text, arguments text) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN 'refused: ' || code || CASE WHEN arguments IN ('', '{}') THEN '' ELSE ' ' || arguments END;

-- The placements that reach into the new edition in a code it has retired. `root` is the topmost library of those
-- that must move together: a supervisor cannot leave what it supervises, nor the other way round.
CREATE OR REPLACE FUNCTION load_placements_find(from_day date) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    CREATE TEMPORARY TABLE replaced ON COMMIT DROP AS
        WITH RECURSIVE moving AS (
            SELECT p.id, p.library_id, p.supervisor_id, p.region_code, c.successor_code
            FROM library_placement p JOIN region_recode c ON c.code = p.region_code
            WHERE p.ends_on IS NULL OR p.ends_on >= from_day
        ), chain AS (
            SELECT m.library_id AS root, m.library_id FROM moving m
            WHERE NOT EXISTS (SELECT FROM moving s WHERE s.library_id = m.supervisor_id)
            UNION
            SELECT c.root, m.library_id FROM chain c JOIN moving m ON m.supervisor_id = c.library_id
        )
        SELECT m.*, (SELECT min(c.root::text)::uuid FROM chain c WHERE c.library_id = m.library_id) AS root
        FROM moving m;
END
$$;

-- Places these libraries anew in one statement, so that a supervisor and its libraries go together. A placement that
-- began with the edition or after it stood in the wrong code from its first day, and is put right.
CREATE OR REPLACE FUNCTION load_placements_write(wanted uuid, edition text, from_day date) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    WITH old AS (
        SELECT p.id, p.library_id, p.supervisor_id, p.starts_on, p.ends_on, r.region_code, r.successor_code,
               coalesce(p.starts_on >= from_day, false) AS late
        FROM replaced r JOIN library_placement p ON p.id = r.id WHERE r.root = wanted
    ), changed AS (
        UPDATE library_placement p
        SET region_code = CASE WHEN o.late THEN o.successor_code ELSE p.region_code END,
            ends_on = CASE WHEN o.late THEN p.ends_on ELSE from_day - 1 END,
            note = CASE WHEN o.late THEN concat_ws('; ', p.note, format('region code %s recoded by edition %s', o.region_code, edition))
                        ELSE p.note END
        FROM old o WHERE p.id = o.id
    )
    INSERT INTO library_placement (library_id, region_code, supervisor_id, starts_on, starts_on_precision, ends_on, reason, source)
    SELECT o.library_id, o.successor_code, o.supervisor_id, from_day, 'day', o.ends_on,
           format('region code %s became %s', o.region_code, o.successor_code),
           (SELECT e.source FROM region_edition e WHERE e.edition = load_placements_write.edition)
    FROM old o WHERE NOT o.late;
END
$$;

-- Places anew what can be, and adds to edition_review what cannot: refused, or standing in a code in doubt.
CREATE OR REPLACE FUNCTION load_placements(edition text, from_day date) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    wanted uuid;
    refusal text;
    arguments text;
    moved bigint;
BEGIN
    PERFORM set_config('tpbis.bulk', 'off', true); -- each library's move is on record
    PERFORM load_placements_find(from_day);
    FOR wanted IN SELECT DISTINCT r.root FROM replaced r ORDER BY r.root LOOP
        BEGIN
            PERFORM load_placements_write(wanted, edition, from_day);
        EXCEPTION WHEN SQLSTATE 'TB001' THEN
            GET STACKED DIAGNOSTICS refusal = CONSTRAINT_NAME, arguments = PG_EXCEPTION_DETAIL;
            INSERT INTO edition_review (region_code, reason, library_id, note)
            SELECT r.region_code, 'library', r.library_id, load_refusal(refusal, arguments)
            FROM replaced r WHERE r.root = wanted;
        END;
    END LOOP;
    PERFORM set_config('tpbis.bulk', 'on', true);

    INSERT INTO edition_review (region_code, reason, library_id, note)
    SELECT DISTINCT p.region_code, 'library', p.library_id, 'its region: ' || r.reason
    FROM edition_review r JOIN library_placement p ON p.region_code = r.region_code
    WHERE r.library_id IS NULL AND (p.ends_on IS NULL OR p.ends_on >= from_day);
    INSERT INTO edition_review (region_code, reason, note)
    SELECT a.region_code, 'assignment', 'client ' || a.client_id
    FROM assignment a JOIN region r ON r.code = a.region_code AND r.valid_to = from_day - 1
    WHERE a.ends_on IS NULL OR a.ends_on >= from_day;

    SELECT count(DISTINCT r.library_id) INTO moved FROM replaced r
    WHERE NOT EXISTS (SELECT FROM edition_review v WHERE v.library_id = r.library_id);
    RETURN CASE WHEN moved > 0 THEN format('libraries: %s placed anew in the code that followed theirs', load_number(moved)) END;
END
$$;

-- ---- the libraries that public documents name ---------------------------------------------------------

CREATE OR REPLACE FUNCTION load_libraries_stage() RETURNS void
LANGUAGE sql AS $$
    CREATE TEMPORARY TABLE staged_library (id uuid, name text, kind text, region_code text, supervisor_id uuid,
        starts_on date, starts_on_precision text, source text, note text) ON COMMIT DROP;
$$;

-- Brings in those whose id is not there. Another national library than ours stays, and supervises in its place.
CREATE OR REPLACE FUNCTION load_libraries() RETURNS TABLE (line text)
LANGUAGE plpgsql AS $$
DECLARE
    l record;
    national uuid := (SELECT n.id FROM library n WHERE n.kind = 'national');
    refusal text;
    arguments text;
    loaded bigint := 0;
BEGIN
    PERFORM set_config('tpbis.bulk', 'off', true);
    IF national IS NOT NULL THEN
        UPDATE staged_library s SET supervisor_id = national
        WHERE s.supervisor_id IN (SELECT n.id FROM staged_library n WHERE n.kind = 'national');
        DELETE FROM staged_library WHERE kind = 'national';
    END IF;
    FOR l IN SELECT s.* FROM staged_library s WHERE NOT EXISTS (SELECT FROM library b WHERE b.id = s.id)
             ORDER BY library_rank(s.kind), s.id LOOP
        BEGIN
            INSERT INTO library (id, name, kind) VALUES (l.id, text_line(l.name), l.kind);
            IF l.kind = 'national' THEN -- it is born with its placement
                UPDATE library_placement SET source = l.source, note = l.note WHERE library_id = l.id;
            ELSE
                INSERT INTO library_placement (library_id, region_code, supervisor_id, starts_on, starts_on_precision, source, note)
                VALUES (l.id, l.region_code, l.supervisor_id, l.starts_on, l.starts_on_precision, l.source, l.note);
            END IF;
            loaded := loaded + 1;
        EXCEPTION WHEN SQLSTATE 'TB001' THEN
            GET STACKED DIAGNOSTICS refusal = CONSTRAINT_NAME, arguments = PG_EXCEPTION_DETAIL;
            line := format('libraries: %s is left out, %s', l.name, load_refusal(refusal, arguments));
            RETURN NEXT;
        END;
    END LOOP;
    line := CASE WHEN loaded > 0 THEN format('libraries: %s loaded', loaded) ELSE 'libraries: all are loaded already' END;
    RETURN NEXT;
END
$$;
