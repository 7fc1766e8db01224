-- The catalogue: names of constraints, the audit on every table, what the service's role may do.
BEGIN;
\ir fixture.psql
SELECT plan(31);

CREATE TEMPORARY VIEW ours AS SELECT c.oid, c.relname::text AS name FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e');

SELECT is_empty($$
    SELECT o.name, c.conname FROM ours o JOIN pg_constraint c ON c.conrelid = o.oid AND c.contype <> 't'
    WHERE c.conname !~ ('^' || o.name || '_.*' || CASE c.contype WHEN 'p' THEN 'pkey' WHEN 'u' THEN '_key' WHEN 'f' THEN '_fkey' WHEN 'x' THEN '_excl' ELSE '_check' END || '$')
$$, 'every constraint is named after its table and its kind');
SELECT is_empty($$SELECT name FROM ours WHERE NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conrelid = ours.oid AND c.contype = 'p')$$, 'every table has a primary key');
SELECT set_eq($$SELECT name FROM ours WHERE NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = ours.oid AND t.tgname = 'audit_insert')$$,
    CASE WHEN to_regclass('schema_migration') IS NULL THEN '{audit,audit_salt,audit_seal,idempotency,library_lock,login_device,login_session,login_throttle,oauth_code,oauth_key,oauth_refresh,rate_bucket,user_mail}' ELSE '{audit,audit_salt,audit_seal,idempotency,library_lock,login_device,login_session,login_throttle,oauth_code,oauth_key,oauth_refresh,rate_bucket,schema_migration,user_mail}' END::text[],
    'every table is audited but the audit, its salt, answers kept for a day, the locks, counts of wrong passwords, what lives for minutes or is technical in a login, mails of a day, and the migrator''s own');
SELECT is_empty($$SELECT name FROM ours JOIN pg_trigger t ON t.tgrelid = ours.oid WHERE t.tgname LIKE 'audit\_%' GROUP BY name HAVING count(*) <> 4$$,
                'in all four ways');
SELECT is_empty($$
    SELECT o.name, a.attname FROM ours o JOIN pg_attribute a ON a.attrelid = o.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE a.atttypid IN ('float4'::regtype, 'float8'::regtype, 'date'::regtype)
      AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conrelid = o.oid AND c.contype = 'c' AND a.attnum = ANY (c.conkey)
                      AND pg_get_constraintdef(c.oid) ~ ('isfinite\(' || a.attname || '\)|' || a.attname || ' <=? '))
$$, 'every float and date is checked finite');
SELECT is_empty($$
    SELECT o.name, a.attname FROM ours o JOIN pg_attribute a ON a.attrelid = o.oid AND NOT a.attisdropped
    WHERE (a.attname ~ '(^|_)code$' AND a.attname <> 'postal_code' OR a.attname = 'place') AND a.attcollation <> 'pg_catalog."C"'::regcollation
$$, 'codes are collated by their bytes');
SELECT is_empty($$
    SELECT o.name, k.conname FROM ours o JOIN pg_constraint k ON k.conrelid = o.oid AND k.contype = 'f'
    WHERE NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = o.oid AND i.indkey[0] = k.conkey[1] AND i.indpred IS NULL)
$$, 'every foreign key is served by an index');
SELECT is_empty($$
    SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef
      AND NOT (coalesce(p.proconfig, '{}') @> '{"search_path=public, pg_temp"}')
$$, 'what runs with the owner''s rights has a fixed search path');

-- A text that people type has a CHECK of its form (base_text.sql). All others are closed lists, patterns, keys of other tables,
-- or made by the service, whose columns stand here.
SELECT is_empty($$
    SELECT o.name, a.attname FROM ours o JOIN pg_attribute a ON a.attrelid = o.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    WHERE a.atttypid = 'text'::regtype
      AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conrelid = o.oid AND a.attnum = ANY (c.conkey)
                      AND (c.contype = 'f' OR c.contype = 'c' AND pg_get_constraintdef(c.oid) ~ ('is_(name|line|free)\("?' || a.attname || '"?\)|\m' || a.attname
                           || ' (= |~ ''|IN |= ANY)|\(' || a.attname || ' = |CASE|\m' || a.attname || ' ~~')))
      AND o.name NOT IN ('audit', 'audit_erasure', 'creation', 'idempotency', 'personal_data_category', 'reference_fact', 'region_edition', 'region_review',
                         'region_successor', 'role', 'schema_migration')
      AND a.attname NOT IN ('created_by', 'opened_by', 'email_by', 'appointed_by', 'certified_by', 'actor', 'legal_basis', 'name_key', 'from_status', 'to_status')
      AND NOT (a.attname = 'purpose' AND o.name NOT LIKE '%\_contact') AND NOT (a.attname ~ '_(purpose|legal_basis)$' AND o.name IN ('client', 'library'))
      AND NOT o.name || '.' || a.attname = ANY ('{assignment.place,library.region_code,library_placement.kind,oauth_code.redirect_uri,oauth_revocation.reason,replication.target,replication_history.happened_on_precision,team_policy_lock.level,user_mail.address}')
$$, 'every text that people type has a check of its form');

-- ---- the service's role ---------------------------------------------------------------------------------------
SELECT is_empty($$SELECT relname FROM pg_class WHERE relowner = 'tpbis_api'::regrole UNION ALL SELECT proname FROM pg_proc WHERE proowner = 'tpbis_api'::regrole$$,
                'the service owns nothing');
SELECT ok(NOT rolsuper AND NOT rolcreatedb AND NOT rolcreaterole AND NOT rolbypassrls, 'and is no administrator') FROM pg_roles WHERE rolname = 'tpbis_api';
SELECT set_eq($$SELECT name FROM ours WHERE has_any_column_privilege('tpbis_api', oid, 'INSERT, UPDATE') OR has_table_privilege('tpbis_api', oid, 'DELETE, TRUNCATE, TRIGGER')$$,
              '{api_key,app_user,client,client_secret,library,library_identifier,organization,organization_contact,person,person_contact,program,program_organization,phase,
                phase_target,published_figure,participation,participation_work_plan,training,training_participant,
                replication,replication_facilitator,visit,assignment,
                team,team_decree,team_funding,team_meeting,team_member,team_work_plan}'::text[],
              'it writes what its operations write; histories, placements, facts, regions and rights never');
SELECT set_eq($$SELECT name FROM ours WHERE has_table_privilege('tpbis_api', oid, 'DELETE')$$, 
              '{client_secret,library_identifier,organization_contact,person_contact,program_organization,phase_target,published_figure,
                participation_work_plan,training_participant,replication_facilitator}'::text[], 'it deletes parts only, and contacts');
SELECT is_empty($$SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = 'library'
                  AND column_name IN ('id', 'kind', 'region_code', 'supervisor_id', 'placed_from', 'identifiers', 'closed_at', 'created_at', 'updated_at')
                  AND has_column_privilege('tpbis_api', 'library', column_name, 'UPDATE')$$, 'never what the rules keep');
SELECT set_eq($$SELECT attname::text FROM pg_attribute WHERE attrelid = 'audit'::regclass AND attnum > 0 AND has_column_privilege('tpbis_api', 'audit', attname, 'SELECT')$$,
              '{id,at,xid,actor,client_id,request_id,caller_request_id,operation,table_name,row_key,action,before,after,place,digest}'::text[], 'of the audit it sees all but the salt');
SELECT set_eq($$SELECT name FROM ours WHERE NOT has_any_column_privilege('tpbis_api', oid, 'SELECT')$$,
              '{audit_salt,audit_erasure,creation,idempotency,library_lock,rate_bucket,reference_fact,region_review,team_policy_lock,login_device,login_throttle,user_factor,user_mail,user_password,user_recovery_code}'::text[], 'and nothing at all of these');
SELECT is(has_schema_privilege('tpbis_api', 'public', 'CREATE'), false, 'it makes nothing');

-- ---- nobody else ----------------------------------------------------------------------------------------------
-- A right that was never written down (no ACL) is PostgreSQL's own: for functions and types it lies with PUBLIC.
CREATE FUNCTION public.made_just_now() RETURNS integer LANGUAGE sql RETURN 1;
CREATE TYPE public.type_made_just_now AS (a integer);
CREATE TEMPORARY VIEW of_public AS
    SELECT p.oid, p.proname, p.proowner, p.prosecdef, l.lanname, e.extname
    FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
    LEFT JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e' LEFT JOIN pg_extension e ON e.oid = d.refobjid
    WHERE p.pronamespace = 'public'::regnamespace
      AND EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE a.grantee = 0 AND a.privilege_type = 'EXECUTE');
SELECT is_empty($$SELECT proname FROM of_public WHERE proowner = current_user::regrole$$,
                'no function of the owner''s is PUBLIC''s: of triggers, of extensions the owner made, of one made a moment ago by hand');
SELECT is_empty($$SELECT proname FROM of_public WHERE extname IS NULL OR extname NOT IN ('btree_gist', 'cube', 'unaccent') OR prosecdef OR lanname NOT IN ('c', 'internal')$$,
                'and of others'' only what computes: btree_gist, cube and unaccent, where whoever installed PostgreSQL owns them');
SELECT is_empty($$SELECT c.relname, a.privilege_type FROM pg_class c, aclexplode(c.relacl) a WHERE c.relnamespace = 'public'::regnamespace AND a.grantee = 0 AND c.relowner = current_user::regrole
                  AND c.relname NOT IN ('tap_funky', 'pg_all_foreign_keys')
                  UNION ALL SELECT c.relname, a.privilege_type FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid, aclexplode(t.attacl) a
                  WHERE c.relnamespace = 'public'::regnamespace AND a.grantee = 0$$, 'no table, view, sequence or column');
SELECT is_empty($$SELECT n.nspname FROM pg_namespace n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a WHERE n.nspname = 'public' AND a.grantee = 0$$,
                'nor the schema');
SELECT is_empty($$SELECT a.privilege_type FROM pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a WHERE d.datname = current_database() AND a.grantee = 0$$,
                'nor the database: nobody connects or makes temporary tables uninvited');
SELECT is_empty($$SELECT t.typname FROM pg_type t, aclexplode(coalesce(t.typacl, acldefault('T', t.typowner))) a
                  WHERE t.typnamespace = 'public'::regnamespace AND a.grantee = 0 AND (t.typtype IN ('d', 'e') OR t.typname = 'type_made_just_now')
                    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')$$, 'nor a type of ours');
SELECT is(has_database_privilege('tpbis_api', current_database(), 'TEMPORARY'), false, 'the service makes no temporary table either');
SELECT is_empty($$SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.prorettype = 'trigger'::regtype AND has_function_privilege('tpbis_api', p.oid, 'EXECUTE')$$,
                'and attaches no trigger''s function to anything');

-- ---- roles and scopes ------------------------------------------------------------------------------------------
SELECT is((SELECT count(*) FROM role_scope WHERE role = 'national_admin'), 18::bigint, 'the national administrator has every scope that is a role''s');
SELECT set_eq($$SELECT role COLLATE "default" FROM role_scope WHERE scope = 'people:erase'$$,
              '{national_admin,provincial_coordinator,regency_facilitator}'::text[], 'who erases people');
SELECT is_empty($$SELECT FROM role_scope WHERE scope LIKE 'account:%'$$, 'the own account is nobody''s to give');
SELECT set_eq($$SELECT role COLLATE "default" FROM role_scope WHERE scope = 'libraries:write'$$,
              '{national_admin,provincial_coordinator,regency_facilitator,library_manager}'::text[], 'who writes libraries');
SELECT set_eq($$SELECT role COLLATE "default" FROM role_scope WHERE scope = 'published:read'$$, 'SELECT name COLLATE "default" FROM role', 'everybody reads what is published');
SELECT set_eq($$SELECT name COLLATE "default" FROM role WHERE NOT EXISTS (SELECT FROM role_scope s WHERE s.role = role.name AND s.scope <> 'published:read')$$,
              '{portal,public_app}'::text[], 'two do nothing else');

SELECT finish();
ROLLBACK;
