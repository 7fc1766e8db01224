-- What the service's own role may do with clients, their secrets and keys (after zz_grants.sql, which takes everything away first).
-- The day of a key's last use is written by a function of the owner.
GRANT INSERT (id, name, type, redirect_uris, allowed_scopes, allowed_region, rate_per_minute, owner_name, owner_email, homepage, terms_version,
    terms_accepted_at), UPDATE (name, redirect_uris, allowed_scopes, allowed_region, rate_per_minute, owner_name, owner_email, homepage,
    terms_version, terms_accepted_at, status, suspended_reason, secret_version, row_version) ON client TO tpbis_api;
GRANT INSERT (id, client_id, hash, expires_at), DELETE ON client_secret TO tpbis_api;
GRANT SELECT, INSERT (id, client_id, name, hash, hint, scopes, expires_at), UPDATE (revoked_at) ON api_key TO tpbis_api;
GRANT SELECT ON api_key_use TO tpbis_api;
