-- Rules of programmes and phases, and their lists (organizations, targets, published figures), which a write replaces whole.

CREATE OR REPLACE FUNCTION program_rules() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.legal_basis := coalesce(NEW.legal_basis, '[]');
    NEW.sdgs := coalesce(NEW.sdgs, '[]');
    PERFORM period_require(NEW.started_on, NEW.ended_on);
    IF TG_OP = 'UPDATE' AND NEW.slug <> OLD.slug THEN
        RAISE EXCEPTION 'the slug of program % never changes', OLD.slug
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'program_slug_fixed';
    END IF;
    RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER a_rules BEFORE INSERT OR UPDATE ON program
    FOR EACH ROW EXECUTE FUNCTION program_rules();
CREATE OR REPLACE TRIGGER b_touch BEFORE UPDATE ON program
    FOR EACH ROW EXECUTE FUNCTION touch();
CREATE OR REPLACE TRIGGER keep BEFORE DELETE OR TRUNCATE ON program
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_removal();

CREATE OR REPLACE FUNCTION phase_rules() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.funding_sources := coalesce(NEW.funding_sources, '[]');
    NEW.status := coalesce(NEW.status, 'planned');
    PERFORM period_require(NEW.starts_on, NEW.ends_on);
    IF TG_OP = 'UPDATE' AND (NEW.id, NEW.program_slug) <> (OLD.id, OLD.program_slug) THEN
        RAISE EXCEPTION 'the slug and the program of phase % never change', OLD.id
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'phase_id_fixed';
    END IF;
    RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER a_rules BEFORE INSERT OR UPDATE ON phase
    FOR EACH ROW EXECUTE FUNCTION phase_rules();
CREATE OR REPLACE TRIGGER b_touch BEFORE UPDATE ON phase
    FOR EACH ROW EXECUTE FUNCTION touch();
CREATE OR REPLACE TRIGGER keep BEFORE DELETE OR TRUNCATE ON phase
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_removal();

-- BEFORE any change of such a list: its owner's row is the lock, and gets a new version, so that its ETag moves.
CREATE OR REPLACE FUNCTION program_part_follow() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    part record := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
BEGIN
    IF TG_TABLE_NAME = 'program_organization' THEN
        PERFORM program_bump(part.program_slug);
    ELSIF part.phase_id IS NOT NULL THEN
        PERFORM phase_bump(part.phase_id);
    ELSE
        PERFORM program_bump(part.program_slug);
    END IF;
    RETURN part;
END
$$;

CREATE OR REPLACE FUNCTION published_figure_rules() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.phase_id IS NOT NULL THEN
        NEW.program_slug := (SELECT p.program_slug FROM phase p WHERE p.id = NEW.phase_id);
    END IF;
    PERFORM region_require(NEW.region_code);
    PERFORM date_require_past(NEW.as_of);
    RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER a_rules BEFORE INSERT OR UPDATE ON published_figure
    FOR EACH ROW EXECUTE FUNCTION published_figure_rules();

-- The lists of a program and of a phase, as they stand in answers.
CREATE OR REPLACE FUNCTION program_organizations(wanted text) RETURNS jsonb
LANGUAGE sql STABLE
RETURN (SELECT coalesce(jsonb_agg(jsonb_build_object('organization_id', o.id, 'name', o.name, 'role', m.role)
                                  ORDER BY m.role, o.name, o.id), '[]')
        FROM program_organization m JOIN organization o ON o.id = m.organization_id WHERE m.program_slug = wanted);

CREATE OR REPLACE FUNCTION published_figure_json(f published_figure) RETURNS jsonb
LANGUAGE sql STABLE
RETURN jsonb_build_object('measure', f.measure, 'value', f.value, 'unit', f.unit, 'scope', f.scope,
    'region_code', f.region_code, 'as_of', f.as_of, 'as_of_precision', f.as_of_precision, 'source', f.source, 'note', f.note);

CREATE OR REPLACE FUNCTION program_figures(wanted text) RETURNS jsonb
LANGUAGE sql STABLE
RETURN (SELECT coalesce(jsonb_agg(published_figure_json(f) ORDER BY f.measure, f.as_of, f.number), '[]')
        FROM published_figure f WHERE f.program_slug = wanted AND f.phase_id IS NULL);

CREATE OR REPLACE FUNCTION phase_figures(wanted text) RETURNS jsonb
LANGUAGE sql STABLE
RETURN (SELECT coalesce(jsonb_agg(published_figure_json(f) ORDER BY f.measure, f.as_of, f.number), '[]')
        FROM published_figure f WHERE f.phase_id = wanted);

CREATE OR REPLACE FUNCTION phase_targets(wanted text) RETURNS jsonb
LANGUAGE sql STABLE
RETURN (SELECT coalesce(jsonb_agg(jsonb_build_object('measure', t.measure, 'value', t.value, 'note', t.note)
                                  ORDER BY t.measure), '[]')
        FROM phase_target t WHERE t.phase_id = wanted);

-- Replace a list whole; one that is the same already stays untouched, and so does its owner's version.
CREATE OR REPLACE FUNCTION program_organizations_set(wanted text, members jsonb) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM program_organization m WHERE m.program_slug = wanted
        AND NOT EXISTS (SELECT FROM jsonb_to_recordset(members) AS n (organization_id uuid, role text)
                        WHERE (n.organization_id, n.role) = (m.organization_id, m.role));
    INSERT INTO program_organization (program_slug, organization_id, role)
    SELECT wanted, n.organization_id, n.role FROM jsonb_to_recordset(members) AS n (organization_id uuid, role text)
    WHERE NOT EXISTS (SELECT FROM program_organization m
                      WHERE m.program_slug = wanted AND (n.organization_id, n.role) = (m.organization_id, m.role));
END
$$;

CREATE OR REPLACE FUNCTION phase_targets_set(wanted text, targets jsonb) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM phase_target t WHERE t.phase_id = wanted
        AND NOT EXISTS (SELECT FROM jsonb_to_recordset(targets) AS n (measure text, value double precision, note text)
                        WHERE (n.measure, n.value, n.note) IS NOT DISTINCT FROM (t.measure, t.value, t.note));
    INSERT INTO phase_target (phase_id, measure, value, note)
    SELECT wanted, n.measure, n.value, n.note
    FROM jsonb_to_recordset(targets) AS n (measure text, value double precision, note text)
    WHERE NOT EXISTS (SELECT FROM phase_target t WHERE t.phase_id = wanted
                        AND (n.measure, n.value, n.note) IS NOT DISTINCT FROM (t.measure, t.value, t.note));
END
$$;

CREATE OR REPLACE FUNCTION published_figures_set(wanted_program text, wanted_phase text, figures jsonb) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF figures = (CASE WHEN wanted_phase IS NULL THEN program_figures(wanted_program) ELSE phase_figures(wanted_phase) END) THEN
        RETURN;
    END IF;
    DELETE FROM published_figure f
    WHERE CASE WHEN wanted_phase IS NULL THEN f.program_slug = wanted_program AND f.phase_id IS NULL
               ELSE f.phase_id = wanted_phase END;
    INSERT INTO published_figure (program_slug, phase_id, measure, value, unit, scope, region_code, as_of,
                                  as_of_precision, source, note)
    SELECT wanted_program, wanted_phase, n.measure, n.value, n.unit, n.scope, n.region_code, n.as_of, n.as_of_precision,
           n.source, n.note
    FROM jsonb_to_recordset(figures) AS n (measure text, value double precision, unit text, scope text, region_code text,
                                           as_of date, as_of_precision text, source text, note text);
END
$$;

-- A new version of the owner. touch() makes one of a real change only, so the version itself is what changes here.
CREATE OR REPLACE FUNCTION program_bump(wanted text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE program SET parts_version = parts_version + 1 WHERE slug = wanted;
$$;
CREATE OR REPLACE FUNCTION phase_bump(wanted text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE phase SET parts_version = parts_version + 1 WHERE id = wanted;
$$;
CREATE OR REPLACE TRIGGER follow BEFORE INSERT OR UPDATE OR DELETE ON program_organization
    FOR EACH ROW EXECUTE FUNCTION program_part_follow();
CREATE OR REPLACE TRIGGER follow BEFORE INSERT OR UPDATE OR DELETE ON phase_target
    FOR EACH ROW EXECUTE FUNCTION program_part_follow();
CREATE OR REPLACE TRIGGER follow BEFORE INSERT OR UPDATE OR DELETE ON published_figure
    FOR EACH ROW EXECUTE FUNCTION program_part_follow();

-- As the version before calls it.
CREATE OR REPLACE FUNCTION gate_nation(reach_from text[], reach_to text[], reach_rank bigint[]) RETURNS boolean
LANGUAGE sql
RETURN gate_nation();

CREATE OR REPLACE FUNCTION gate_program(wanted text, if_match bigint[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    found_version bigint;
BEGIN
    SELECT p.row_version INTO found_version FROM program p WHERE p.slug = wanted FOR NO KEY UPDATE;
    RETURN gate_version(found_version, if_match);
END
$$;

CREATE OR REPLACE FUNCTION gate_phase(wanted text, if_match bigint[]) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    found_version bigint;
BEGIN
    SELECT p.row_version INTO found_version FROM phase p WHERE p.id = wanted FOR NO KEY UPDATE;
    RETURN gate_version(found_version, if_match);
END
$$;
