-- The audit: who did what, one row per changed row, written by statement-level triggers.
-- Nothing writes to `audit` but these functions; private columns never reach it in the clear.

-- The audit's picture of a row: technical columns left out, private ones as a salted digest.
CREATE OR REPLACE FUNCTION audit_picture(picture jsonb, private_columns text[], technical_columns text[])
RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    private_column text;
BEGIN
    picture := picture - technical_columns;
    FOREACH private_column IN ARRAY private_columns LOOP
        IF picture ->> private_column IS NOT NULL THEN
            picture := jsonb_set(picture, ARRAY[private_column], jsonb_build_object('digest',
                (SELECT encode(sha256(s.salt || convert_to(picture ->> private_column, 'UTF8')), 'hex')
                 FROM audit_salt s)));
        END IF;
    END LOOP;
    RETURN picture;
END
$$;

-- Only those members of a picture that differ from the other one.
CREATE OR REPLACE FUNCTION audit_difference(picture jsonb, other jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT coalesce(jsonb_object_agg(m.key, m.value), '{}')
        FROM jsonb_each(picture) m WHERE m.value IS DISTINCT FROM other -> m.key);

CREATE OR REPLACE FUNCTION audit_key(picture jsonb, key_columns text[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT jsonb_object_agg(k, picture -> k) FROM unnest(key_columns) k);

-- The setting of this transaction, NULL when nobody set it.
CREATE OR REPLACE FUNCTION audit_setting(name text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting(name, true), '');

-- AFTER INSERT, UPDATE, DELETE or TRUNCATE, FOR EACH STATEMENT. Arguments: key, private and technical
-- columns, as array literals. A bulk load (set_config('tpbis.bulk', 'on', true), heard only from
-- sessions of the owner) writes one row that counts.
CREATE OR REPLACE FUNCTION audit_write() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    verb text := lower(TG_OP);
    by_actor text := coalesce(audit_setting('tpbis.actor'), session_user);
    by_client text := audit_setting('tpbis.client');
    in_request text := audit_setting('tpbis.request_id');
    in_operation text := audit_setting('tpbis.operation');
    key_columns text[] := TG_ARGV[0];
    private_columns text[] := TG_ARGV[1];
    technical_columns text[] := TG_ARGV[2];
    touched bigint;
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        INSERT INTO audit (actor, client_id, request_id, operation, table_name, action)
        VALUES (by_actor, by_client, in_request, in_operation, TG_TABLE_NAME, verb);
    ELSIF audit_setting('tpbis.bulk') = 'on' AND pg_has_role(session_user, current_user, 'MEMBER') THEN
        IF TG_OP = 'DELETE' THEN
            SELECT count(*) INTO touched FROM old_rows;
        ELSE
            SELECT count(*) INTO touched FROM new_rows;
        END IF;
        INSERT INTO audit (actor, client_id, request_id, operation, table_name, action, after)
        SELECT by_actor, by_client, in_request, in_operation, TG_TABLE_NAME, verb, jsonb_build_object('rows', touched)
        WHERE touched > 0;
    ELSIF TG_OP = 'INSERT' THEN
        INSERT INTO audit (actor, client_id, request_id, operation, table_name, row_key, action, after)
        SELECT by_actor, by_client, in_request, in_operation, TG_TABLE_NAME, audit_key(to_jsonb(n), key_columns), verb,
               audit_picture(to_jsonb(n), private_columns, technical_columns)
        FROM new_rows n;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO audit (actor, client_id, request_id, operation, table_name, row_key, action, before)
        SELECT by_actor, by_client, in_request, in_operation, TG_TABLE_NAME, audit_key(to_jsonb(o), key_columns), verb,
               audit_picture(to_jsonb(o), private_columns, technical_columns)
        FROM old_rows o;
    ELSE
        -- A changed key appears as a row gone and a row come.
        INSERT INTO audit (actor, client_id, request_id, operation, table_name, row_key, action, before, after)
        SELECT by_actor, by_client, in_request, in_operation, TG_TABLE_NAME, row_key,
               CASE WHEN o.row_key IS NULL THEN 'insert' WHEN n.row_key IS NULL THEN 'delete' ELSE verb END,
               CASE WHEN n.row_key IS NULL THEN o.picture ELSE audit_difference(o.picture, n.picture) END,
               CASE WHEN o.row_key IS NULL THEN n.picture ELSE audit_difference(n.picture, o.picture) END
        FROM (SELECT audit_key(to_jsonb(r), key_columns) AS row_key,
                     audit_picture(to_jsonb(r), private_columns, technical_columns) AS picture
              FROM old_rows r) o
        FULL JOIN (SELECT audit_key(to_jsonb(r), key_columns) AS row_key,
                          audit_picture(to_jsonb(r), private_columns, technical_columns) AS picture
                   FROM new_rows r) n USING (row_key)
        WHERE o.picture IS DISTINCT FROM n.picture;
    END IF;
    RETURN NULL;
END
$$;

-- Puts the audit on a table; every migration that makes a table calls it.
CREATE OR REPLACE FUNCTION audit_attach(
    target regclass, key_columns text[], private_columns text[] DEFAULT '{}',
    technical_columns text[] DEFAULT '{}') RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    arguments text := format('audit_write(%L, %L, %L)', key_columns, private_columns, technical_columns);
BEGIN
    EXECUTE format('CREATE OR REPLACE TRIGGER audit_insert AFTER INSERT ON %s '
        'REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION %s', target, arguments);
    EXECUTE format('CREATE OR REPLACE TRIGGER audit_update AFTER UPDATE ON %s '
        'REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION %s',
        target, arguments);
    EXECUTE format('CREATE OR REPLACE TRIGGER audit_delete AFTER DELETE ON %s '
        'REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION %s', target, arguments);
    EXECUTE format('CREATE OR REPLACE TRIGGER audit_truncate AFTER TRUNCATE ON %s '
        'FOR EACH STATEMENT EXECUTE FUNCTION %s', target, arguments);
END
$$;

-- Records that somebody read what is not published: which row, by whom, for which request. Returns true.
CREATE OR REPLACE FUNCTION audit_read(read_table text, read_id uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO audit (actor, client_id, request_id, operation, table_name, row_key, action)
    VALUES (coalesce(audit_setting('tpbis.actor'), session_user), audit_setting('tpbis.client'),
            audit_setting('tpbis.request_id'), audit_setting('tpbis.operation'), read_table,
            jsonb_build_object('id', read_id), 'read');
    RETURN true;
END
$$;
