-- Keys stand on what is compared (text_key, identifier_key), not on bytes. Where two rows are now one key, the oldest keeps
-- its text; each other one keeps its own with " (ganda 2)" behind, for a person to settle. The migration warns of each, and
-- the audit has them under the operation `compare_texts_by_key`.
SELECT set_config('tpbis.operation', 'compare_texts_by_key', true);

CREATE FUNCTION pg_temp.settle(of_table text, of_column text, key_columns text, key text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    twin record;
BEGIN
    FOR twin IN EXECUTE format(
        'SELECT t.ctid AS place, t.%1$I AS value, t.turn FROM (SELECT ctid, %1$I, created_at, row_number() OVER (PARTITION BY %2$s, %3$s ORDER BY created_at, ctid) AS turn FROM %4$I WHERE %1$I IS NOT NULL) t WHERE t.turn > 1',
        of_column, key_columns, key, of_table) LOOP
        EXECUTE format('UPDATE %I SET %I = left($1, 180) || '' (ganda '' || $2 || '')'' WHERE ctid = $3', of_table, of_column)
        USING twin.value, twin.turn, twin.place;
        RAISE WARNING '%: "%" is there already; the later one is now "% (ganda %)"', of_table, twin.value, twin.value, twin.turn;
    END LOOP;
END
$$;
SELECT pg_temp.settle('library_identifier', 'value', 'scheme', 'identifier_key(scheme, value)');
SELECT pg_temp.settle('team_decree', 'number', 'team_id, kind', 'text_key(number)');

ALTER TABLE library_identifier DROP CONSTRAINT library_identifier_value_key;
CREATE UNIQUE INDEX library_identifier_value_key ON library_identifier (scheme, identifier_key(scheme, value));
ALTER TABLE team_decree DROP CONSTRAINT team_decree_number_key;
CREATE UNIQUE INDEX team_decree_number_key ON team_decree (team_id, kind, text_key(number));

-- Organizations on record are found by name, whatever its case and blanks.
CREATE INDEX organization_on_record_idx ON organization (region_code, sector, text_key(name));

SELECT set_config('tpbis.operation', '', true);
