-- What the service's own role may do with personal data's own tables (after zz_grants.sql, which takes everything away first): read
-- them. Restrictions, erasures and the register of requests are written by functions of the owner.
GRANT SELECT ON personal_data_category, personal_data_request, personal_data_purge TO tpbis_api;
GRANT INSERT (legal_basis, retain_until), UPDATE (legal_basis, collected_at, retain_until) ON person_contact TO tpbis_api;
GRANT INSERT (legal_basis, retain_until), UPDATE (legal_basis, collected_at, retain_until) ON organization_contact TO tpbis_api;
