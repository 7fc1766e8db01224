-- Who set the address of an account, and when: a link that nobody asks for goes by mail only where somebody chose the address who could
-- give what the account is charged with. NULL: there is no address, or it is not known who set the address; then no such link goes by mail.
ALTER TABLE app_user ADD COLUMN email_by text, ADD COLUMN email_at timestamptz;
SELECT audit_attach('app_user', '{id}', '{username,name,email,phone}', '{row_version,updated_at,email_by,email_at}');
