-- What a client's own limit leaves of a place that somebody is charged with. NULL when the two do not meet.
CREATE OR REPLACE FUNCTION region_narrowed(charged_nation boolean, charged text, allowed text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN allowed IS NULL THEN charged
        WHEN charged_nation THEN allowed
        WHEN charged = allowed OR starts_with(charged, allowed || '.') THEN charged
        WHEN starts_with(allowed, charged || '.') THEN allowed
    END
$$;
