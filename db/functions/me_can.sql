-- May the caller do an operation, and there? Explains what the gates would say; it opens none. Never to be broken: the place is judged by the
-- functions that the gates ask (in_reach, team_in_reach), with the ranks that they use.

-- Which rule of places an operation has; NULL: none, its scope decides alone.
CREATE OR REPLACE FUNCTION operation_place_rule(operation text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN operation IN ('create_library', 'delete_library', 'move_library') THEN 'library'
    WHEN operation IN ('update_library', 'get_library_contact', 'put_identifier', 'delete_identifier', 'create_participation',
        'update_participation', 'create_participation_plan', 'update_participation_plan', 'delete_participation_plan') THEN 'own_library'
    WHEN operation IN ('create_organization', 'update_organization', 'create_training', 'update_training', 'create_person', 'update_person',
        'delete_person') THEN 'area'
    WHEN operation IN ('create_visit', 'update_visit') THEN 'visit'
    WHEN operation IN ('create_replication', 'update_replication') THEN 'village'
    WHEN operation IN ('create_team_meeting', 'update_team_meeting', 'create_team_task', 'update_team_task') THEN 'team_work'
    WHEN operation IN ('create_team', 'update_team', 'create_team_member', 'update_team_member') THEN 'team'
    WHEN operation IN ('create_team_decree', 'update_team_decree', 'create_team_funding', 'update_team_funding') THEN 'team_basis'
    WHEN operation IN ('list_assignments', 'get_assignment') THEN 'inside'
END;

CREATE OR REPLACE FUNCTION me_can_place(rule text, region text, of_library uuid, place text, rank integer, froms text[], tos text[], ranks bigint[],
    libraries uuid[]) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$ -- team_in_reach is made later
BEGIN
    RETURN CASE rule
        WHEN 'library' THEN in_reach(place, rank, froms, tos, ranks)
        WHEN 'own_library' THEN in_reach(place, rank, froms, tos, ranks) OR coalesce(of_library = ANY (libraries), false)
        WHEN 'area' THEN in_reach(place, 6, froms, tos, ranks)
        WHEN 'visit' THEN in_reach(place, rank, froms, tos, ranks) -- or as the work of the province's or the kabupaten's team
            OR EXISTS (SELECT FROM team t WHERE t.region_code IN (left(region, 2), left(region, 5))
                       AND team_in_reach(t.region_code, 'work', froms, tos, ranks))
        WHEN 'village' THEN in_reach(place, 5, froms, tos, ranks)
        WHEN 'inside' THEN in_reach(place, 7, froms, tos, ranks)
        WHEN 'team' THEN team_in_reach(region, 'team', froms, tos, ranks)
        WHEN 'team_work' THEN team_in_reach(region, 'work', froms, tos, ranks)
        WHEN 'team_basis' THEN team_in_reach(region, 'basis', froms, tos, ranks) END;
END
$$;

-- `needed`: the alternatives of its security, each its scopes with blanks between; `held`: the token has one of them.
CREATE OR REPLACE FUNCTION me_can(operation text, needed text[], held boolean, region text, of_library uuid, caller text, caller_client text,
    everywhere boolean, froms text[], tos text[], ranks bigint[], libraries uuid[]) RETURNS json
LANGUAGE plpgsql STABLE AS $$
DECLARE
    rule text := operation_place_rule(operation);
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
        WHEN spot IS NOT NULL AND rule IS NOT NULL AND NOT everywhere
             AND NOT me_can_place(rule, region, of_library, spot, rank, froms, tos, ranks, libraries) THEN 'out_of_reach' END);
    RETURN json_build_object('operation', operation, 'allowed', why IS NULL, 'reason', why,
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
