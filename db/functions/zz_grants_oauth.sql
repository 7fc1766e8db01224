-- What the service's own role may do with grants of people (after zz_grants.sql, which takes everything away first): read
-- them; they are written by functions of the owner.
GRANT SELECT ON login_session, oauth_key, oauth_consent, oauth_grant, oauth_refresh, oauth_code, oauth_revocation TO tpbis_api;
