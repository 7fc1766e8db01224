-- The ground every migration and rule stands on: extensions, days, ids, refusals, words and places.
-- Runs before the migrations (its name begins with "base"), so nothing here may name a table in SQL
-- that is checked when the function is made. A function used by an index or a generated column
-- (words, words_vector, name_words, name_vector, earth_point, region_level, region_parent) is never changed in its
-- results: a new one gets a new name and a migration.

CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE EXTENSION IF NOT EXISTS unaccent;
CREATE EXTENSION IF NOT EXISTS cube;

-- The day in Asia/Jakarta, of now and of a moment; statements and rules never ask current_date. today() calls no other function:
-- the version before runs it already while a new function has no rights yet.
CREATE OR REPLACE FUNCTION today() RETURNS date
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (now() AT TIME ZONE 'Asia/Jakarta')::date;
CREATE OR REPLACE FUNCTION day_of(moment timestamptz) RETURNS date
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (moment AT TIME ZONE 'Asia/Jakarta')::date;

-- RFC 9562, version 7: 48 bits of milliseconds, then random bits.
CREATE OR REPLACE FUNCTION uuidv7() RETURNS uuid
LANGUAGE sql VOLATILE PARALLEL SAFE
RETURN encode(set_bit(set_bit(overlay(
        uuid_send(gen_random_uuid())
        PLACING substring(int8send(floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
        FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid;

-- A timestamp inside JSON, as RFC 3339 in UTC.
CREATE OR REPLACE FUNCTION rfc3339(moment timestamptz) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE
RETURN to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');

-- Refuses with a problem code (api/base/problems.def); the arguments, flat strings, fill its text.
CREATE OR REPLACE FUNCTION refuse(code text, arguments jsonb DEFAULT '{}') RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'TB001', MESSAGE = 'refused: ' || code, CONSTRAINT = code, DETAIL = arguments::text;
END
$$;

-- ---- the hierarchy's levels ----------------------------------------------------------------------

CREATE OR REPLACE FUNCTION library_rank(kind text) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE kind WHEN 'national' THEN 1 WHEN 'provincial' THEN 2 WHEN 'regency' THEN 3
                 WHEN 'district' THEN 4 WHEN 'village' THEN 5 WHEN 'tbm' THEN 6 END;

-- The level a code's length says: 19, 19.01, 19.01.01, 19.01.01.2001.
CREATE OR REPLACE FUNCTION region_level(code text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE length(code) WHEN 2 THEN 'province' WHEN 5 THEN 'regency'
                         WHEN 8 THEN 'district' WHEN 13 THEN 'village' END;

-- A code's parent is its prefix; a province has none.
CREATE OR REPLACE FUNCTION region_parent(code text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE length(code) WHEN 5 THEN left(code, 2) WHEN 8 THEN left(code, 5) WHEN 13 THEN left(code, 8) END;

-- Does the region contain the other one (itself included)? NULL as the outer one is Indonesia.
CREATE OR REPLACE FUNCTION region_contains("outer" text, "inner" text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN "outer" IS NULL OR coalesce("inner" COLLATE "C" >= "outer" AND "inner" COLLATE "C" < "outer" || '/', false);

-- Is this place inside one of the ranges a caller may write in, at this rank or below it?
-- An absent list is an empty one: nothing is in reach.
CREATE OR REPLACE FUNCTION in_reach(place text, rank integer, froms text[], tos text[], ranks bigint[])
RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN EXISTS (SELECT FROM unnest(froms, tos, ranks) AS range(from_code, to_code, highest)
               WHERE place COLLATE "C" >= range.from_code AND place COLLATE "C" < range.to_code
                 AND rank >= range.highest);

-- ---- words of a name --------------------------------------------------------------------------------

-- The words of a text: accents and case put aside, everything but letters and digits a gap. What is compared of names.
CREATE OR REPLACE FUNCTION words(value text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN array_remove(regexp_split_to_array(
        lower(public.unaccent('public.unaccent'::regdictionary, value)), '[^[:alnum:]]+'), '');

-- The words of a text as they are searched for: accents and case put aside, a word going on over apostrophes and hyphens.
-- Of the signs that are written for an apostrophe or a hyphen, one is left of each kind: ' and -.
CREATE OR REPLACE FUNCTION name_words(value text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN regexp_split_to_array(
        translate(lower(public.unaccent('public.unaccent'::regdictionary, value)),
                  E'`\u00B4\u02B9\u02BB\u02BC\u02BD\u02BE\u02BF\u02C0\u02C8\u02CA\u02CB\u2018\u2019\u201B\u2032\u2035\uA78C\uFF07'
                   '\u00AD\u02D7\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\uFE58\uFE63\uFF0D',
                  repeat('''', 19) || repeat('-', 13)),
        '[^[:alnum:]''-]+');

-- What a name is found by: each word without its apostrophes and hyphens, from its beginning and from behind each of
-- these. Sitio-tio is {sitiotio,tio}: a beginning of these is sitio, sitiotio or tio.
CREATE OR REPLACE FUNCTION name_vector(value text) RETURNS tsvector
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (SELECT array_to_tsvector(coalesce(array_agg(array_to_string(w.parts[s.first:], '')), '{}'))
        FROM (SELECT array_remove(regexp_split_to_array(word, '[''-]+'), '') FROM unnest(public.name_words(value)) word) w (parts)
        CROSS JOIN LATERAL generate_subscripts(w.parts, 1) s (first));

-- All the words, each as the beginning of a word: without its apostrophes, and with a hyphen either as one word or as its
-- parts (Sitio-tio finds Sitiotio and Sitio Tio). No word at all matches nothing.
CREATE OR REPLACE FUNCTION name_query(value text) RETURNS tsquery
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT coalesce(string_agg(CASE cardinality(w.parts) WHEN 1 THEN format('''%s'':*', w.parts[1])
                                   ELSE format('(''%s'':* | (''%s'':*))', array_to_string(w.parts, ''),
                                               array_to_string(w.parts, ''':* & ''')) END, ' & '), '')::tsquery
        FROM (SELECT array_remove(regexp_split_to_array(replace(word, '''', ''), '-+'), '') FROM unnest(name_words(value)) word) w (parts)
        WHERE cardinality(w.parts) > 0);

-- The column words of region and library, and what the version before asks of it. Nothing else uses these.
CREATE OR REPLACE FUNCTION words_vector(value text) RETURNS tsvector
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN array_to_tsvector(public.words(value));

CREATE OR REPLACE FUNCTION words_query(value text) RETURNS tsquery
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT coalesce(string_agg('''' || word || ''':*', ' & '), '')::tsquery FROM unnest(words(value)) word);

-- ---- places on earth ---------------------------------------------------------------------------------

-- A point as three coordinates in kilometres from the centre of the (mean) earth, for a GiST index.
-- NULL where there is no such place.
CREATE OR REPLACE FUNCTION earth_point(latitude double precision, longitude double precision) RETURNS cube
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE WHEN abs(latitude) <= 90 AND abs(longitude) <= 180 THEN
    public.cube(ARRAY[6371.0088 * cosd(latitude) * cosd(longitude),
                      6371.0088 * cosd(latitude) * sind(longitude),
                      6371.0088 * sind(latitude)]) END;

-- The distance over the ground, from the straight line between two such points. (Not STRICT, to be inlined.)
CREATE OR REPLACE FUNCTION earth_distance_km(a cube, b cube) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 2 * 6371.0088 * asin(least(1, public.cube_distance(a, b) / (2 * 6371.0088)));

-- The box around a point that holds everything within so many kilometres over the ground. (Never less than
-- a metre: the smallest numbers there are would underflow.)
CREATE OR REPLACE FUNCTION earth_box(point cube, radius_km double precision) RETURNS cube
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN public.cube_enlarge(point,
        2 * 6371.0088 * sin(least(greatest(radius_km, 0.001), 20015) / (2 * 6371.0088)) + 0.001, 3);

-- ---- row versions ------------------------------------------------------------------------------------

-- BEFORE UPDATE: a real change makes a new version and a new updated_at; anything else leaves both.
-- The arguments are columns that say nothing by themselves (generated ones, counters).
CREATE OR REPLACE FUNCTION touch() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    silent text[] := coalesce(TG_ARGV, '{}'); -- NULL when there are none
BEGIN
    NEW.created_at := OLD.created_at;
    NEW.updated_at := OLD.updated_at;
    NEW.row_version := OLD.row_version;
    IF to_jsonb(NEW) - silent IS DISTINCT FROM to_jsonb(OLD) - silent THEN
        NEW.updated_at := now();
        NEW.row_version := OLD.row_version + 1;
    END IF;
    RETURN NEW;
END
$$;

-- BEFORE DELETE or TRUNCATE: for what is retired or closed, never removed.
CREATE OR REPLACE FUNCTION forbid_removal() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% keeps its rows: they are retired or closed, never removed', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_TABLE_NAME || '_removal';
END
$$;
