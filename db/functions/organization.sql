-- Rules of organizations and people. A person's name is published by what the person does (acts_in_team, facilitates), never
-- by whoever writes the row; erasing a person leaves the row (personal_data_erase.sql).

-- A region that is named must be there and in force today.
CREATE OR REPLACE FUNCTION region_require(code text) RETURNS void
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF code IS NOT NULL AND NOT EXISTS (SELECT FROM region r WHERE r.code = region_require.code
                                          AND coalesce(r.valid_from <= today(), true)
                                          AND coalesce(r.valid_to >= today(), true)) THEN
        PERFORM refuse('region_unknown', jsonb_build_object('code', code, 'on', today()::text));
    END IF;
END
$$;

-- A period in its order; `today` is the last day it may reach, NULL: none.
CREATE OR REPLACE FUNCTION period_require(starts_on date, ends_on date) RETURNS void
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF starts_on > ends_on THEN
        PERFORM refuse('period_reversed', jsonb_build_object('starts_on', starts_on::text, 'ends_on', ends_on::text));
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION date_require_past(day date) RETURNS void
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF day > today() THEN
        PERFORM refuse('date_in_future', jsonb_build_object('on', day::text));
    END IF;
END
$$;

-- May something that is no library be written in that region (NULL or '': the nation)?
CREATE OR REPLACE FUNCTION gate_area(area text, what text, reach_from text[], reach_to text[], reach_rank bigint[])
RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT place_area(coalesce(area, ''), reach_from, reach_to, reach_rank) THEN
        PERFORM refuse('out_of_reach', jsonb_build_object('what', coalesce(what, nullif(area, ''), 'Indonesia')));
    END IF;
    RETURN true;
END
$$;

-- The common end of gates: the row was locked; is it there, is it the version the caller read?
CREATE OR REPLACE FUNCTION gate_version(found_version bigint, if_match bigint[]) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    IF found_version IS NULL THEN
        PERFORM refuse('not_found');
    ELSIF NOT found_version = ANY (if_match) THEN -- NULL, no condition, passes
        PERFORM refuse('precondition_failed');
    END IF;
    RETURN true;
END
$$;

-- Records of the past are the nation's.
CREATE OR REPLACE FUNCTION gate_origin(origin text) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    IF origin = 'historical' THEN
        PERFORM refuse('historical_needs_nation');
    END IF;
    RETURN true;
END
$$;

-- ---- organizations ---------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION organization_rules() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' OR NEW.region_code IS DISTINCT FROM OLD.region_code THEN
        PERFORM region_require(NEW.region_code);
    END IF;
    RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER a_rules BEFORE INSERT OR UPDATE ON organization
    FOR EACH ROW EXECUTE FUNCTION organization_rules();
CREATE OR REPLACE TRIGGER b_touch BEFORE UPDATE ON organization
    FOR EACH ROW EXECUTE FUNCTION touch('place');
CREATE OR REPLACE TRIGGER keep BEFORE DELETE OR TRUNCATE ON organization
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_removal();
CREATE OR REPLACE TRIGGER b_touch BEFORE UPDATE ON organization_contact
    FOR EACH ROW EXECUTE FUNCTION touch();

CREATE OR REPLACE FUNCTION gate_organization(wanted uuid, if_match bigint[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    found_version bigint;
BEGIN
    SELECT o.row_version INTO found_version FROM organization o WHERE o.id = wanted FOR NO KEY UPDATE;
    RETURN gate_version(found_version, if_match);
END
$$;

CREATE OR REPLACE FUNCTION gate_organization(wanted uuid, if_match bigint[], reach_from text[], reach_to text[],
    reach_rank bigint[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    o record;
BEGIN
    SELECT place, name INTO o FROM organization WHERE id = wanted FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        PERFORM refuse('not_found');
    END IF;
    PERFORM gate_area(o.place, o.name, reach_from, reach_to, reach_rank);
    RETURN gate_organization(wanted, if_match);
END
$$;

-- ---- people ----------------------------------------------------------------------------------------------

-- Where a person works, unless told: where the library stands, else where the organization is.
CREATE OR REPLACE FUNCTION person_region(library_id uuid, organization_id uuid) RETURNS text
LANGUAGE sql STABLE
RETURN coalesce((SELECT l.region_code FROM library l WHERE l.id = library_id),
                (SELECT o.region_code FROM organization o WHERE o.id = organization_id));

CREATE OR REPLACE FUNCTION person_rules() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.erased_at IS NOT NULL
       AND (NEW.name, NEW.position) IS DISTINCT FROM (OLD.name, OLD.position) THEN
        PERFORM refuse('reference_unknown');
    END IF;
    IF NEW.region_code IS NULL THEN
        NEW.region_code := person_region(NEW.library_id, NEW.organization_id);
    END IF;
    IF NEW.erased_at IS NOT NULL THEN -- nothing of the person stays but that there was one, and where
        NEW.name := NULL;
        NEW.position := NULL;
        NEW.organization_id := NULL;
        NEW.library_id := NULL;
        NEW.restricted_at := NULL;
        NEW.restricted_until := NULL;
        NEW.retain_until := NULL;
    END IF;
    IF TG_OP = 'INSERT' OR NEW.region_code IS DISTINCT FROM OLD.region_code THEN
        PERFORM region_require(NEW.region_code);
    END IF;
    RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER a_rules BEFORE INSERT OR UPDATE ON person
    FOR EACH ROW EXECUTE FUNCTION person_rules();
CREATE OR REPLACE TRIGGER b_touch BEFORE UPDATE ON person
    FOR EACH ROW EXECUTE FUNCTION touch('place', 'published');
CREATE OR REPLACE TRIGGER keep BEFORE DELETE OR TRUNCATE ON person
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_removal();
CREATE OR REPLACE TRIGGER b_touch BEFORE UPDATE ON person_contact
    FOR EACH ROW EXECUTE FUNCTION touch();

-- BEFORE: a contact belongs to somebody who is there; the person's row is its lock. Until when it is kept may be said of one whose data are
-- restricted too: keeping them is what a restriction leaves.
CREATE OR REPLACE FUNCTION person_contact_rules() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM FROM person p WHERE p.id = NEW.person_id AND p.erased_at IS NULL FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        PERFORM refuse('reference_unknown');
    END IF;
    IF TG_OP = 'INSERT' OR to_jsonb(NEW) - 'retain_until' IS DISTINCT FROM to_jsonb(OLD) - 'retain_until' THEN
        PERFORM person_restricted_refuse(NEW.person_id);
    END IF;
    RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER a_rules BEFORE INSERT OR UPDATE ON person_contact
    FOR EACH ROW EXECUTE FUNCTION person_contact_rules();

-- An erased person is not there.
CREATE OR REPLACE FUNCTION gate_person(wanted uuid, if_match bigint[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    found_version bigint;
BEGIN
    SELECT p.row_version INTO found_version FROM person p WHERE p.id = wanted AND p.erased_at IS NULL
    FOR NO KEY UPDATE;
    RETURN gate_version(found_version, if_match);
END
$$;

-- Whoever may not know of an unpublished person is told that there is none.
CREATE OR REPLACE FUNCTION gate_person(wanted uuid, if_match bigint[], reach_from text[], reach_to text[],
    reach_rank bigint[], reach_libraries uuid[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    p record;
BEGIN
    SELECT place, name, published, library_id INTO p FROM person
    WHERE id = wanted AND erased_at IS NULL FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        PERFORM refuse('not_found');
    ELSIF NOT (place_area(p.place, reach_from, reach_to, reach_rank)
               OR p.library_id = ANY (coalesce(reach_libraries, '{}'))) IS TRUE THEN
        IF NOT p.published THEN
            PERFORM refuse('not_found');
        END IF;
        PERFORM refuse('out_of_reach', jsonb_build_object('what', p.name));
    END IF;
    RETURN gate_person(wanted, if_match);
END
$$;

-- Does the person work in the caller's region or library?
CREATE OR REPLACE FUNCTION person_in_reach(wanted uuid, reach_from text[], reach_to text[], reach_rank bigint[], reach_libraries uuid[])
RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM person p WHERE p.id = wanted
                 AND (in_reach(p.place, 6, reach_from, reach_to, reach_rank) OR p.library_id = ANY (reach_libraries)));

-- Whose contact may the caller read: of those who work in the region or the library, and of those who are today in a team
-- whose work is the caller's, where somebody put them there who could see the contact without it (team_member.person_vouched).
CREATE OR REPLACE FUNCTION person_contact_in_reach(wanted uuid, reach_from text[], reach_to text[], reach_rank bigint[],
    reach_libraries uuid[]) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN person_in_reach(wanted, reach_from, reach_to, reach_rank, reach_libraries)
        OR EXISTS (SELECT FROM team_member m JOIN team t ON t.id = m.team_id
                   WHERE m.person_id = wanted AND m.period @> today() AND m.person_vouched
                     AND team_in_reach(t.region_code, 'work', reach_from, reach_to, reach_rank));
END
$$;

CREATE OR REPLACE FUNCTION gate_person_contact(wanted uuid, reach_from text[], reach_to text[], reach_rank bigint[],
    reach_libraries uuid[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    p record;
BEGIN
    SELECT name, published INTO p FROM person WHERE id = wanted AND erased_at IS NULL FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        PERFORM refuse('not_found');
    ELSIF NOT person_contact_in_reach(wanted, reach_from, reach_to, reach_rank, reach_libraries) THEN
        IF NOT p.published THEN
            PERFORM refuse('not_found');
        END IF;
        PERFORM refuse('out_of_reach', jsonb_build_object('what', p.name));
    END IF;
    RETURN true;
END
$$;

-- A person to be: where the person will work. The region and the library are both the caller's to write.
CREATE OR REPLACE FUNCTION gate_person_place(region_code text, library_id uuid, organization_id uuid, reach_from text[],
    reach_to text[], reach_rank bigint[]) RETURNS boolean
LANGUAGE sql
RETURN gate_area(coalesce(region_code, person_region(library_id, organization_id)), NULL, reach_from, reach_to, reach_rank)
    AND (library_id IS NULL OR gate_area(person_region(library_id, NULL), NULL, reach_from, reach_to, reach_rank));
