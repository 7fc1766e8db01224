-- Rules of visits: not in the future; the team's region contains the library, and the team is there that day; the replication
-- is the library's.

CREATE OR REPLACE FUNCTION visit_rules() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    l library;
    t team;
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.id, NEW.library_id) <> (OLD.id, OLD.library_id) THEN
        RAISE EXCEPTION 'visit % is of one library', OLD.id
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'visit_fixed';
    END IF;
    NEW.visited_on := coalesce(NEW.visited_on, today());
    PERFORM date_require_past(greatest(NEW.visited_on, NEW.follow_up_done_on));
    PERFORM period_require(NEW.visited_on, NEW.follow_up_done_on);
    SELECT * INTO l FROM library WHERE id = NEW.library_id;
    IF NEW.team_id IS NOT NULL AND (TG_OP = 'INSERT'
            OR (NEW.team_id, NEW.visited_on) IS DISTINCT FROM (OLD.team_id, OLD.visited_on)) THEN
        SELECT * INTO t FROM team WHERE id = NEW.team_id FOR SHARE;
        IF t.id IS NOT NULL AND NOT region_contains(t.region_code, l.region_code) THEN
            PERFORM refuse('visit_team_elsewhere', jsonb_build_object('region', t.region_code));
        ELSIF t.id IS NOT NULL THEN
            PERFORM team_require_live(t, NEW.visited_on);
        END IF;
    END IF;
    IF NEW.replication_id IS NOT NULL AND EXISTS (SELECT FROM replication r WHERE r.id = NEW.replication_id
            AND NEW.library_id IS DISTINCT FROM replication_library(r)) THEN
        PERFORM refuse('visit_replication_mismatch');
    END IF;
    IF NEW.person_id IS NOT NULL AND (TG_OP = 'INSERT' OR NEW.person_id IS DISTINCT FROM OLD.person_id)
       AND EXISTS (SELECT FROM person p WHERE p.id = NEW.person_id AND p.erased_at IS NOT NULL) THEN
        PERFORM refuse('reference_unknown');
    END IF;
    RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER a_rules BEFORE INSERT OR UPDATE ON visit
    FOR EACH ROW EXECUTE FUNCTION visit_rules();
CREATE OR REPLACE TRIGGER b_touch BEFORE UPDATE ON visit
    FOR EACH ROW EXECUTE FUNCTION touch();
CREATE OR REPLACE TRIGGER keep BEFORE DELETE OR TRUNCATE ON visit
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_removal();

-- May a visit to that library be written: by those who write the library, and as its team's work by the team.
CREATE OR REPLACE FUNCTION gate_visit_place(wanted uuid, by_team uuid, reach_from text[], reach_to text[], reach_rank bigint[])
RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    l record;
BEGIN
    SELECT place, kind, name INTO l FROM library WHERE id = wanted;
    IF NOT FOUND THEN
        PERFORM refuse('reference_unknown');
    ELSIF NOT place_visit(l.place, library_rank(l.kind), (SELECT t.region_code FROM team t WHERE t.id = by_team),
                          reach_from, reach_to, reach_rank) THEN
        PERFORM refuse('out_of_reach', jsonb_build_object('what', l.name));
    END IF;
    RETURN true;
END
$$;

CREATE OR REPLACE FUNCTION gate_visit(wanted uuid, if_match bigint[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    found_version bigint;
BEGIN
    SELECT v.row_version INTO found_version FROM visit v WHERE v.id = wanted FOR NO KEY UPDATE;
    RETURN gate_version(found_version, if_match);
END
$$;

CREATE OR REPLACE FUNCTION gate_visit(wanted uuid, if_match bigint[], reach_from text[], reach_to text[], reach_rank bigint[])
RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v record;
BEGIN
    SELECT library_id, team_id INTO v FROM visit WHERE id = wanted FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        PERFORM refuse('not_found');
    END IF;
    PERFORM gate_visit_place(v.library_id, v.team_id, reach_from, reach_to, reach_rank);
    RETURN gate_visit(wanted, if_match);
END
$$;
