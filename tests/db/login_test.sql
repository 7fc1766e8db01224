-- Wrong passwords: what waits how long, and what an account is spared.
BEGIN;
\ir fixture.psql
SELECT plan(50);

CREATE FUNCTION pg_temp.attempts(who text, address text, many integer, device text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(a.wait_s::text, ' ' ORDER BY i) FROM generate_series(1, many) i, login_attempt(left(who, 200 + i), address, device) a
$$;
CREATE FUNCTION pg_temp.later(seconds integer) RETURNS void LANGUAGE sql AS $$
    UPDATE login_throttle SET until = until - seconds * interval '1 second', leaked_at = leaked_at - seconds * interval '1 second'
$$;

INSERT INTO app_user (id, username, name, status) VALUES
    ('00000000-0000-7000-8000-0000000000a1', 'siti@example.id', 'Siti', 'active'),
    ('00000000-0000-7000-8000-0000000000a2', 'budi', 'Budi', 'disabled'),
    ('00000000-0000-7000-8000-0000000000a3', 'wati', 'Wati', 'invited');
INSERT INTO user_password (user_id, hash) SELECT id, '$argon2id$x' FROM app_user WHERE username IN ('siti@example.id', 'budi');

-- ---- who may be compared with ------------------------------------------------------------------
SELECT is(a.hash, '$argon2id$x', 'an account, however its name is written') FROM login_attempt('Siti@Example.ID', '10.1.1.1', NULL) a;
SELECT is(a.name || a.language, 'Sitiid', 'with what a page greets by') FROM login_attempt('siti@example.id', '10.1.1.1', NULL) a;
SELECT is(a.hash, NULL, 'not one that is disabled') FROM login_attempt('budi', '10.1.1.2', NULL) a;
SELECT is(a.hash, NULL, 'nor one without a password') FROM login_attempt('wati', '10.1.1.2', NULL) a;
SELECT is(a.hash, NULL, 'nor nobody') FROM login_attempt('nobody', '10.1.1.2', NULL) a;
SELECT is((SELECT count(*) FROM login_throttle WHERE kind = 'account'), 4::bigint, 'each of them is counted, known or not');
SELECT is_empty($$SELECT FROM login_throttle WHERE encode(key, 'escape') ~ '(siti|10\.1)'$$, 'and none by its name');

-- ---- by account -----------------------------------------------------------------------------------
-- From here on guesses come from a suspicious network, but where it is said otherwise.
CREATE FUNCTION pg_temp.suspicious(address text) RETURNS text LANGUAGE sql AS $$
    INSERT INTO login_throttle (kind, key, failures) VALUES ('address', login_key('address', address || '/32'), 10) ON CONFLICT DO NOTHING;
    SELECT address
$$;
TRUNCATE login_throttle;
SELECT pg_temp.suspicious(a) FROM (VALUES ('10.1.1.1'), ('10.1.1.2'), ('10.9.9.9')) v (a);
SELECT is(pg_temp.attempts('siti@example.id', '10.1.1.1', 5), '0 0 0 0 0', 'five are free');
SELECT is(pg_temp.attempts('siti@example.id', '10.1.1.2', 3), '0 1 1', 'the sixth is the last for a second, wherever it comes from');
SELECT is((SELECT hash FROM login_attempt('siti@example.id', '10.1.1.3', NULL)), NULL, 'and what comes too early learns nothing to compare');
SELECT pg_temp.later(1);
SELECT is(pg_temp.attempts('siti@example.id', '10.1.1.2', 2), '0 2', 'then for two seconds');
SELECT pg_temp.later(2);
SELECT is(pg_temp.attempts('siti@example.id', '10.1.1.2', 2), '0 4', 'then for four');
UPDATE login_throttle SET failures = 40, until = now() WHERE kind = 'account';
SELECT is(pg_temp.attempts('siti@example.id', '10.1.1.2', 2), '0 900', 'never longer than a quarter of an hour');
SELECT is(pg_temp.attempts('siti@example.id', '10.44.4.4', 1), '15', 'and fifteen seconds for who comes from where nobody guesses');
UPDATE login_throttle SET until = until - interval '15 seconds' WHERE kind = 'account';
SELECT is(pg_temp.attempts('siti@example.id', '10.44.4.5', 1), '0', 'who is then let in');
SELECT is(pg_temp.attempts('wati', '10.1.1.2', 1), '0', 'others are not made to wait for it');
SELECT pg_temp.later(36 * 600);
SELECT is(pg_temp.attempts('siti@example.id', '10.1.1.2', 2), '0 2', 'ten minutes forgive one');

-- ---- taken back -------------------------------------------------------------------------------------
TRUNCATE login_throttle;
SELECT pg_temp.suspicious(a) FROM (VALUES ('10.1.1.1'), ('10.9.9.9')) v (a);
SELECT pg_temp.attempts('siti@example.id', '10.1.1.1', 6);
SELECT login_release('siti@example.id', '10.1.1.1', NULL, false);
SELECT is(pg_temp.attempts('siti@example.id', '10.1.1.1', 2), '0 1', 'one that was never compared does not count for the account');
SELECT is((SELECT failures FROM login_throttle WHERE key = login_key('address', '10.1.1.1/32')), 18, 'but for where it came from, as does what came too early');
SELECT login_release('siti@example.id', '10.1.1.1', NULL, true);
SELECT is(pg_temp.attempts('siti@example.id', '10.9.9.9', 6), '0 0 0 0 0 0', 'after the right password the account starts afresh');
SELECT is(pg_temp.attempts('siti@example.id', '10.9.9.9', 1), '1', 'somebody else guesses until it is held');

-- ---- by device ------------------------------------------------------------------------------------------
SELECT login_remember('00000000-0000-7000-8000-0000000000a1', 'browser one');
SELECT is(pg_temp.attempts('siti@example.id', '10.1.1.1', 6, 'browser one'), '0 0 0 0 0 0', 'which is not felt in a browser where the account was opened');
SELECT is(pg_temp.attempts('siti@example.id', '10.1.1.1', 1, 'browser one'), '1', 'where guessing is counted too');
SELECT is(pg_temp.attempts('siti@example.id', '10.9.9.9', 1, 'browser two'), '1', 'another browser is any browser');
SELECT is((SELECT lane FROM login_attempt('budi', '10.1.1.1', 'browser one')), 'other', 'and that one is any browser to another account');
SELECT is_empty($$SELECT FROM login_device WHERE encode(device, 'escape') ~ 'browser'$$, 'none stands there by its name');
SELECT login_remember('00000000-0000-7000-8000-0000000000a1', 'browser ' || n) FROM generate_series(1, 30) n;
SELECT is((SELECT count(*) FROM login_device), 20::bigint, 'twenty are remembered');
SELECT login_forget('siti@example.id');
SELECT is((SELECT count(*) FROM login_throttle WHERE kind IN ('account', 'known') AND substring(key FROM 1 FOR 32) = login_key('account', 'siti@example.id')),
          0::bigint, 'another password forgets what was counted');
SELECT is_empty('SELECT FROM login_device', 'and the browsers');
INSERT INTO client (id, name) VALUES ('app', 'App');
INSERT INTO oauth_grant (id, user_id, client_id, scopes, expires_at)
VALUES ('00000000-0000-7000-8000-0000000000b1', '00000000-0000-7000-8000-0000000000a1', 'app', '{published:read}', now() + interval '1 day');
SELECT is(login_device_known('00000000-0000-7000-8000-0000000000a1', 'grant:00000000-0000-7000-8000-0000000000b1'), true,
          'an app that somebody is logged in with is known');
SELECT is(login_device_known('00000000-0000-7000-8000-0000000000a2', 'grant:00000000-0000-7000-8000-0000000000b1')
       OR login_device_known('00000000-0000-7000-8000-0000000000a1', 'grant:x') OR login_device_known('00000000-0000-7000-8000-0000000000a1', NULL), false,
          'to that account alone');

-- ---- by network ---------------------------------------------------------------------------------------
TRUNCATE login_throttle;
SELECT is((SELECT max(wait_s) FROM generate_series(1, 30) i, login_attempt('guess' || i, '2001:db8:1:2:' || to_hex(i) || '::1', NULL)), 0,
    'thirty names from one subscriber''s network');
SELECT is(pg_temp.attempts('fresh', '2001:db8:1:2::99', 1) || pg_temp.attempts('fresher', '2001:db8:1:2::98', 1), '01', 'are enough for a while');
SELECT is((SELECT wait_bits FROM login_attempt('fresher', '2001:db8:1:2::97', NULL)), 64, 'and it is said which network has to wait');
SELECT is(pg_temp.attempts('fresher', '2001:db8:1:3::99', 1), '0', 'for that network only');
SELECT is((SELECT max(wait_s) FROM generate_series(1, 400) i, login_attempt('guess' || i, '2001:db8:2:' || to_hex(i) || '::1', NULL)) > 0, true,
          'a /48 has a limit of its own, however many networks are in it');
SELECT is((SELECT wait_bits || lane FROM login_attempt('guess', '2001:db8:2:ffff::1', NULL)), '48other', 'that of the /48');
SELECT is((SELECT max(wait_s) FROM generate_series(1, 91) i, login_attempt('guess' || i, '10.5.5.' || i, NULL)), 0, 'as has a /24 of IPv4');
SELECT is((SELECT string_agg(wait_bits::text, ',') FROM login_attempt('guess', '10.5.5.200', NULL)), '24', 'wherever in it they come from');
SELECT is((SELECT lane FROM login_attempt('guess', '10.6.5.1', NULL)), 'quiet', 'others are unsuspicious');
SELECT results_eq($$SELECT names, bits FROM (VALUES ('::ffff:10.1.2.3'), ('10.1.2.3'), ('2001:db8:1:234::/64'), ('nonsense')) v (a), login_networks(a)$$,
    $$VALUES ('{10.1.2.3/32,10.1.2.0/24}'::text[], '{32,24}'::int[]), ('{10.1.2.3/32,10.1.2.0/24}', '{32,24}'),
             ('{2001:db8:1:234::/64,2001:db8:1:200::/56,2001:db8:1::/48}', '{64,56,48}'), ('{""}', '{0}')$$, 'however an address is written');

-- ---- what time removes ----------------------------------------------------------------------------------
TRUNCATE login_throttle;
INSERT INTO login_throttle (kind, key, until) SELECT 'net', login_key('net', n::text), now() - n * interval '20 hours' FROM generate_series(0, 3) n;
SELECT login_remember('00000000-0000-7000-8000-0000000000a1', 'browser ' || n) FROM generate_series(1, 3) n;
UPDATE login_device SET used_on = today() - 91 WHERE device = login_key('device', 'browser 1');
SELECT is(login_purge(), 3::bigint, 'counts of yesterday go, and a browser of the last quarter');

-- ---- guesses of the second factor -----------------------------------------------------------------------
TRUNCATE login_throttle;
SELECT is((SELECT max(user_factor_attempt('00000000-0000-7000-8000-0000000000a1')) FROM generate_series(1, 5)), 0, 'five codes are free');
SELECT ok((SELECT max(user_factor_attempt('00000000-0000-7000-8000-0000000000a1')) FROM generate_series(1, 2)) > 0, 'then one waits');
SELECT is(user_factor_attempt('00000000-0000-7000-8000-0000000000a2'), 0, 'another account does not');
SELECT is(pg_temp.attempts('siti@example.id', '10.7.7.7', 1), '0', 'and the password of the same one is counted apart');
SELECT user_factor_attempts_forget('00000000-0000-7000-8000-0000000000a1');
SELECT is(user_factor_attempt('00000000-0000-7000-8000-0000000000a1'), 0, 'a right code forgets the wrong ones');

-- ---- an erased account ----------------------------------------------------------------------------------
CREATE FUNCTION pg_temp.left_of(wanted uuid) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    r record;
    found_one boolean;
BEGIN
    FOR r IN SELECT c.conrelid::regclass AS table_name, a.attname AS column_name
             FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
             WHERE c.contype = 'f' AND c.confrelid = 'app_user'::regclass LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE %I = $1)', r.table_name, r.column_name) INTO found_one USING wanted;
        IF found_one THEN
            RETURN NEXT r.table_name || '.' || r.column_name;
        END IF;
    END LOOP;
END
$$;
SELECT login_remember('00000000-0000-7000-8000-0000000000a1', 'browser 4');
SELECT max(wait_s) FROM generate_series(1, 3), login_attempt('siti@example.id', '10.7.7.8', 'browser 4');
SELECT isnt_empty('SELECT FROM login_device d WHERE d.user_id = ''00000000-0000-7000-8000-0000000000a1''', 'a browser is remembered');
SELECT user_anonymise('00000000-0000-7000-8000-0000000000a1');
SELECT is(ARRAY(SELECT t FROM pg_temp.left_of('00000000-0000-7000-8000-0000000000a1') t ORDER BY t), '{oauth_grant.user_id}'::text[],
    'of the tables that name accounts, those of the ended logins alone do');
SELECT is((SELECT count(*) FROM login_throttle t WHERE t.key IN (login_key('account', 'siti@example.id'),
              login_key('factor', '00000000-0000-7000-8000-0000000000a1')) OR substring(t.key FROM 1 FOR 32) = login_key('account', 'siti@example.id')),
    0::bigint, 'and no guess of the name or of the second factor is counted any more');

SELECT finish();
ROLLBACK;
