-- What a purge could not do is counted apart, and stays due.
ALTER TABLE personal_data_purge
    ADD COLUMN failed_count integer NOT NULL DEFAULT 0,
    DROP CONSTRAINT personal_data_purge_counts_check,
    ADD CONSTRAINT personal_data_purge_counts_check CHECK (removed_count >= 0 AND extended_count >= 0 AND failed_count >= 0
        AND due_count = removed_count + extended_count + failed_count);

-- The functions of db/functions/personal_data_purge.sql purge row by row, and answer a column more.
DROP FUNCTION IF EXISTS personal_data_purge(boolean), personal_data_purge_people(), personal_data_purge_contacts(),
    personal_data_purge_trainees(), personal_data_purge_rest(text);
