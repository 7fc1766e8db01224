-- What the service's own role may do: read what it serves, write what its operations write, and of the audit only see
-- which tables changed in which transaction. It owns nothing; caches, placements, locks, facts and claims are
-- written for it by triggers and functions of the owner. Everything is taken away first, so that a grant
-- that is no longer here is gone.
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, tpbis_api;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC, tpbis_api;
REVOKE ALL ON SCHEMA public FROM PUBLIC, tpbis_api;
GRANT USAGE ON SCHEMA public TO tpbis_api;

-- Nothing is PUBLIC's: another role of the database (a report, a monitor) runs and sees what its own grants say, and no temporary table
-- or function is made by anybody else. What the owner makes later, by hand too, is born so. The functions of an extension that the owner
-- did not make itself (a trusted extension's are its installer's) stay PUBLIC's: they compute, and read nothing of ours.
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES REVOKE USAGE ON TYPES FROM PUBLIC;
DO $$
DECLARE
    named text := (
        SELECT string_agg(p.oid::regprocedure::text, ', ') FROM pg_proc p
        WHERE p.pronamespace = 'public'::regnamespace AND pg_has_role(p.proowner, 'USAGE'));
    computing text := (
        SELECT string_agg(p.oid::regprocedure::text, ', ') FROM pg_proc p
        JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
        JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND e.oid = d.refobjid
        WHERE p.pronamespace = 'public'::regnamespace AND pg_has_role(p.proowner, 'USAGE') AND e.extname IN ('btree_gist', 'cube', 'unaccent'));
BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC, tpbis_api', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO tpbis_api', current_database());
    EXECUTE format('REVOKE ALL ON ROUTINE %s FROM PUBLIC, tpbis_api', named);
    IF computing IS NOT NULL THEN
        EXECUTE format('GRANT EXECUTE ON ROUTINE %s TO tpbis_api', computing);
    END IF;
END
$$;

GRANT SELECT ON region, region_successor, region_edition, library, library_placement, library_fact, library_identifier,
    client, client_secret, role, role_scope, assignment, app_user TO tpbis_api;
GRANT SELECT (xid, table_name, action) ON audit TO tpbis_api;
DO $$
BEGIN
    IF to_regclass('schema_migration') IS NOT NULL THEN -- the migrator's own; the server compares it at its start
        GRANT SELECT ON schema_migration TO tpbis_api;
    END IF;
END
$$;
GRANT INSERT (id, npp, name, kind, status, region_code, supervisor_id, address, postal_code, latitude, longitude, phone, email,
    contact_public, website, founded_on, computers, servers, internet_mbps, staff_count, titles, copies, digital_titles,
    applications) ON library TO tpbis_api;
GRANT UPDATE (npp, name, status, closed_on, address, postal_code, latitude, longitude, phone, email, contact_public, website,
    founded_on, computers, servers, internet_mbps, staff_count, titles, copies, digital_titles, applications, row_version)
    ON library TO tpbis_api;
GRANT INSERT (library_id, scheme, value), UPDATE (value), DELETE ON library_identifier TO tpbis_api;

-- How the planner is to treat the service's statements (db/README.md).
ALTER ROLE tpbis_api SET plan_cache_mode = force_generic_plan;
ALTER ROLE tpbis_api SET random_page_cost = 1.1;
ALTER ROLE tpbis_api SET jit = off;
ALTER ROLE tpbis_api SET max_parallel_workers_per_gather = 0;
ALTER ROLE tpbis_api SET timezone = 'UTC';
