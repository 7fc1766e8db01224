-- What the service's own role may do with accounts (after zz_grants.sql). Passwords and links it neither reads nor writes
-- but through functions of the owner; of a link it sees what became of it.
GRANT INSERT (id, username, name, email, phone, person_id, language), UPDATE (name, email, phone, person_id, language, row_version)
    ON app_user TO tpbis_api;
GRANT SELECT (user_id, kind, delivery, sent_at, next_try_at, expires_at, created_at) ON user_link TO tpbis_api;
