-- A person whose data are restricted is not published, whatever the person does: a stored column cannot change what it is
-- made of, so it is made again, with the indexes that hold it.
ALTER TABLE person DROP COLUMN published;
ALTER TABLE person ADD COLUMN published boolean NOT NULL
    GENERATED ALWAYS AS ((acts_in_team OR facilitates) AND restricted_at IS NULL) STORED;
CREATE INDEX person_place_idx ON person (place, id, published);
CREATE INDEX person_published_idx ON person (published, id);
CREATE INDEX person_updated_at_idx ON person (updated_at, id, published);
