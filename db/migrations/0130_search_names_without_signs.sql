-- Names are found without their apostrophes and hyphens, by name_vector(). The column words of region and library, and
-- words_vector(), stay for the version before alone, without an index.
CREATE INDEX region_name_vector_idx ON region USING gin (name_vector(name)) WITH (fastupdate = off);
CREATE INDEX library_name_vector_idx ON library USING gin (name_vector(name)) WITH (fastupdate = off);
CREATE INDEX organization_name_vector_idx ON organization USING gin (name_vector(name)) WITH (fastupdate = off);
CREATE INDEX person_name_vector_idx ON person USING gin (name_vector(name)) WITH (fastupdate = off);
CREATE INDEX team_name_vector_idx ON team USING gin (name_vector(name)) WITH (fastupdate = off);
CREATE INDEX app_user_name_vector_idx ON app_user USING gin (name_vector(name)) WITH (fastupdate = off);
DROP INDEX region_words_idx, library_words_idx, organization_words_idx, person_words_idx, team_words_idx, app_user_words_idx;
