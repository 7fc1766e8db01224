-- Mails to people. A link's own mail is written from user_link; its row here says that one was asked for, so that nobody's mailbox is filled
-- by way of us. A notice (another address, another phone) is sent from here. Rows are forgotten after a day, so no change of
-- them is worth an audit row.
CREATE TABLE user_mail (
    id           uuid NOT NULL DEFAULT uuidv7(),
    user_id      uuid NOT NULL,
    kind         text NOT NULL,
    address      text NOT NULL,
    attempts     integer NOT NULL DEFAULT 0,
    next_try_at  timestamptz,            -- NULL: nothing is left to send
    sent_at      timestamptz,
    created_by   text NOT NULL DEFAULT coalesce(audit_setting('tpbis.actor'), session_user),
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT user_mail_pkey PRIMARY KEY (id),
    CONSTRAINT user_mail_user_id_fkey FOREIGN KEY (user_id) REFERENCES app_user (id) ON DELETE CASCADE,
    CONSTRAINT user_mail_kind_check CHECK (kind IN ('invitation', 'reset', 'address_left', 'address_taken', 'phone_changed')),
    CONSTRAINT user_mail_address_check CHECK (length(address) <= 320),
    CONSTRAINT user_mail_attempts_check CHECK (attempts BETWEEN 0 AND 20)
);
CREATE INDEX user_mail_user_idx ON user_mail (user_id);
CREATE INDEX user_mail_address_idx ON user_mail (lower(address));
CREATE INDEX user_mail_created_at_idx ON user_mail (created_at);
CREATE INDEX user_mail_next_try_at_idx ON user_mail (next_try_at) WHERE next_try_at IS NOT NULL;
