-- Where a row of the audit was: the region that its record, or what the record belongs to, stands in.

-- Of a whole row, or of as much of it as is known: a region's code, '' for the nation's library, NULL where nothing tells.
CREATE OR REPLACE FUNCTION audit_place_of(of_table text, r jsonb) RETURNS text
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF of_table = 'region' THEN
        RETURN r ->> 'code';
    ELSIF of_table IN ('library', 'organization', 'person', 'assignment') AND r ? 'place' THEN
        RETURN r ->> 'place'; -- their own column; elsewhere it is a name
    ELSIF r ->> 'region_code' IS NOT NULL THEN
        RETURN r ->> 'region_code';
    ELSIF r ->> 'village_code' IS NOT NULL THEN
        RETURN r ->> 'village_code';
    ELSIF r ->> 'library_id' IS NOT NULL THEN
        RETURN (SELECT l.place FROM library l WHERE l.id = (r ->> 'library_id')::uuid);
    ELSIF r ->> 'team_id' IS NOT NULL THEN
        RETURN (SELECT t.region_code FROM team t WHERE t.id = (r ->> 'team_id')::uuid);
    ELSIF r ->> 'member_id' IS NOT NULL THEN
        RETURN (SELECT t.region_code FROM team_member m JOIN team t ON t.id = m.team_id WHERE m.id = (r ->> 'member_id')::uuid);
    ELSIF r ->> 'participation_id' IS NOT NULL THEN
        RETURN (SELECT l.place FROM participation p JOIN library l ON l.id = p.library_id WHERE p.id = (r ->> 'participation_id')::uuid);
    ELSIF r ->> 'replication_id' IS NOT NULL THEN
        RETURN (SELECT x.village_code FROM replication x WHERE x.id = (r ->> 'replication_id')::uuid);
    ELSIF r ->> 'training_id' IS NOT NULL THEN
        RETURN (SELECT t.region_code FROM training t WHERE t.id = (r ->> 'training_id')::uuid);
    ELSIF r ->> 'organization_id' IS NOT NULL AND of_table <> 'client' THEN
        RETURN (SELECT o.region_code FROM organization o WHERE o.id = (r ->> 'organization_id')::uuid);
    ELSIF r ->> 'person_id' IS NOT NULL AND of_table <> 'app_user' THEN
        RETURN (SELECT p.place FROM person p WHERE p.id = (r ->> 'person_id')::uuid);
    END IF;
    RETURN NULL;
END
$$;

-- BEFORE INSERT: what the picture tells; else what the record, which still stands, tells.
CREATE OR REPLACE FUNCTION audit_place_set() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    whole jsonb;
BEGIN
    IF NEW.row_key IS NULL THEN
        RETURN NEW; -- of many rows
    END IF;
    IF NEW.action IN ('insert', 'delete') THEN
        NEW.place := audit_place_of(NEW.table_name, coalesce(NEW.after, NEW.before) || NEW.row_key);
        RETURN NEW;
    END IF;
    IF NEW.table_name LIKE '%\_contact' AND NEW.row_key ? 'id' THEN -- a read is of the person or the organization
        whole := jsonb_build_object(replace(NEW.table_name, '_contact', '') || '_id', NEW.row_key -> 'id');
    ELSIF NEW.row_key ? 'id' AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = to_regclass(quote_ident(NEW.table_name))
                                           AND a.attname = 'id' AND a.atttypid = 'uuid'::regtype) THEN
        EXECUTE format('SELECT to_jsonb(t) FROM %I t WHERE t.id = $1', NEW.table_name) INTO whole USING (NEW.row_key ->> 'id')::uuid;
    END IF;
    NEW.place := audit_place_of(NEW.table_name, coalesce(whole, NEW.row_key || coalesce(NEW.after, '{}')));
    RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER place BEFORE INSERT ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_place_set();

-- The key of a record named `table:key` (the parts of a longer key with commas between), as the audit has it; NULL where there is no such table.
CREATE OR REPLACE FUNCTION audit_record_key(record text) RETURNS jsonb
LANGUAGE sql STABLE
RETURN (SELECT CASE WHEN count(*) = cardinality(string_to_array(substring(record FROM position(':' IN record) + 1), ',')) THEN
            jsonb_object_agg(a.attname, CASE WHEN a.atttypid IN ('bigint'::regtype, 'integer'::regtype) AND v.part ~ '^[0-9]{1,18}$'
                                             THEN to_jsonb(v.part::bigint) ELSE to_jsonb(v.part) END) END
    FROM pg_index i
    CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (attnum, place)
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
    LEFT JOIN LATERAL (SELECT (string_to_array(substring(record FROM position(':' IN record) + 1), ','))[k.place]) AS v (part) ON true
    WHERE i.indrelid = to_regclass(quote_ident(split_part(record, ':', 1))) AND i.indisprimary);
