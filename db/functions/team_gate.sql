-- Gates of writes to Tim Sinergi: each locks the team's row, then refuses what is unknown, outside the caller's reach, or
-- changed meanwhile, in this order.

-- Of a caller whose reach is the nation.
CREATE OR REPLACE FUNCTION gate_team(wanted uuid, if_match bigint[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    found_version bigint;
BEGIN
    SELECT t.row_version INTO found_version FROM team t WHERE t.id = wanted FOR NO KEY UPDATE;
    RETURN gate_version(found_version, if_match);
END
$$;

-- Of a caller whose reach is regions.
CREATE OR REPLACE FUNCTION gate_team(wanted uuid, if_match bigint[], part text, reach_from text[], reach_to text[],
    reach_rank bigint[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    t record;
BEGIN
    SELECT region_code, name INTO t FROM team WHERE id = wanted FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        PERFORM refuse('not_found');
    ELSIF NOT (CASE part WHEN 'work' THEN place_team_work(t.region_code, reach_from, reach_to, reach_rank)
                        WHEN 'team' THEN place_team(t.region_code, reach_from, reach_to, reach_rank)
                        ELSE place_team_basis(t.region_code, reach_from, reach_to, reach_rank) END) THEN
        PERFORM refuse('out_of_reach', jsonb_build_object('what', t.name));
    END IF;
    RETURN gate_team(wanted, if_match);
END
$$;

-- May a team of that region be made?
CREATE OR REPLACE FUNCTION gate_team_place(region_code text, reach_from text[], reach_to text[], reach_rank bigint[])
RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT place_team(region_code, reach_from, reach_to, reach_rank) THEN
        PERFORM refuse('out_of_reach', jsonb_build_object('what', region_code));
    END IF;
    RETURN true;
END
$$;

-- A row below the team, when the team's own gate has been passed.
CREATE OR REPLACE FUNCTION gate_team_row(kind text, wanted uuid, of_team uuid, if_match bigint[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    found_version bigint;
BEGIN
    CASE kind
    WHEN 'member' THEN
        SELECT r.row_version INTO found_version FROM team_member r WHERE r.id = wanted AND r.team_id = of_team FOR NO KEY UPDATE;
    WHEN 'decree' THEN
        SELECT r.row_version INTO found_version FROM team_decree r WHERE r.id = wanted AND r.team_id = of_team FOR NO KEY UPDATE;
    WHEN 'meeting' THEN
        SELECT r.row_version INTO found_version FROM team_meeting r WHERE r.id = wanted AND r.team_id = of_team FOR NO KEY UPDATE;
    WHEN 'work_plan' THEN
        SELECT r.row_version INTO found_version FROM team_work_plan r WHERE r.id = wanted AND r.team_id = of_team FOR NO KEY UPDATE;
    WHEN 'funding' THEN
        SELECT r.row_version INTO found_version FROM team_funding r WHERE r.id = wanted AND r.team_id = of_team FOR NO KEY UPDATE;
    END CASE;
    RETURN gate_version(found_version, if_match);
END
$$;

-- Records of the past are the nation's, their later corrections too.
CREATE OR REPLACE FUNCTION gate_team_past(wanted uuid) RETURNS boolean
LANGUAGE sql
RETURN gate_origin((SELECT t.origin FROM team t WHERE t.id = wanted));

-- So is a date that is not known to the day.
CREATE OR REPLACE FUNCTION gate_precision(given text) RETURNS boolean
LANGUAGE sql
RETURN gate_origin(CASE WHEN given <> 'day' THEN 'historical' END);

-- Of a caller with a limited reach: the membership, or where the person works, shows the contact (person_contact_in_reach).
CREATE OR REPLACE FUNCTION gate_member_contact_reach(wanted uuid, owner uuid, reach_from text[], reach_to text[], reach_rank bigint[],
    reach_libraries uuid[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    m record;
BEGIN
    SELECT o.person_id, o.person_vouched, p.name INTO m FROM team_member o JOIN person p ON p.id = o.person_id
    WHERE o.id = wanted AND o.team_id = owner;
    IF FOUND AND NOT (m.person_vouched OR person_in_reach(m.person_id, reach_from, reach_to, reach_rank, reach_libraries)) THEN
        PERFORM refuse('out_of_reach', jsonb_build_object('what', m.name));
    END IF;
    RETURN true;
END
$$;

-- The contact of a member: the read is on record as one of the person's contact, and of somebody whose data are restricted there
-- is none.
CREATE OR REPLACE FUNCTION gate_member_contact(wanted uuid, owner uuid) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    who uuid := (SELECT m.person_id FROM team_member m WHERE m.id = wanted AND m.team_id = owner);
BEGIN
    IF who IS NULL THEN
        PERFORM refuse('not_found');
    END IF;
    RETURN person_restricted_refuse(who) AND audit_read('person_contact', who);
END
$$;
