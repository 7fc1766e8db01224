-- What a purge could not do is counted apart, and stays due.
ALTER TABLE personal_data_purge
    ADD COLUMN failed_count integer NOT NULL DEFAULT 0,
    DROP CONSTRAINT personal_data_purge_counts_check,
    ADD CONSTRAINT personal_data_purge_counts_check CHECK (removed_count >= 0 AND extended_count >= 0 AND failed_count >= 0
        AND due_count = removed_count + extended_count + failed_count);
