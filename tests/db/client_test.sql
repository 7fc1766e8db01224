-- Clients, secrets and API keys: the rules that hold whoever writes.
BEGIN;
\ir fixture.psql
SELECT plan(23);

INSERT INTO client (id, name) VALUES ('c_one', 'Satu'), ('c_two', 'Dua');
INSERT INTO client (id, name, type) VALUES ('c_app', 'Aplikasi', 'public');

SELECT is(redirect_uri_fault(uri), why, uri) FROM (VALUES
    ('https://a.example.id/cb', NULL), ('http://[::1]:9/cb', NULL), ('id.example.app:/cb', NULL), ('http://10.0.0.1/cb', 'loopback'),
    ('https://a.example.id/' || repeat('x', 2000), 'length'), ('https://a.example.id/#', 'fragment'), ('', 'characters'),
    (E'https://a.example.id/\nb', 'characters'), ('https://-a.example.id/', 'host'), ('https://a..id/', 'host')) AS t (uri, why);
SELECT throws_ok($$UPDATE client SET redirect_uris = '{https://a.example.id/*}' WHERE id = 'c_one'$$, 'TB001', NULL, 'a wildcard stands for more than was meant');
SELECT throws_ok($$UPDATE client SET allowed_scopes = '{published:read,root}' WHERE id = 'c_one'$$, 'TB001', NULL, 'a scope that no role grants');
SELECT lives_ok($$UPDATE client SET allowed_scopes = '{published:read,admin}' WHERE id = 'c_one'$$, 'scopes that there are');

-- secrets
SELECT lives_ok($$INSERT INTO client_secret (client_id, hash) VALUES ('c_one', sha256('a')), ('c_one', sha256('b')), ('c_two', sha256('c'))$$, 'two secrets');
SELECT throws_ok($$INSERT INTO client_secret (client_id, hash) VALUES ('c_one', sha256('d'))$$, '23514', NULL, 'no third');
SELECT throws_ok($$INSERT INTO client_secret (client_id, hash) VALUES ('c_app', sha256('d'))$$, 'TB001', NULL, 'none for a public client');

-- keys
SELECT lives_ok($$INSERT INTO api_key (client_id, name, hash, hint) SELECT 'c_one', 'k', sha256(n::text::bytea), 'abc123' FROM generate_series(1, 20) n$$, 'twenty keys');
SELECT throws_ok($$INSERT INTO api_key (client_id, name, hash, hint) VALUES ('c_one', 'k', sha256('x'), 'abc123')$$, 'TB001', NULL, 'no more');
SELECT lives_ok($$UPDATE api_key SET revoked_at = now() WHERE hash = sha256('1');
                  INSERT INTO api_key (client_id, name, hash, hint) VALUES ('c_one', 'k', sha256('x'), 'abc123')$$, 'unless one was revoked');
SELECT throws_ok($$INSERT INTO api_key (client_id, name, hash, hint, scopes) VALUES ('c_two', 'k', sha256('y'), 'abc123', '{contacts:read}')$$, '23514', NULL, 'keys read what is published, no contacts');
SELECT is(api_key_used(ARRAY(SELECT id FROM api_key LIMIT 3)), 3::bigint, 'a use is written');
SELECT is(api_key_used(ARRAY(SELECT id FROM api_key LIMIT 3)), 0::bigint, 'once a day');
SELECT is((SELECT count(*) FROM audit WHERE table_name IN ('api_key', 'client_secret') AND after ->> 'hash' ~ '^\\x'), 0::bigint, 'hashes are not in the audit');

SELECT finish();
ROLLBACK;
