-- Erasing people, and restricting their data, is a scope of its own: of the roles that may do so in their reach.
INSERT INTO role_scope (role, scope) VALUES
    ('national_admin', 'people:erase'), ('provincial_coordinator', 'people:erase'), ('regency_facilitator', 'people:erase');

-- What a client may do is named, never "all". A client that had no list keeps what it was made for: what the roles grant that it
-- is charged with itself, and, where people use it, all that people may hand to an app, but for audit:read and admin, which an
-- administrator gives by name.
UPDATE client c SET allowed_scopes = ARRAY(
    SELECT s.scope FROM role_scope s
    WHERE s.scope = 'published:read'
       OR s.role IN (SELECT a.role FROM assignment a WHERE a.client_id = c.id)
       OR (cardinality(c.redirect_uris) > 0 AND s.scope NOT IN ('audit:read', 'admin'))
    GROUP BY s.scope ORDER BY s.scope)
WHERE c.allowed_scopes IS NULL;
ALTER TABLE client
    ALTER COLUMN allowed_scopes SET DEFAULT '{published:read}',
    ALTER COLUMN allowed_scopes SET NOT NULL; -- client_guard makes the least of a NULL
