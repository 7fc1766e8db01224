-- Programmes, phases, participations, replications and teams that public documents tell of, in a load of reference data.
-- Rule: everything goes into the tables themselves and through their rules, and each fact once: what somebody changed or
-- removed since is left alone. What the rules refuse is told, never forced.

-- The tables the files are copied to: the columns of a file, as its table has them. An organization and a target have no
-- source of their own, so it comes before the note; a replication's village is where its library stands.
CREATE OR REPLACE FUNCTION load_facts_stage() RETURNS void
LANGUAGE sql AS $$
    CREATE TEMPORARY TABLE staged_organization ON COMMIT DROP AS
        SELECT id, name, sector, region_code, NULL::text AS source, note FROM organization WITH NO DATA;
    CREATE TEMPORARY TABLE staged_program ON COMMIT DROP AS
        SELECT slug, name, description, started_on, started_on_precision, ended_on, ended_on_precision, legal_basis, sdgs, source,
               note FROM program WITH NO DATA;
    CREATE TEMPORARY TABLE staged_program_organization ON COMMIT DROP AS
        SELECT program_slug, organization_id, role, NULL::text AS source FROM program_organization WITH NO DATA;
    CREATE TEMPORARY TABLE staged_phase ON COMMIT DROP AS
        SELECT id, program_slug, name, starts_on, starts_on_precision, ends_on, ends_on_precision, status, funding_sources, source,
               note FROM phase WITH NO DATA;
    CREATE TEMPORARY TABLE staged_phase_target ON COMMIT DROP AS
        SELECT phase_id, measure, value, NULL::text AS source, note FROM phase_target WITH NO DATA;
    CREATE TEMPORARY TABLE staged_published_figure ON COMMIT DROP AS
        SELECT id, program_slug, phase_id, measure, value, unit, scope, as_of, as_of_precision, source, note
        FROM published_figure WITH NO DATA;
    CREATE TEMPORARY TABLE staged_participation ON COMMIT DROP AS
        SELECT id, phase_id, library_id, support, status, origin, source, note FROM participation WITH NO DATA;
    CREATE TEMPORARY TABLE staged_replication ON COMMIT DROP AS
        SELECT id, program_slug, phase_id, replicator_id, library_id, village_code, status, status_on, status_on_precision, origin,
               source, undocumented, note FROM replication WITH NO DATA;
    CREATE TEMPORARY TABLE staged_team ON COMMIT DROP AS
        SELECT id, name, region_code, formed_on, formed_on_precision, origin, source, undocumented, note FROM team WITH NO DATA;
    CREATE TEMPORARY TABLE staged_team_decree ON COMMIT DROP AS
        SELECT id, team_id, kind, issued_by, valid_from, origin, source, note FROM team_decree WITH NO DATA;
    CREATE TEMPORARY TABLE staged_team_member ON COMMIT DROP AS
        SELECT id, team_id, position, organization_id, role, starts_on, starts_on_precision, ends_on, ends_on_precision, replaces_id,
               decree_id, source, note FROM team_member WITH NO DATA;
    CREATE TEMPORARY TABLE staged_team_meeting ON COMMIT DROP AS
        SELECT id, team_id, kind, status, planned_for, planned_for_precision, region_code, agenda, origin, source
        FROM team_meeting WITH NO DATA;
    CREATE TEMPORARY TABLE staged_team_work_plan ON COMMIT DROP AS
        SELECT id, team_id, title, kind, status, source FROM team_work_plan WITH NO DATA;
$$;

-- Brings in the facts of one table that were never brought in and are not there; a line of each that is left out, then
-- one, without text, of how many there were.
CREATE OR REPLACE FUNCTION load_facts_kind(kind text, key_columns text[]) RETURNS TABLE (line text, loaded bigint)
LANGUAGE plpgsql AS $$
DECLARE
    staged text := 'staged_' || kind;
    key_expression text := (SELECT string_agg(format('s.%I::text', k), ' || '' '' || ') FROM unnest(key_columns) k);
    columns text := (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
                     FROM pg_attribute a JOIN pg_attribute t ON t.attrelid = kind::regclass AND t.attname = a.attname
                     WHERE a.attrelid = staged::regclass AND a.attnum > 0);
    fact_key text;
    state text;
    refusal text;
    arguments text;
    inserted bigint := 0;
BEGIN
    loaded := 0;
    FOR fact_key IN EXECUTE format(
        'SELECT %1$s FROM %2$I s WHERE NOT EXISTS (SELECT FROM reference_fact f WHERE f.kind = %3$L AND f.key = %1$s)
             AND NOT EXISTS (SELECT FROM %3$I t WHERE %4$s) ORDER BY 1', key_expression, staged, kind,
        (SELECT string_agg(format('t.%1$I = s.%1$I', k), ' AND ') FROM unnest(key_columns) k)) LOOP
        BEGIN
            EXECUTE format('INSERT INTO %I (%2$s) SELECT %2$s FROM %I s WHERE %s = $1', kind, columns, staged, key_expression)
            USING fact_key;
            INSERT INTO reference_fact (kind, key) VALUES (load_facts_kind.kind, fact_key);
            inserted := inserted + 1;
        EXCEPTION WHEN SQLSTATE 'TB001' OR unique_violation OR exclusion_violation OR foreign_key_violation THEN
            GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, refusal = CONSTRAINT_NAME, arguments = PG_EXCEPTION_DETAIL;
            line := format('facts: %s %s is left out, %s', kind, fact_key,
                           load_refusal(refusal, CASE WHEN state = 'TB001' THEN arguments ELSE '' END));
            RETURN NEXT;
        END;
    END LOOP;
    line := NULL;
    loaded := inserted;
    RETURN NEXT;
END
$$;

-- Every fact, in the order in which they stand on each other.
CREATE OR REPLACE FUNCTION load_facts() RETURNS TABLE (line text)
LANGUAGE plpgsql AS $$
DECLARE
    fact_table record;
    told record;
    total bigint := 0;
BEGIN
    PERFORM set_config('tpbis.bulk', 'off', true); -- each fact is on record
    UPDATE staged_organization SET note = concat_ws(': ', source, note);
    UPDATE staged_phase_target SET note = concat_ws(': ', source, note);
    UPDATE staged_replication r SET village_code = l.region_code FROM library l WHERE l.id = r.library_id;
    FOR fact_table IN SELECT * FROM (VALUES
            ('organization', '{id}'::text[]), ('program', '{slug}'), ('program_organization', '{program_slug,organization_id,role}'),
            ('phase', '{id}'), ('phase_target', '{phase_id,measure}'), ('published_figure', '{id}'), ('participation', '{id}'),
            ('replication', '{id}'), ('team', '{id}'), ('team_decree', '{id}'), ('team_member', '{id}'), ('team_meeting', '{id}'),
            ('team_work_plan', '{id}')) AS t (name, key_columns) LOOP
        FOR told IN SELECT k.line, k.loaded FROM load_facts_kind(fact_table.name, fact_table.key_columns) k LOOP
            total := total + told.loaded;
            line := told.line;
            IF line IS NOT NULL THEN
                RETURN NEXT;
            END IF;
        END LOOP;
    END LOOP;
    line := CASE WHEN total > 0 THEN format('facts: %s loaded', total) ELSE 'facts: all are loaded already' END;
    RETURN NEXT;
END
$$;
