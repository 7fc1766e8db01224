-- Wrong passwords: what waits how long, and what an account is spared.
BEGIN;
\ir fixture.psql
SELECT plan(26);

CREATE FUNCTION pg_temp.attempts(who text, address text, many integer) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(a.wait_s::text, ' ' ORDER BY i) FROM generate_series(1, many) i, login_attempt(left(who, 200 + i), address) a
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
SELECT is(a.hash, '$argon2id$x', 'an account, however its name is written') FROM login_attempt('Siti@Example.ID', '10.1.1.1') a;
SELECT is(a.name || a.language, 'Sitiid', 'with what a page greets by') FROM login_attempt('siti@example.id', '10.1.1.1') a;
SELECT is(a.hash, NULL, 'not one that is disabled') FROM login_attempt('budi', '10.1.1.2') a;
SELECT is(a.hash, NULL, 'nor one without a password') FROM login_attempt('wati', '10.1.1.2') a;
SELECT is(a.hash, NULL, 'nor nobody') FROM login_attempt('nobody', '10.1.1.2') a;
SELECT is((SELECT count(*) FROM login_throttle WHERE kind = 'account'), 4::bigint, 'each of them is counted, known or not');
SELECT is_empty($$SELECT FROM login_throttle WHERE encode(key, 'escape') ~ '(siti|10\.1)'$$, 'and none by its name');

-- ---- by account -----------------------------------------------------------------------------------
TRUNCATE login_throttle;
SELECT is(pg_temp.attempts('siti@example.id', '10.1.1.1', 5), '0 0 0 0 0', 'five are free');
SELECT is(pg_temp.attempts('siti@example.id', '10.1.1.2', 3), '0 1 1', 'the sixth is the last for a second, wherever it comes from');
SELECT is((SELECT hash FROM login_attempt('siti@example.id', '10.1.1.3')), NULL, 'and what comes too early learns nothing to compare');
SELECT pg_temp.later(1);
SELECT is(pg_temp.attempts('siti@example.id', '10.1.1.2', 2), '0 2', 'then for two seconds');
SELECT pg_temp.later(2);
SELECT is(pg_temp.attempts('siti@example.id', '10.1.1.2', 2), '0 4', 'then for four');
UPDATE login_throttle SET failures = 40, until = now() WHERE kind = 'account';
SELECT is(pg_temp.attempts('siti@example.id', '10.1.1.2', 2), '0 900', 'never longer than a quarter of an hour');
SELECT is(pg_temp.attempts('wati', '10.1.1.2', 1), '0', 'others are not made to wait for it');
SELECT pg_temp.later(36 * 600);
SELECT is(pg_temp.attempts('siti@example.id', '10.1.1.2', 2), '0 1', 'ten minutes forgive one');

-- ---- taken back -------------------------------------------------------------------------------------
TRUNCATE login_throttle;
SELECT pg_temp.attempts('siti@example.id', '10.1.1.1', 6);
SELECT login_release('siti@example.id', '10.1.1.1', false);
SELECT is(pg_temp.attempts('siti@example.id', '10.1.1.1', 2), '0 1', 'one that was never compared does not count');
SELECT login_release('siti@example.id', '10.1.1.1', true);
SELECT is(pg_temp.attempts('siti@example.id', '10.9.9.9', 6), '0 0 0 0 0 0', 'after the right password the account starts afresh');
SELECT is(pg_temp.attempts('siti@example.id', '10.9.9.9', 1), '1', 'somebody else guesses until it is held');
SELECT is(pg_temp.attempts('siti@example.id', '10.1.1.1', 6), '0 0 0 0 0 0', 'and does not hold it where it was opened before');
SELECT is(pg_temp.attempts('siti@example.id', '10.1.1.1', 1), '1', 'where guessing is counted too');
SELECT login_forget('siti@example.id');
SELECT is((SELECT string_agg(DISTINCT kind, ',') FROM login_throttle), 'address', 'another password forgets both');

-- ---- by address ---------------------------------------------------------------------------------------
TRUNCATE login_throttle;
SELECT is((SELECT max(wait_s) FROM generate_series(1, 30) i, login_attempt('guess' || i, '2001:db8:1:2:' || to_hex(i) || '::1')), 0,
    'thirty names from one subscriber''s network');
SELECT is(pg_temp.attempts('fresh', '2001:db8:1:2::99', 1) || pg_temp.attempts('fresher', '2001:db8:1:2::98', 1), '01', 'are enough for a while');
SELECT is(pg_temp.attempts('fresher', '2001:db8:1:3::99', 1), '0', 'for that network only');
SELECT is(login_address('::ffff:10.1.2.3') || ' ' || login_address('10.1.2.3') || ' ' || login_address('nonsense'), '10.1.2.3 10.1.2.3 ', 'however an address is written');

-- ---- what time removes ----------------------------------------------------------------------------------
UPDATE login_throttle SET until = now() - interval '25 hours' WHERE kind = 'address';
SELECT is(login_purge(), 2::bigint, 'counts of yesterday go');

SELECT finish();
ROLLBACK;
