-- Whose address it is, is asked before a link goes there.
CREATE INDEX app_user_email_idx ON app_user (lower(email)) WHERE email IS NOT NULL;
