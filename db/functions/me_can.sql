-- May the caller do an operation, and there? Explains what the gates would say; it opens none. Never to be broken: the place is judged by
-- the function that the operation's gate asks (place.sql), with the ranks that the gate gives it.

-- `rule`: the operation's x-place. `rank`: of the library that is asked about, or of the one that stands for the region.
CREATE OR REPLACE FUNCTION place_judged(rule text, region text, of_library uuid, place text, rank integer, froms text[], tos text[],
    ranks bigint[], libraries uuid[]) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN CASE rule
        WHEN 'nation' THEN place_nation()
        WHEN 'library' THEN place_library(place, rank, froms, tos, ranks)
        WHEN 'own_library' THEN place_own_library(of_library, place, rank, froms, tos, ranks, libraries)
        WHEN 'area' THEN place_area(place, froms, tos, ranks)
        WHEN 'certification' THEN place_certification(place, CASE WHEN of_library IS NOT NULL THEN rank END, froms, tos, ranks)
        WHEN 'village' THEN place_village(place, froms, tos, ranks)
        WHEN 'inside' THEN place_inside(place, froms, tos, ranks)
        WHEN 'team' THEN place_team(region, froms, tos, ranks)
        WHEN 'team_work' THEN place_team_work(region, froms, tos, ranks)
        WHEN 'team_basis' THEN place_team_basis(region, froms, tos, ranks)
        WHEN 'visit' THEN place_visit(place, rank, NULL, froms, tos, ranks) -- or as the work of the province's or the kabupaten's team
            OR EXISTS (SELECT FROM team t WHERE t.region_code IN (left(region, 2), left(region, 5))
                       AND place_visit(place, rank, t.region_code, froms, tos, ranks)) END;
END
$$;

-- `rule`: x-place of the operation; NULL: its scope decides alone; 'untold': the place decides, and alone it cannot tell. `needed`: the
-- alternatives of its security, each its scopes with blanks between; `held`: the token has one of them. `everywhere`: the reach is the nation.
CREATE OR REPLACE FUNCTION me_can(operation text, rule text, needed text[], held boolean, region text, of_library uuid, caller text, caller_client text,
    everywhere boolean, froms text[], tos text[], ranks bigint[], libraries uuid[]) RETURNS json
LANGUAGE plpgsql STABLE AS $$
DECLARE
    spot text := region; -- of the library, when one is named
    rank integer := CASE length(region) WHEN 2 THEN 2 WHEN 5 THEN 3 WHEN 8 THEN 4 ELSE 5 END;
    granting text[] := ARRAY(SELECT r.name::text FROM role r, unnest(needed) AS n (scopes)
                             WHERE NOT EXISTS (SELECT FROM unnest(string_to_array(n.scopes, ' ')) AS w (scope)
                                               WHERE NOT EXISTS (SELECT FROM role_scope s WHERE s.role = r.name AND s.scope = w.scope))
                             GROUP BY r.name ORDER BY r.name);
    why text;
BEGIN
    IF of_library IS NOT NULL THEN
        SELECT l.place, library_rank(l.kind), l.region_code INTO spot, rank, region FROM library l WHERE l.id = of_library;
        why := CASE WHEN NOT FOUND THEN 'place_unknown' END;
    ELSIF region IS NOT NULL AND NOT EXISTS (SELECT FROM region r WHERE r.code = me_can.region) THEN
        why := 'place_unknown';
    END IF;
    why := coalesce(why, CASE WHEN NOT held THEN 'scope_missing'
        WHEN rule IS NULL OR everywhere THEN NULL
        WHEN rule = 'untold' THEN 'not_judged'
        WHEN (spot IS NOT NULL OR rule = 'nation')
             AND place_judged(rule, region, of_library, spot, rank, froms, tos, ranks, libraries) IS NOT TRUE THEN 'out_of_reach' END);
    RETURN json_build_object('operation', operation, 'allowed', CASE WHEN why IS DISTINCT FROM 'not_judged' THEN why IS NULL END, 'reason', why,
        'place_matters', rule IS NOT NULL, 'scopes', needed,
        'roles', CASE WHEN why IN ('scope_missing', 'out_of_reach') THEN granting ELSE '{}' END,
        'other_days', CASE WHEN why IN ('scope_missing', 'out_of_reach') THEN (
            SELECT coalesce(json_agg(json_build_object('role', a.role, 'starts_on', a.starts_on, 'ends_on', a.ends_on) ORDER BY a.id), '[]')
            FROM assignment a
            WHERE (a.client_id = CASE WHEN caller = caller_client THEN caller END
                   OR a.user_id = CASE WHEN caller <> caller_client THEN caller::uuid END)
              AND a.role = ANY (granting) AND (a.starts_on > today() OR a.ends_on < today())
              AND (spot IS NULL OR a.library_id = of_library OR a.library_id IS NULL AND region_contains(a.region_code, spot)))
            ELSE '[]' END);
END
$$;

-- As the version before calls them: of what its gates ask the reach for, it then tells neither yes nor no.
CREATE OR REPLACE FUNCTION operation_place_rule(operation text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN NULL::text;
CREATE OR REPLACE FUNCTION me_can(operation text, needed text[], held boolean, region text, of_library uuid, caller text, caller_client text,
    everywhere boolean, froms text[], tos text[], ranks bigint[], libraries uuid[]) RETURNS json
LANGUAGE sql STABLE
RETURN me_can(operation, NULL, needed, held, region, of_library, caller, caller_client, everywhere, froms, tos, ranks, libraries);
