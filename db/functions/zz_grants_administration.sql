-- What the service's own role may do with assignments and the audit (after zz_grants.sql, which takes everything away first).
GRANT SELECT ON role_delegation TO tpbis_api;
GRANT INSERT (id, client_id, user_id, role, national, region_code, library_id, starts_on, ends_on, note),
    UPDATE (starts_on, ends_on, note, row_version) ON assignment TO tpbis_api;
GRANT SELECT (id, at, xid, actor, client_id, request_id, caller_request_id, operation, table_name, row_key, action, before, after, place, digest) ON audit TO tpbis_api;
GRANT SELECT ON audit_seal TO tpbis_api;
