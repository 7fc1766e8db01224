-- Whether the nation has said that an account's person is its holder. Of the accounts of before nobody has.
ALTER TABLE app_user ADD COLUMN person_confirmed boolean NOT NULL DEFAULT false;
