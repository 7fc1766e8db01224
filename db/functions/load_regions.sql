-- Compares a staged edition of the region codes with the regions in force, and writes the difference. Only
-- load-reference calls these (db/load.c), as the owner, in one transaction.
-- Rule: a region is retired, never removed, and a successor is noted only where it is certain
-- (db/reference/README.md says when); everything else goes to region_review, for a person.

-- The temporary tables that the edition's files are copied into; the columns are named as the files' are.
CREATE OR REPLACE FUNCTION load_regions_stage() RETURNS void
LANGUAGE sql AS $$
    CREATE TEMPORARY TABLE staged_province (code text COLLATE "C", name text) ON COMMIT DROP;
    CREATE TEMPORARY TABLE staged_regency (code text COLLATE "C", province_code text COLLATE "C", name text) ON COMMIT DROP;
    CREATE TEMPORARY TABLE staged_district (code text COLLATE "C", regency_code text COLLATE "C", name text) ON COMMIT DROP;
    CREATE TEMPORARY TABLE staged_village (code text COLLATE "C", district_code text COLLATE "C", name text) ON COMMIT DROP;
    CREATE TEMPORARY TABLE staged_change (change text, code text COLLATE "C", level text, name text,
        successor_code text COLLATE "C", new_name text, rule text) ON COMMIT DROP;
$$;

-- What the spellings of one name have in common: its letters and digits.
CREATE OR REPLACE FUNCTION region_name_key(name text) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE
RETURN array_to_string(words(name), '');

-- The official word that the numbers of a code say; NULL when it is no code. (Not STRICT: so it is inlined.)
CREATE OR REPLACE FUNCTION region_type(code text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN code !~ '^[0-9]{2}(\.[0-9]{2}(\.[0-9]{2}(\.[123][0-9]{3})?)?)?$' THEN NULL
    WHEN length(code) = 2 THEN 'provinsi'
    WHEN length(code) = 5 THEN CASE WHEN substr(code, 4, 1) < '7' THEN 'kabupaten' ELSE 'kota' END
                               || CASE WHEN left(code, 2) = '31' THEN '_administrasi' ELSE '' END
    WHEN length(code) = 8 THEN 'kecamatan'
    ELSE CASE substr(code, 10, 1) WHEN '1' THEN 'kelurahan' WHEN '2' THEN 'desa' WHEN '3' THEN 'desa_adat' END
END;

-- Names are compared within a kabupaten or kota, those of higher levels within the nation.
CREATE OR REPLACE FUNCTION region_name_scope(code text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE WHEN length(code) > 5 THEN left(code, 5) ELSE '' END;

-- The four tables as one, checked: a file of another kind, or half of one, must not retire half the country.
CREATE OR REPLACE FUNCTION load_regions_check(edition text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    wrong text;
    gone bigint;
    known bigint;
    compared boolean := EXISTS (SELECT FROM region); -- with what?
BEGIN
    CREATE TEMPORARY TABLE staged_region ON COMMIT DROP AS
        SELECT s.code, text_line(s.name) AS name, s.level, region_type(s.code) AS type, s.parent_code,
               CASE WHEN compared THEN region_name_key(s.name) END COLLATE "C" AS key
        FROM (SELECT code, name, 'province' AS level, NULL::text COLLATE "C" AS parent_code FROM staged_province
              UNION ALL SELECT code, name, 'regency', province_code FROM staged_regency
              UNION ALL SELECT code, name, 'district', regency_code FROM staged_district
              UNION ALL SELECT code, name, 'village', district_code FROM staged_village) s;
    ALTER TABLE staged_region ADD CONSTRAINT staged_region_pkey PRIMARY KEY (code);
    ANALYZE staged_region;

    SELECT s.code INTO wrong FROM staged_region s LEFT JOIN staged_region p ON p.code = s.parent_code
    WHERE s.type IS NULL OR coalesce(s.name, '') = '' OR s.level IS DISTINCT FROM region_level(s.code)
       OR s.parent_code IS DISTINCT FROM region_parent(s.code) OR (s.parent_code IS NOT NULL AND p.code IS NULL)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'edition %: code % is malformed, unnamed, or below a code that the edition lacks', edition, wrong;
    END IF;
    SELECT count(*) FILTER (WHERE s.code IS NULL), count(*) INTO gone, known
    FROM region r LEFT JOIN staged_region s ON s.code = r.code WHERE r.valid_to IS NULL;
    IF gone > 1000 AND gone > known / 10 THEN
        RAISE EXCEPTION 'edition % lacks % of the % codes in force: that is part of an edition', edition, gone, known;
    END IF;
END
$$;

-- Successors by one rule at one level: a name that exactly one code bears in its scope (the first `cut`
-- characters of the code) before, and exactly one in what that scope became. A code that keeps its name is
-- nobody's successor.
CREATE OR REPLACE FUNCTION load_regions_match(at_level text, cut integer, by_rule text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO region_recode (code, successor_code, rule)
    SELECT g.code, after.code, by_rule
    FROM old_region g
    LEFT JOIN old_region s ON s.code = left(g.code, cut)
    CROSS JOIN LATERAL (SELECT count(*) AS bearers FROM old_region o
                        WHERE o.key = g.key AND o.level = g.level AND left(o.code, cut) = left(g.code, cut)) before
    CROSS JOIN LATERAL (SELECT count(*) AS bearers, min(n.code) AS code FROM staged_region n
                        WHERE n.key = g.key AND n.level = g.level AND left(n.code, cut) = coalesce(s.new_code, '')) after
    WHERE g.level = at_level AND g.new_code IS NULL AND before.bearers = 1 AND after.bearers = 1
      AND NOT EXISTS (SELECT FROM staged_change c WHERE c.change = 'retired' AND c.code = g.code)
      AND NOT EXISTS (SELECT FROM region_recode r WHERE r.code = g.code)
      AND NOT EXISTS (SELECT FROM old_region u WHERE u.code = after.code AND u.key = g.key);
    -- Claimed twice is not certain. Then the level is settled, and the scopes below may follow it.
    DELETE FROM region_recode WHERE successor_code IN (
        SELECT r.successor_code FROM region_recode r GROUP BY r.successor_code HAVING count(*) > 1);
    UPDATE old_region o SET new_code = r.successor_code FROM region_recode r WHERE r.code = o.code AND o.level = at_level;
END
$$;

-- Fills region_recode: a retired code and its certain successor. What the edition's list of changes says goes first.
CREATE OR REPLACE FUNCTION load_regions_compare() RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    CREATE TEMPORARY TABLE old_region ON COMMIT DROP AS
        SELECT r.code, r.name, r.level, region_name_key(r.name) COLLATE "C" AS key, s.code AS new_code
        FROM region r LEFT JOIN staged_region s ON s.code = r.code WHERE r.valid_to IS NULL;
    ALTER TABLE old_region ADD CONSTRAINT old_region_pkey PRIMARY KEY (code);
    CREATE INDEX ON old_region (key);
    CREATE INDEX ON staged_region (key);
    ANALYZE old_region;
    ANALYZE staged_region;
    CREATE TEMPORARY TABLE region_recode (code text COLLATE "C" PRIMARY KEY, successor_code text COLLATE "C", rule text)
        ON COMMIT DROP;
    INSERT INTO region_recode (code, successor_code, rule)
    SELECT c.code, c.successor_code, coalesce(c.rule, 'by_hand') FROM staged_change c
    WHERE c.change = 'retired' AND c.successor_code IS NOT NULL;
    PERFORM load_regions_match('province', 0, 'same_name_in_nation');
    PERFORM load_regions_match('regency', 0, 'same_name_in_nation');
    PERFORM load_regions_match('district', 5, 'same_name_in_regency');
    PERFORM load_regions_match('village', 8, 'same_name_in_district');
    PERFORM load_regions_match('village', 5, 'same_name_in_regency');
END
$$;

-- Fills edition_review with the codes that a person must look at; runs before the difference is written.
CREATE OR REPLACE FUNCTION load_regions_doubt() RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    CREATE TEMPORARY TABLE edition_review (region_code text COLLATE "C", reason text, library_id uuid, note text)
        ON COMMIT DROP;
    INSERT INTO edition_review (region_code, reason, note)
    SELECT gone.code, 'no_successor', gone.name
    FROM (SELECT o.code, o.name FROM old_region o WHERE NOT EXISTS (SELECT FROM staged_region s WHERE s.code = o.code)
          UNION SELECT c.code, c.name FROM staged_change c WHERE c.change = 'retired') gone
    WHERE NOT EXISTS (SELECT FROM region_recode r WHERE r.code = gone.code);

    INSERT INTO edition_review (region_code, reason, note)
    SELECT r.code, 'returned', s.name FROM region r JOIN staged_region s ON s.code = r.code WHERE r.valid_to IS NOT NULL;

    -- A code's old name now belongs to another code that did not have it, or its new name belonged to another.
    INSERT INTO edition_review (region_code, reason, note)
    SELECT c.code, 'reassigned', format('%s, now %s', c.name, c.new_name) FROM staged_change c WHERE c.change = 'reassigned'
    UNION ALL
    SELECT o.code, 'reassigned', format('%s, now %s', o.name, s.name)
    FROM old_region o JOIN staged_region s ON s.code = o.code AND s.key <> o.key
    WHERE NOT EXISTS (SELECT FROM staged_change c WHERE c.code = o.code) AND (
        EXISTS (SELECT FROM staged_region n LEFT JOIN old_region b ON b.code = n.code
                WHERE n.key = o.key AND n.level = o.level AND region_name_scope(n.code) = region_name_scope(o.code)
                  AND b.key IS DISTINCT FROM n.key)
     OR EXISTS (SELECT FROM old_region b LEFT JOIN staged_region n ON n.code = b.code
                WHERE b.key = s.key AND b.level = o.level AND region_name_scope(b.code) = region_name_scope(o.code)
                  AND n.key IS DISTINCT FROM b.key));
END
$$;

-- A number as the operator reads it.
CREATE OR REPLACE FUNCTION load_number(number bigint) RETURNS text
LANGUAGE sql STABLE STRICT
RETURN to_char(number, 'FM999,999,999');

-- Adds the new codes, parents first. When a code of the first edition began is not on record, unless the list of
-- changes says it is new. The first time that is the whole country, and its indexes are made afterwards, which
-- takes a third of the time. The statistics in between are for the foreign key: its plan is made once, and one made
-- for a table that looks empty may walk through a whole index for each of 90,000 rows.
CREATE OR REPLACE FUNCTION load_regions_insert(first boolean, from_day date) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    indexes record;
    added bigint := 0;
    at_once bigint;
    part text[];
BEGIN
    SELECT coalesce(array_agg(i.indexrelid::regclass::text), '{}') AS names,
           coalesce(array_agg(pg_get_indexdef(i.indexrelid)), '{}') AS definitions INTO indexes
    FROM pg_index i WHERE i.indrelid = 'region'::regclass AND first
                      AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid);
    FOR i IN 1 .. cardinality(indexes.names) LOOP
        EXECUTE 'DROP INDEX ' || indexes.names[i];
    END LOOP;
    FOREACH part SLICE 1 IN ARRAY ARRAY[ARRAY['province', 'regency'], ARRAY['district', 'village']] LOOP
        INSERT INTO region (code, name, type, valid_from)
        SELECT s.code, s.name, s.type, CASE WHEN NOT first OR c.code IS NOT NULL THEN from_day END
        FROM staged_region s LEFT JOIN staged_change c ON c.change = 'added' AND c.code = s.code
        WHERE s.level = ANY (part) AND NOT EXISTS (SELECT FROM region r WHERE r.code = s.code)
        ORDER BY s.code;
        GET DIAGNOSTICS at_once = ROW_COUNT;
        added := added + at_once;
        ANALYZE region;
    END LOOP;
    FOR i IN 1 .. cardinality(indexes.names) LOOP
        EXECUTE indexes.definitions[i];
    END LOOP;
    RETURN added;
END
$$;

-- Writes the difference; tells it in one line.
CREATE OR REPLACE FUNCTION load_regions_write(edition text, from_day date, source text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    first boolean := NOT EXISTS (SELECT FROM region);
    added bigint;
    changed bigint;
    retired bigint;
    dropped bigint;
BEGIN
    INSERT INTO region_edition (edition, in_force_from, source) VALUES (edition, from_day, source);

    -- A code that is back has no successors any more.
    DELETE FROM region_successor o USING staged_region s WHERE o.code = s.code;
    UPDATE region r SET name = s.name, valid_to = NULL,
        valid_from = CASE WHEN r.valid_to IS NULL THEN r.valid_from ELSE from_day END
    FROM staged_region s WHERE s.code = r.code AND (s.name <> r.name OR r.valid_to IS NOT NULL);
    GET DIAGNOSTICS changed = ROW_COUNT;

    added := load_regions_insert(first, from_day);

    -- Codes of the edition before that this database never had.
    INSERT INTO region (code, name, type, valid_to)
    SELECT c.code, c.name, region_type(c.code), from_day - 1
    FROM staged_change c WHERE c.change = 'retired' AND NOT EXISTS (SELECT FROM region r WHERE r.code = c.code);
    GET DIAGNOSTICS dropped = ROW_COUNT;
    UPDATE region r SET valid_to = from_day - 1
    WHERE r.valid_to IS NULL AND NOT EXISTS (SELECT FROM staged_region s WHERE s.code = r.code);
    GET DIAGNOSTICS retired = ROW_COUNT;

    INSERT INTO region_successor (code, successor_code, rule) SELECT c.code, c.successor_code, c.rule FROM region_recode c;

    RETURN format('regions: edition %s, in force from %s: %s added, %s changed, %s retired, %s of them with a successor',
                  edition, from_day, load_number(added), load_number(changed), load_number(retired + dropped),
                  load_number((SELECT count(*) FROM region_recode)));
END
$$;

-- The whole edition. One line of text a row, for the operator.
CREATE OR REPLACE FUNCTION load_regions(edition text, from_day date, source text) RETURNS TABLE (line text)
LANGUAGE plpgsql AS $$
DECLARE
    newer text;
BEGIN
    SELECT e.edition INTO newer FROM region_edition e
    WHERE e.in_force_from >= from_day ORDER BY e.in_force_from DESC LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'edition % is not newer than edition %, which is loaded', edition, newer;
    ELSIF from_day > today() THEN
        RAISE EXCEPTION 'edition % is in force from %, a day that has not come', edition, from_day;
    END IF;
    PERFORM load_regions_check(edition);
    PERFORM load_regions_compare();
    PERFORM load_regions_doubt();
    line := load_regions_write(edition, from_day, source);
    RETURN NEXT;
    RETURN QUERY SELECT load_placements(edition, from_day);
    INSERT INTO region_review (edition, region_code, reason, library_id, note)
    SELECT load_regions.edition, r.region_code, r.reason, r.library_id, r.note
    FROM edition_review r ORDER BY r.reason, r.region_code, r.library_id;
    RETURN QUERY
        SELECT concat_ws(' ', 'needs a person:', r.region_code, r.reason, '(' || r.note || ')', r.library_id)
        FROM edition_review r ORDER BY r.library_id IS NULL, r.reason, r.region_code LIMIT 100;
    RETURN QUERY
        SELECT format('%s need a person; all are in region_review', load_number(count(*)))
        FROM edition_review HAVING count(*) > 0;
END
$$;
