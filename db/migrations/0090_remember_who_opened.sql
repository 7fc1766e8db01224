-- Who handed out what opens an account: the maker of the link through which its password was first set. NULL: not known (older
-- passwords); then whoever made the account.
ALTER TABLE user_password ADD COLUMN opened_by text;
DROP FUNCTION IF EXISTS user_password_set(uuid, text, text, uuid);

-- Whether the person was put into the team by somebody who could see the person's contact without it: only then the membership
-- shows the contact to those who do the team's work.
ALTER TABLE team_member ADD COLUMN person_vouched boolean NOT NULL DEFAULT false;
DROP FUNCTION IF EXISTS team_substitute(uuid, uuid, date, text, uuid, uuid, text, text, uuid, text, uuid);
