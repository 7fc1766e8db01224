-- When the link was made through which a password was first set: whoever made it is judged by what they could give on that day. Of
-- older passwords the best that is known; of one that no link set, the day it was set.
ALTER TABLE user_password ADD COLUMN opened_at timestamptz NOT NULL DEFAULT now();
UPDATE user_password p SET opened_at = CASE WHEN p.opened_by IS NULL THEN u.created_at ELSE p.updated_at END
FROM app_user u WHERE u.id = p.user_id;

-- Whose account was closed by a charge hears of it by mail.
ALTER TABLE user_mail
    DROP CONSTRAINT user_mail_kind_check,
    ADD CONSTRAINT user_mail_kind_check CHECK (kind IN ('invitation', 'reset', 'address_left', 'address_taken', 'phone_changed', 'factor_reset',
                                                        'account_closed'));
