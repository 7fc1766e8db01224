-- Whether whoever gave a charge saw the holder's e-mail and phone, so that the charge shows them to others in its place. Those of before all do, as
-- they did.
ALTER TABLE assignment ADD COLUMN giver_saw_contact boolean NOT NULL DEFAULT true;
