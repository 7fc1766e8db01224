-- Rates settled between processes: nothing that a process may say is refused, and no row fails another.
BEGIN;
\ir fixture.psql
SELECT plan(12);

CREATE FUNCTION pg_temp.settle(spent bigint, quota bigint, key text DEFAULT repeat('a', 32)) RETURNS bigint
LANGUAGE sql AS $$ SELECT s.tokens FROM settle_rates(ARRAY[key], ARRAY[spent], ARRAY[quota]) s $$;
CREATE FUNCTION pg_temp.still() RETURNS void -- as if all had been settled in this moment
LANGUAGE sql AS $$ UPDATE rate_bucket SET settled_at = clock_timestamp() + interval '1 hour' $$;

SELECT is(pg_temp.settle(-900, 60000), 60000::bigint, 'what is given back to a bucket that is not there yet leaves it full, and no more');
SELECT is((SELECT spent FROM rate_bucket), -900::bigint, 'what was told is seen');
SELECT pg_temp.still();
SELECT is(pg_temp.settle(5000, 60000), 55000::bigint, 'spending');
SELECT pg_temp.still();
SELECT is(pg_temp.settle(-900, 60000), 55900::bigint, 'a bucket that is there gets back what was given back');
SELECT pg_temp.still();
SELECT is(pg_temp.settle(-90000, 60000), 60000::bigint, 'and is full at most');
SELECT pg_temp.still();
SELECT is(pg_temp.settle(900000, 60000), -60000::bigint, 'a debt has a bound');
SELECT pg_temp.still();
SELECT is(pg_temp.settle(0, 1000), -1000::bigint, 'and follows a quota that became smaller');
SELECT pg_temp.still();
SELECT is(pg_temp.settle(-9223372036854775808, 60000), 59000::bigint, 'whatever number it is, it counts as a bucket at most');
SELECT pg_temp.still();
SELECT is(pg_temp.settle(9223372036854775807, 60000), -60000::bigint, 'in both directions');

SELECT results_eq($$SELECT key, tokens FROM settle_rates(
    ARRAY[repeat('b', 32), repeat('c', 32), 'no key', repeat('d', 32), repeat('e', 32), NULL, repeat('f', 32)],
    ARRAY[1, -1, 1, 1, NULL, 1, 9223372036854775807]::bigint[], ARRAY[1000, 1000, 1000, 0, 1000, 1000, 1000]::bigint[]) ORDER BY key$$,
    $$VALUES (repeat('b', 32), 999::bigint), (repeat('c', 32), 1000::bigint), (repeat('f', 32), -1000::bigint)$$,
    'what is no bucket is passed over, and fails none of the others');
SELECT results_eq($$SELECT tokens FROM settle_rates(ARRAY[repeat('1', 32), repeat('1', 32)], '{100, -30}', '{1000, 1000}')$$, '{930}'::bigint[],
                  'a bucket that is named twice is one');
SELECT is((SELECT count(*)::integer FROM generate_series(-3000, 3000, 500) s, generate_series(0, 2000, 500) q
           WHERE (SELECT tokens FROM settle_rates(ARRAY[md5(s || ',' || q)], ARRAY[s::bigint], ARRAY[q::bigint])) NOT BETWEEN -q AND q), 0,
          'no amount leaves the bounds');
SELECT finish();
ROLLBACK;
