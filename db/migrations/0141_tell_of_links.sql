-- Whose link is shown to somebody else hears of it by mail.
ALTER TABLE user_mail
    DROP CONSTRAINT user_mail_kind_check,
    ADD CONSTRAINT user_mail_kind_check CHECK (kind IN ('invitation', 'reset', 'address_left', 'address_taken', 'phone_changed', 'factor_reset',
                                                        'account_closed', 'link_shown'));
