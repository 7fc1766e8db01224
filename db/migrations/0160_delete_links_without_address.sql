-- A link that waits to be mailed to an account without an address goes nowhere; since links are void with their address, none is made any more.
DELETE FROM user_link l USING app_user u
WHERE u.id = l.user_id AND u.email IS NULL AND l.delivery = 'mail' AND l.next_try_at IS NOT NULL;
