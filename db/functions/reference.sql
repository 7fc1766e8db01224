-- What a caller may name in a body: one rule for each kind of openapi/references.yaml, the one by which the record is shown
-- (may_know_...(), which the GET statements use too). What is published is known to everybody. Never to be broken: the
-- answer for a record that is not there and for one that is not the caller's to know is the same.

-- Of an unpublished person: those who work in the region, and the library's own.
CREATE OR REPLACE FUNCTION may_know_person(place text, published boolean, library_id uuid, reach_from text[], reach_to text[],
    reach_rank bigint[], reach_libraries uuid[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN published OR coalesce(library_id = ANY (reach_libraries), false) OR in_reach(place, 6, reach_from, reach_to, reach_rank);

-- `reach` is where the caller sees records of that kind; NULL: everywhere.
CREATE OR REPLACE FUNCTION may_refer(kind text, id text, subject text, reach jsonb) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    froms text[] := reach ->> 'from';
    tos text[] := reach ->> 'to';
    ranks bigint[] := reach ->> 'rank';
    libraries uuid[] := reach ->> 'libraries';
BEGIN
    RETURN CASE kind
        WHEN 'region' THEN EXISTS (SELECT FROM region r WHERE r.code = may_refer.id)
        WHEN 'library' THEN EXISTS (SELECT FROM library l WHERE l.id = may_refer.id::uuid)
        WHEN 'organization' THEN EXISTS (SELECT FROM organization o WHERE o.id = may_refer.id::uuid)
        WHEN 'program' THEN EXISTS (SELECT FROM program p WHERE p.slug = may_refer.id)
        WHEN 'phase' THEN EXISTS (SELECT FROM phase p WHERE p.id = may_refer.id)
        WHEN 'team' THEN EXISTS (SELECT FROM team t WHERE t.id = may_refer.id::uuid)
        WHEN 'decree' THEN EXISTS (SELECT FROM team_decree d WHERE d.id = may_refer.id::uuid)
        WHEN 'team_member' THEN EXISTS (SELECT FROM team_member m WHERE m.id = may_refer.id::uuid)
        WHEN 'replication' THEN EXISTS (SELECT FROM replication r WHERE r.id = may_refer.id::uuid)
        WHEN 'person' THEN EXISTS (SELECT FROM person p WHERE p.id = may_refer.id::uuid AND p.erased_at IS NULL
            AND (reach IS NULL OR may_know_person(p.place, p.published, p.library_id, froms, tos, ranks, libraries)))
        WHEN 'user' THEN EXISTS (SELECT FROM app_user u WHERE u.id = may_refer.id::uuid AND u.erased_at IS NULL
            AND (reach IS NULL OR u.id::text = subject OR user_in_sight(u.id, subject, froms, tos, libraries)))
        WHEN 'client' THEN EXISTS (SELECT FROM client c WHERE c.id = may_refer.id COLLATE "C" AND (reach IS NULL OR c.id = subject))
        ELSE NULL END;
END
$$;

-- `named`: [{"kind", "id", "reach"}, ...]. Refuses with the places of those that are unknown to the caller.
CREATE OR REPLACE FUNCTION check_references(named jsonb, subject text) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
DECLARE
    unknown bigint[] := ARRAY(
        SELECT n.place - 1 FROM jsonb_array_elements(named) WITH ORDINALITY n(one, place)
        WHERE may_refer(n.one ->> 'kind', n.one ->> 'id', subject, n.one -> 'reach') IS NOT TRUE ORDER BY n.place);
BEGIN
    IF cardinality(unknown) > 0 THEN
        PERFORM refuse('reference_unknown', jsonb_build_object('places', unknown));
    END IF;
    RETURN true;
END
$$;
