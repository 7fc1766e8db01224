-- Accounts are looked for by words of a name, as people are.
CREATE INDEX app_user_words_idx ON app_user USING gin (words_vector(name));
