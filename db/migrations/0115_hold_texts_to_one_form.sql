-- Text that people typed gets the one form of base_text.sql, and a CHECK that keeps it: <table>_<column>_text_check.
-- What cannot be seen is taken out of old rows; an optional text that then says nothing becomes NULL, a required one says
-- so. Each row that changes leaves its audit row, under the operation `hold_texts_to_one_form`.

CREATE FUNCTION pg_temp.holds(kind text, value text) RETURNS boolean LANGUAGE sql
RETURN CASE kind WHEN 'name' THEN is_name(value) WHEN 'line' THEN is_line(value) ELSE is_free(value) END;

CREATE FUNCTION pg_temp.mended(kind text, value text, required boolean) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    kept text := '';
    word text;
    mended text;
BEGIN
    IF value IS NULL OR pg_temp.holds(kind, value) THEN
        RETURN value;
    ELSIF kind = 'free' THEN
        SELECT coalesce(string_agg(c.letter, '' ORDER BY c.place), '') INTO kept
        FROM regexp_split_to_table(normalize(value, NFC), '') WITH ORDINALITY AS c(letter, place)
        WHERE c.letter ~ '\s' OR is_free('a' || c.letter || 'b');
        mended := text_free(kept);
    ELSE
        SELECT coalesce(string_agg(c.letter, '' ORDER BY c.place), '') INTO kept
        FROM regexp_split_to_table(text_line(value), '') WITH ORDINALITY AS c(letter, place)
        WHERE c.letter = ' ' OR is_line(normalize('a' || c.letter || 'b', NFC));
        mended := '';
        FOREACH word IN ARRAY string_to_array(text_line(kept), ' ') LOOP
            WHILE word <> '' AND NOT is_line('a ' || word) LOOP -- it begins with a combining mark
                word := substr(word, 2);
            END LOOP;
            mended := text_line(mended || ' ' || word);
        END LOOP;
    END IF;
    RETURN CASE WHEN pg_temp.holds(kind, mended) THEN mended
                WHEN required THEN 'Tanpa ' || CASE kind WHEN 'name' THEN 'nama' ELSE 'keterangan' END
                                   || coalesce(' (' || nullif(mended, '') || ')', '') END;
END
$$;

CREATE FUNCTION pg_temp.mended_json(kind text, value jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    RETURN CASE jsonb_typeof(value)
        WHEN 'string' THEN to_jsonb(pg_temp.mended(kind, value #>> '{}', true))
        WHEN 'array' THEN (SELECT coalesce(jsonb_agg(pg_temp.mended_json(kind, i.item) ORDER BY i.place), '[]')
                           FROM jsonb_array_elements(value) WITH ORDINALITY AS i(item, place))
        WHEN 'object' THEN (SELECT coalesce(jsonb_object_agg(m.key, pg_temp.mended_json(kind, m.value)), '{}') FROM jsonb_each(value) m)
        ELSE value END;
END
$$;

-- One column: its rows put into their form, one by one, then the CHECK. A row whose form another one has already (a key)
-- says so by " (ganda)".
CREATE FUNCTION pg_temp.hold(of_table text, of_column text, kind text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    required boolean;
    many boolean;
    test text;
    place tid;
BEGIN
    SELECT a.attnotnull, a.atttypid = 'jsonb'::regtype INTO STRICT required, many FROM pg_attribute a
    WHERE a.attrelid = of_table::regclass AND a.attname = of_column;
    test := CASE WHEN many THEN CASE kind WHEN 'free' THEN 'are_free' ELSE 'are_lines' END ELSE 'is_' || kind END || format('(%I)', of_column);
    FOR place IN EXECUTE format('SELECT ctid FROM %I WHERE NOT %s', of_table, test) LOOP
        BEGIN
            IF many THEN
                EXECUTE format('UPDATE %I SET %I = pg_temp.mended_json(%L, %I) WHERE ctid = $1', of_table, of_column, kind, of_column) USING place;
            ELSE
                EXECUTE format('UPDATE %I SET %I = pg_temp.mended(%L, %I, %L) WHERE ctid = $1', of_table, of_column, kind, of_column, required) USING place;
            END IF;
        EXCEPTION WHEN unique_violation THEN
            EXECUTE format('UPDATE %I SET %I = left(pg_temp.mended(%L, %I, true), 80) || '' (ganda)'' WHERE ctid = $1', of_table, of_column, kind, of_column)
            USING place;
            RAISE WARNING '%.%: one of two rows that were the same but for blanks or marks is now called "... (ganda)"', of_table, of_column;
        END;
    END LOOP;
    EXECUTE format('ALTER TABLE %I ADD CONSTRAINT %I CHECK (%s)', of_table, of_table || '_' || of_column || '_text_check', test);
END
$$;

SELECT set_config('tpbis.operation', 'hold_texts_to_one_form', true);

-- An office before the member that shows it.
SELECT pg_temp.hold('team_member_position', 'position', 'line');
SELECT pg_temp.hold(t.name, t.held, 'name') FROM (VALUES
    ('api_key', 'name'), ('app_user', 'name'), ('client', 'name'), ('client', 'owner_name'), ('library', 'name'), ('organization', 'name'),
    ('participation_work_plan', 'title'), ('person', 'name'), ('phase', 'name'), ('program', 'name'), ('region', 'name'), ('team', 'name'),
    ('team_member', 'name'), ('team_work_plan', 'title'), ('training', 'title'), ('training_participant', 'name')) AS t(name, held);
SELECT pg_temp.hold(t.name, t.held, 'line') FROM (VALUES
    ('app_user', 'email'), ('app_user', 'phone'), ('client', 'homepage'), ('client', 'owner_email'), ('client', 'terms_version'),
    ('library', 'applications'), ('library', 'email'), ('library', 'phone'), ('library', 'website'), ('library_identifier', 'value'),
    ('organization', 'website'), ('organization_contact', 'email'), ('organization_contact', 'phone'), ('person', 'position'),
    ('person_contact', 'email'), ('person_contact', 'phone'), ('personal_data_request', 'reference'), ('program_organization', 'role'),
    ('published_figure', 'unit'), ('replication', 'commitment_number'), ('team', 'undocumented'), ('team_decree', 'issued_by'),
    ('team_decree', 'number'), ('team_meeting', 'place'), ('team_member', 'position'), ('training', 'place')) AS t(name, held);
SELECT pg_temp.hold(t.name, t.held, 'free') FROM (VALUES
    ('app_user', 'disabled_reason'), ('assignment', 'note'), ('client', 'suspended_reason'), ('library', 'address'),
    ('library_fact', 'source'), ('library_placement', 'note'), ('library_placement', 'reason'), ('library_placement', 'source'),
    ('organization', 'note'), ('organization_contact', 'address'), ('organization_contact', 'purpose'), ('participation', 'note'),
    ('participation', 'source'), ('participation', 'status_note'), ('participation_history', 'note'), ('participation_work_plan', 'result'),
    ('person_contact', 'address'), ('person_contact', 'purpose'), ('personal_data_request', 'reason'), ('phase', 'note'),
    ('phase', 'source'), ('phase_target', 'note'), ('program', 'description'), ('program', 'legal_basis'), ('program', 'note'),
    ('program', 'source'), ('published_figure', 'note'), ('published_figure', 'scope'), ('published_figure', 'source'),
    ('replication', 'note'), ('replication', 'source'), ('replication', 'status_note'), ('replication', 'undocumented'),
    ('replication_history', 'note'), ('replication_policy', 'note'), ('replication_policy', 'source'), ('team', 'note'), ('team', 'source'),
    ('team_decree', 'note'), ('team_decree', 'source'), ('team_funding', 'note'), ('team_meeting', 'agenda'), ('team_meeting', 'commitments'),
    ('team_meeting', 'outcome'), ('team_meeting', 'source'), ('team_member', 'note'), ('team_member', 'source'), ('team_policy', 'note'),
    ('team_policy', 'source'), ('team_work_plan', 'result'), ('team_work_plan', 'source'), ('training', 'note'), ('training', 'source'),
    ('visit', 'findings'), ('visit', 'follow_up'), ('visit', 'recommendations')) AS t(name, held);

SELECT set_config('tpbis.operation', '', true);
