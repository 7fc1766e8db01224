-- What a transition of a replication asks for. replication_missing() is asked by the trigger that lets a status change and
-- by the list of transitions that an answer shows, so that neither knows a rule that the other does not.

-- The states that may follow a state.
CREATE OR REPLACE FUNCTION replication_next(status text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE status WHEN 'proposed' THEN '{committed,rejected,cancelled}' WHEN 'committed' THEN '{approved,rejected,cancelled}'
                   WHEN 'approved' THEN '{training,cancelled}' WHEN 'training' THEN '{mentoring,cancelled}'
                   WHEN 'mentoring' THEN '{active,cancelled}' WHEN 'active' THEN '{independent,lapsed}'
                   WHEN 'independent' THEN '{lapsed}' WHEN 'lapsed' THEN '{mentoring}' ELSE '{}' END::text[];

CREATE OR REPLACE FUNCTION replication_policy_on(kind text, day date) RETURNS replication_policy
LANGUAGE sql STABLE
RETURN (SELECT p FROM replication_policy p WHERE p.replicator_kind = kind AND p.period @> day);

-- The library that the replication is for: the one it names, else the village's, when there is exactly one open.
CREATE OR REPLACE FUNCTION replication_library(r replication) RETURNS uuid
LANGUAGE sql STABLE
RETURN coalesce(r.library_id, (SELECT CASE WHEN count(*) = 1 THEN min(l.id::text)::uuid END FROM library l
                               WHERE l.place = r.village_code AND l.kind = 'village' AND l.status <> 'closed'));

-- The certified facilitators of the village's kabupaten/kota and of its province, and all master trainers.
CREATE OR REPLACE FUNCTION replication_facilitators_on(village text, day date)
RETURNS TABLE (person_id uuid, participant_id uuid, certified_on date)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY SELECT f.person_id, f.participant_id, f.certified_on FROM facilitators_on(day) f
    WHERE f.role = 'master_trainer' OR f.place = left(village, 2)
       OR f.place >= left(village, 5) AND f.place < left(village, 5) || '/';
END
$$;

-- The trainings in which managers of the library took part until that day.
CREATE OR REPLACE FUNCTION replication_managers_on(wanted uuid, day date) RETURNS TABLE (participant_id uuid, training_id uuid)
LANGUAGE sql STABLE AS $$
    SELECT m.id, m.training_id FROM training_participant m JOIN training t ON t.id = m.training_id
    WHERE m.library_id = wanted AND m.role = 'pengelola' AND m.attended AND coalesce(t.starts_on, '-infinity') <= day
    ORDER BY m.id
$$;

-- What the library that becomes active lacks.
CREATE OR REPLACE FUNCTION replication_missing_active(r replication, on_day date)
RETURNS TABLE (code text, arguments jsonb)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    wanted uuid := replication_library(r);
    l library;
    p participation;
BEGIN
    arguments := jsonb_build_object('village', r.village_code, 'library', '', 'phase', coalesce(r.phase_id, ''));
    SELECT * INTO l FROM library WHERE id = wanted;
    IF r.phase_id IS NULL THEN
        code := 'replication_phase_missing';
        RETURN NEXT;
    END IF;
    IF wanted IS NULL THEN
        code := 'replication_library_missing';
        RETURN NEXT;
        RETURN;
    END IF;
    arguments := arguments || jsonb_build_object('library', l.name);
    IF l.status = 'closed' THEN
        code := 'library_closed';
        RETURN NEXT;
    END IF;
    IF NOT EXISTS (SELECT FROM replication_managers_on(wanted, on_day)) THEN
        code := 'replication_manager_missing';
        RETURN NEXT;
    END IF;
    SELECT * INTO p FROM participation WHERE phase_id = r.phase_id AND library_id = wanted;
    IF p.status = 'withdrawn' THEN
        code := 'participation_withdrawn';
        RETURN NEXT;
    ELSIF p.id IS NULL AND EXISTS (SELECT FROM phase ph WHERE ph.id = r.phase_id AND ph.status = 'closed') THEN
        code := 'phase_closed';
        RETURN NEXT;
    END IF;
END
$$;

-- Everything that stands between the replication, as it is, and that state on that day. No row: it may be done.
CREATE OR REPLACE FUNCTION replication_missing(r replication, to_status text, on_day date)
RETURNS TABLE (code text, arguments jsonb)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    arguments := '{}';
    IF NOT to_status = ANY (replication_next(r.status)) THEN
        code := 'replication_transition';
        arguments := jsonb_build_object('from', r.status, 'to', to_status,
            'allowed', coalesce(nullif(array_to_string(replication_next(r.status), ', '), ''), '-'));
        RETURN NEXT;
        RETURN;
    END IF;
    IF on_day > today() THEN
        code := 'date_in_future';
        arguments := jsonb_build_object('on', on_day::text);
        RETURN NEXT;
    ELSIF on_day < r.status_on THEN
        code := 'date_before_previous';
        arguments := jsonb_build_object('on', on_day::text, 'previous', r.status_on::text);
        RETURN NEXT;
    END IF;
    IF to_status = 'committed' THEN
        IF num_nulls(r.commitment_kind, r.commitment_number, r.commitment_signed_on) > 0 THEN
            code := 'replication_commitment_missing';
            RETURN NEXT;
        ELSIF r.commitment_signed_on > on_day THEN
            code := 'replication_commitment_late';
            arguments := jsonb_build_object('signed_on', r.commitment_signed_on::text, 'on', on_day::text);
            RETURN NEXT;
        END IF;
    ELSIF to_status = 'training' THEN
        IF NOT EXISTS (SELECT FROM replication_facilitators_on(r.village_code, on_day)) THEN
            code := 'replication_facilitator_missing';
            arguments := jsonb_build_object('on', on_day::text, 'regency', coalesce(
                (SELECT g.name FROM region g WHERE g.code = left(r.village_code, 5)), left(r.village_code, 5)));
            RETURN NEXT;
        END IF;
    ELSIF to_status = 'active' THEN
        RETURN QUERY SELECT m.code, m.arguments FROM replication_missing_active(r, on_day) m;
    ELSIF to_status = 'mentoring' AND r.status = 'lapsed' THEN
        IF EXISTS (SELECT FROM replication o WHERE (o.program_slug, o.target) = (r.program_slug, r.target)
                     AND o.live AND o.id <> r.id) THEN
            code := 'village_already_replicated';
            RETURN NEXT;
        END IF;
    END IF;
END
$$;

-- What the caller lacks for it. Approving and rejecting are done above the replicator (replications:approve), as the
-- policy of the day says; all else by those who write in the village (replications:write), approving too where the policy
-- frees it. `limited`: the caller's reach is the given ranges, not the nation.
CREATE OR REPLACE FUNCTION replication_authority(r replication, to_status text, on_day date, scopes text[], limited boolean,
    reach_from text[], reach_to text[], reach_rank bigint[]) RETURNS TABLE (code text, arguments jsonb)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    replicator record;
    policy replication_policy;
    approves boolean;
    writes boolean := 'replications:write' = ANY (scopes)
        AND (limited IS NOT TRUE OR in_reach(r.village_code, 5, reach_from, reach_to, reach_rank));
BEGIN
    IF to_status IN ('approved', 'rejected') THEN
        SELECT l.kind, l.place INTO replicator FROM library l WHERE l.id = r.replicator_id;
        policy := replication_policy_on(replicator.kind, on_day);
        approves := 'replications:approve' = ANY (scopes)
            AND (limited IS NOT TRUE OR in_reach(replicator.place, CASE policy.approver WHEN 'provincial' THEN 3 ELSE 1 END,
                                                 reach_from, reach_to, reach_rank));
        IF approves OR to_status = 'approved' AND writes AND r.self_funded AND policy.self_funded_freed THEN
            RETURN;
        END IF;
        code := CASE policy.approver WHEN 'provincial' THEN 'replication_needs_province' ELSE 'replication_needs_nation' END;
        arguments := '{}';
        RETURN NEXT;
    ELSIF NOT 'replications:write' = ANY (coalesce(scopes, '{}')) THEN
        code := 'insufficient_scope';
        arguments := '{"reason": "scope_one", "scope": "replications:write"}';
        RETURN NEXT;
    ELSIF NOT writes THEN
        code := 'out_of_reach';
        arguments := jsonb_build_object('what', r.village_code);
        RETURN NEXT;
    END IF;
END
$$;

-- What may follow today, and for each transition that is refused to this caller, why.
CREATE OR REPLACE FUNCTION replication_transitions(r replication, language text, scopes text[], limited boolean,
    reach_from text[], reach_to text[], reach_rank bigint[]) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('to', t.to_status, 'allowed', m.missing IS NULL,
                                                 'missing', coalesce(m.missing, '[]')) ORDER BY t.place), '[]')
    FROM unnest(replication_next(r.status)) WITH ORDINALITY AS t (to_status, place)
    CROSS JOIN LATERAL (
        SELECT jsonb_agg(jsonb_build_object('code', x.code, 'detail', problem_detail(x.code, x.arguments, language))) AS missing
        FROM (SELECT a.code, a.arguments
              FROM replication_authority(r, t.to_status, today(), scopes, limited, reach_from, reach_to, reach_rank) a
              UNION ALL SELECT n.code, n.arguments FROM replication_missing(r, t.to_status, today()) n) x) m
$$;

-- What proved a transition, as it was on that day: kept with the history.
CREATE OR REPLACE FUNCTION replication_evidence(r replication, on_day date) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    policy replication_policy;
BEGIN
    CASE r.status
    WHEN 'committed' THEN
        RETURN jsonb_build_object('commitment', jsonb_build_object('kind', r.commitment_kind, 'number', r.commitment_number,
                                                                   'signed_on', r.commitment_signed_on));
    WHEN 'approved' THEN
        policy := replication_policy_on((SELECT l.kind FROM library l WHERE l.id = r.replicator_id), on_day);
        RETURN jsonb_build_object('approver', policy.approver, 'policy_id', policy.id,
                                  'freed', r.self_funded AND policy.self_funded_freed);
    WHEN 'training' THEN
        RETURN jsonb_build_object('facilitators', (
            SELECT coalesce(jsonb_agg(jsonb_build_object('person_id', f.person_id, 'certified_on', f.certified_on)), '[]')
            FROM (SELECT f.person_id, f.certified_on FROM replication_facilitators_on(r.village_code, on_day) f
                  ORDER BY EXISTS (SELECT FROM replication_facilitator a WHERE (a.replication_id, a.person_id) = (r.id, f.person_id)) DESC,
                           f.person_id LIMIT 10) f));
    WHEN 'active' THEN
        RETURN jsonb_build_object('library_id', r.library_id, 'participation_id', r.participation_id, 'training_ids', (
            SELECT coalesce(jsonb_agg(DISTINCT m.training_id), '[]') FROM replication_managers_on(r.library_id, on_day) m));
    ELSE
        RETURN '{}';
    END CASE;
END
$$;

-- What a record of the past at that state lacks, of all that leads there.
CREATE OR REPLACE FUNCTION replication_undocumented(r replication) RETURNS jsonb
LANGUAGE sql STABLE
RETURN (SELECT coalesce(jsonb_agg(t.what ORDER BY t.place), '[]')
        FROM (VALUES (1, 'commitment', 1, num_nulls(r.commitment_kind, r.commitment_number, r.commitment_signed_on) > 0),
                     (2, 'approval', 2, true),
                     (3, 'facilitator', 3, r.status_on IS NULL OR NOT EXISTS (
                         SELECT FROM replication_facilitators_on(r.village_code, r.status_on))),
                     (4, 'library', 5, r.library_id IS NULL),
                     (5, 'manager', 5, r.status_on IS NULL OR NOT EXISTS (
                         SELECT FROM replication_managers_on(r.library_id, r.status_on))),
                     (6, 'participation', 5, r.participation_id IS NULL)) t (place, what, step, lacks)
        WHERE t.lacks AND t.step <= CASE r.status WHEN 'committed' THEN 1 WHEN 'approved' THEN 2 WHEN 'training' THEN 3
                                                  WHEN 'mentoring' THEN 4 WHEN 'active' THEN 5 WHEN 'independent' THEN 5
                                                  WHEN 'lapsed' THEN 5 ELSE 0 END);

-- A transition to the state that is: as impossible as any other that does not follow it.
CREATE OR REPLACE FUNCTION refuse_replication_stay(status text) RETURNS boolean
LANGUAGE sql VOLATILE
RETURN refuse('replication_transition', jsonb_build_object('from', status, 'to', status,
    'allowed', coalesce(nullif(array_to_string(replication_next(status), ', '), ''), '-')));
