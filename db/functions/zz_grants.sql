-- What the service's own role may do: read what it serves, write what its operations write, and of the audit only see
-- which tables changed in which transaction. It owns nothing; caches, placements, locks, facts and claims are
-- written for it by triggers and functions of the owner. Everything is taken away first, so that a grant
-- that is no longer here is gone.
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, tpbis_api;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC, tpbis_api;
REVOKE CREATE ON SCHEMA public FROM PUBLIC, tpbis_api;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM tpbis_api;
GRANT USAGE ON SCHEMA public TO tpbis_api;

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

-- Functions that only the owner's work calls.
REVOKE ALL ON FUNCTION audit_attach(regclass, text[], text[], text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION audit_picture(jsonb, text[], text[]) FROM PUBLIC;

-- How the planner is to treat the service's statements (db/README.md).
ALTER ROLE tpbis_api SET plan_cache_mode = force_generic_plan;
ALTER ROLE tpbis_api SET random_page_cost = 1.1;
ALTER ROLE tpbis_api SET jit = off;
ALTER ROLE tpbis_api SET max_parallel_workers_per_gather = 0;
ALTER ROLE tpbis_api SET timezone = 'UTC';
