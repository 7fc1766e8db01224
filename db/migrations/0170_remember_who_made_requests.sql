-- Who put a request on record: the reason and the reference are theirs and the nation's to read. NULL: not known, then the nation's alone.
ALTER TABLE personal_data_request ADD COLUMN created_by text;
ALTER TABLE personal_data_request ALTER COLUMN created_by SET DEFAULT coalesce(audit_setting('tpbis.actor'), session_user);
