-- Grants of people: what the functions say to each use, whatever the service makes of it.
BEGIN;
SELECT plan(29);

INSERT INTO client (id, name, type, redirect_uris) VALUES ('c_app', 'Aplikasi', 'public', '{https://app.example.id/cb}'),
    ('c_other', 'Lain', 'public', '{https://other.example.id/cb}');
INSERT INTO app_user (id, username, name, status) VALUES ('01a1fdc3-0000-7000-8000-000000000001', 'siti', 'Siti', 'active'),
    ('01a1fdc3-0000-7000-8000-000000000002', 'budi', 'Budi', 'active');

CREATE FUNCTION pg_temp.h(text) RETURNS bytea LANGUAGE sql IMMUTABLE RETURN sha256(convert_to($1, 'UTF8'));
CREATE FUNCTION pg_temp.siti() RETURNS uuid LANGUAGE sql IMMUTABLE RETURN '01a1fdc3-0000-7000-8000-000000000001'::uuid;
CREATE FUNCTION pg_temp.issue(code text, remember boolean DEFAULT true) RETURNS boolean LANGUAGE sql RETURN
    oauth_code_issue(pg_temp.h(code), pg_temp.h('cookie'), pg_temp.siti(), 'c_app', 'https://app.example.id/cb', repeat('c', 43),
                     '{published:read,libraries:write}', 60, remember);
CREATE FUNCTION pg_temp.redeem(code text, client text DEFAULT 'c_app', back text DEFAULT 'https://app.example.id/cb',
                               challenge text DEFAULT repeat('c', 43), number integer DEFAULT 1) RETURNS text LANGUAGE sql RETURN
    (SELECT outcome FROM oauth_code_redeem(pg_temp.h(code), client, back, challenge,
        ('01a1fdc3-0000-7000-8000-00000000010' || number)::uuid, pg_temp.h('refresh' || number || 'a'), 2592000, 7776000));
CREATE FUNCTION pg_temp.use(number integer, presented text, fresh text, client text DEFAULT 'c_app', scopes text[] DEFAULT NULL)
RETURNS text LANGUAGE sql RETURN
    (SELECT outcome FROM oauth_refresh_use(('01a1fdc3-0000-7000-8000-00000000010' || number)::uuid,
        pg_temp.h('refresh' || number || presented), client, scopes, pg_temp.h('refresh' || number || fresh),
        pg_temp.h('sealed' || fresh), 2592000, 10));

SELECT is(pg_temp.issue('code'), false, 'no code without a session');
SELECT lives_ok($$SELECT login_session_begin(pg_temp.h('cookie'), pg_temp.siti(), 900)$$, 'somebody logs in');
SELECT is(pg_temp.issue('code'), true, 'then there is one');
SELECT set_eq('SELECT unnest(scopes) FROM oauth_consent', '{published:read,libraries:write}'::text[], 'and consent is remembered');
SELECT is(oauth_code_issue(pg_temp.h('x'), pg_temp.h('cookie'), '01a1fdc3-0000-7000-8000-000000000002', 'c_app', 'x', repeat('c', 43), '{a}', 60, false),
          false, 'not for somebody else than the session''s user');

SELECT is(pg_temp.redeem('nothing'), 'unknown', 'an unknown code');
SELECT is(pg_temp.redeem('code', 'c_other'), 'client', 'another client''s');
SELECT is(pg_temp.redeem('code', back => 'https://app.example.id/other'), 'redirect', 'another address');
SELECT is(pg_temp.redeem('code', challenge => repeat('d', 43)), 'challenge', 'another verifier');
SELECT is(pg_temp.redeem('code'), 'issued', 'the right ones');
SELECT is(pg_temp.use(1, 'a', 'b', 'c_other'), 'client', 'a refresh token is its client''s');
SELECT is(pg_temp.use(1, 'a', 'b', scopes => '{admin}'), 'scope', 'it gives no more than was agreed to');
SELECT is(pg_temp.use(1, 'a', 'b'), 'issued', 'it turns over');
SELECT is(pg_temp.use(1, 'a', 'z'), 'again', 'the same one again, soon, gives the same successor');
SELECT is((SELECT sealed FROM oauth_refresh), pg_temp.h('sealedb'), 'which the first use brought');
SELECT is(pg_temp.use(1, 'b', 'c'), 'issued', 'the successor works');
SELECT is(pg_temp.use(1, 'a', 'z'), 'reused', 'then the first is an old one');
SELECT is(pg_temp.use(1, 'c', 'd'), 'revoked', 'and the grant has ended');
SELECT is((SELECT reason FROM oauth_revocation), 'refresh token used twice', 'for that reason');
SELECT is_empty('SELECT FROM login_session', 'the browser is logged out too');

SELECT login_session_begin(pg_temp.h('cookie'), pg_temp.siti(), 900);
SELECT pg_temp.issue('code2', false);
SELECT is(pg_temp.redeem('code2', number => 2), 'issued', 'another login');
SELECT is(pg_temp.redeem('code2', challenge => '', number => 3), 'used', 'its code again, with whatever verifier');
SELECT is(pg_temp.use(2, 'a', 'b'), 'revoked', 'ends what it gave');

SELECT login_session_begin(pg_temp.h('cookie'), pg_temp.siti(), 900);
SELECT pg_temp.issue('code4', false);
SELECT pg_temp.redeem('code4', number => 4);
SELECT is(oauth_refresh_revoke('01a1fdc3-0000-7000-8000-000000000104', 'c_other'), false, 'nobody revokes another client''s');
UPDATE oauth_refresh SET expires_at = now() WHERE grant_id = '01a1fdc3-0000-7000-8000-000000000104';
SELECT is(pg_temp.use(4, 'a', 'b'), 'expired', 'an unused one ends');
UPDATE oauth_refresh SET expires_at = now() + interval '1 day' WHERE grant_id = '01a1fdc3-0000-7000-8000-000000000104';
SELECT is(user_sessions_end(pg_temp.siti(), 'test'), 1, 'all that is alive ends, once');
SELECT is(user_sessions_end(pg_temp.siti(), 'test'), 0, 'and not again');
SELECT login_session_begin(pg_temp.h('cookie'), pg_temp.siti(), 900);
SELECT pg_temp.issue('code5', false);
SELECT pg_temp.redeem('code5', number => 5);
UPDATE app_user SET status = 'disabled' WHERE id = pg_temp.siti();
SELECT is(pg_temp.use(5, 'a', 'b'), 'revoked', 'who is disabled is logged out everywhere');

UPDATE oauth_grant SET created_at = now() - interval '99 days', expires_at = now() - interval '2 days';
UPDATE oauth_revocation SET created_at = now() - interval '2 days';
UPDATE oauth_code SET created_at = now() - interval '3 days', expires_at = now() - interval '2 days';
SELECT results_eq('SELECT done > 0, more FROM purge_oauth(1000)', 'VALUES (true, false)', 'what is over is forgotten');

SELECT finish();
ROLLBACK;
