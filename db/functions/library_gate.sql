-- Gates of writes to libraries: each locks the library's row, then refuses what is unknown (not_found), outside
-- the caller's reach (out_of_reach) or changed meanwhile (precondition_failed), in this order. A gate changes
-- nothing, and returns true.

-- Of a caller whose reach is the nation.
CREATE OR REPLACE FUNCTION gate_library(wanted uuid, if_match bigint[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    found_version bigint;
BEGIN
    SELECT l.row_version INTO found_version FROM library l WHERE l.id = wanted FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        PERFORM refuse('not_found');
    ELSIF NOT found_version = ANY (if_match) THEN -- NULL, no condition, passes
        PERFORM refuse('precondition_failed');
    END IF;
    RETURN true;
END
$$;

-- Of a caller whose reach is regions (down from a rank) and single libraries.
CREATE OR REPLACE FUNCTION gate_library(wanted uuid, if_match bigint[], reach_from text[], reach_to text[],
    reach_rank bigint[], reach_libraries uuid[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    l record;
BEGIN
    SELECT place, kind, name INTO l FROM library WHERE id = wanted FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        PERFORM refuse('not_found');
    ELSIF NOT place_own_library(wanted, l.place, library_rank(l.kind), reach_from, reach_to, reach_rank, reach_libraries) THEN
        PERFORM refuse('out_of_reach', jsonb_build_object('what', l.name));
    END IF;
    RETURN gate_library(wanted, if_match);
END
$$;

-- May a library of that kind be written in that region (NULL: the nation)?
CREATE OR REPLACE FUNCTION gate_library_place(kind text, region_code text, reach_from text[], reach_to text[],
    reach_rank bigint[]) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT place_library(coalesce(region_code, ''), library_rank(kind), reach_from, reach_to, reach_rank) THEN
        PERFORM refuse('out_of_reach', jsonb_build_object('what', coalesce(region_code, 'Indonesia') || ', ' || kind));
    END IF;
    RETURN true;
END
$$;

-- Of an identifier that is changed or removed: it is there, in one of these versions. (gate_library has locked its library.)
CREATE OR REPLACE FUNCTION gate_identifier(library uuid, wanted_scheme text, if_match bigint[]) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM library_identifier i WHERE i.library_id = library AND i.scheme = wanted_scheme
                     AND (extract(epoch FROM i.updated_at) * 1000000)::bigint = ANY (if_match)) THEN
        PERFORM refuse('precondition_failed');
    END IF;
    RETURN true;
END
$$;

-- Only an open library can be closed.
CREATE OR REPLACE FUNCTION gate_library_open(wanted uuid) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT l.status FROM library l WHERE l.id = wanted) = 'closed' THEN
        PERFORM refuse('library_closed');
    END IF;
    RETURN true;
END
$$;
