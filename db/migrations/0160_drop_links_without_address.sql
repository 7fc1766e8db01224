-- A link by mail that waits for an account whose address was taken away meanwhile goes nowhere; since then whoever takes the address away
-- takes the link with it.
SELECT set_config('tpbis.operation', 'drop_links_without_address', true);
DELETE FROM user_link l USING app_user u WHERE u.id = l.user_id AND l.delivery = 'mail' AND u.email IS NULL;
SELECT set_config('tpbis.operation', '', true);
