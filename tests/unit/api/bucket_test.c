/* Token buckets: what they hold, how they fill, what is told of them. */
#include "api/bucket.h"

#include "tests/unit/api/check.h"

#define SECOND 1000000
static const unsigned char A[BUCKET_KEY_BYTES] = {1}, B[BUCKET_KEY_BYTES] = {2};

static void test_a_minute_s_quota_and_no_more(void **state)
{
    (void)state;
    struct buckets *buckets = buckets_new(100);
    struct bucket_level level;
    for (int i = 0; i < 60; i++) {
        assert_true(bucket_take(buckets, A, 60000, 1000, 5, &level));
        assert_int_equal(level.left, (59 - i) * 1000);
    }
    assert_false(bucket_take(buckets, A, 60000, 1000, 5, &level));
    assert_int_equal(level.left, 0);
    assert_int_equal(level.wait_us, SECOND);                      /* one a second */
    assert_true(bucket_take(buckets, B, 60000, 1000, 5, &level)); /* another bucket */
    assert_false(bucket_take(buckets, A, 60000, 1000, 5 + SECOND - 1, &level));
    assert_true(bucket_take(buckets, A, 60000, 1000, 5 + SECOND, &level));
    assert_false(bucket_take(buckets, A, 60000, 1000, 5 + SECOND, &level));
    assert_true(bucket_take(buckets, A, 60000, 60000, 5 + 61 * (int64_t)SECOND, &level));
    assert_true(
        bucket_take(buckets, A, 60000, 60000, INT64_MAX / 2, &level)); /* never more than full */
    assert_false(bucket_take(buckets, A, 60000, 1, INT64_MAX / 2, &level));
    buckets_free(buckets);
}

/* However often it is asked, what passes between two questions is not lost. */
static void test_small_steps_fill_like_large_ones(void **state)
{
    (void)state;
    struct buckets *buckets = buckets_new(100);
    struct bucket_level level;
    assert_true(bucket_take(buckets, A, 7000, 7000, 0, &level));
    int taken = 0;
    for (int64_t now = 0; now <= 60 * (int64_t)SECOND; now += 777)
        taken += bucket_take(buckets, A, 7000, 1000, now, &level);
    assert_in_range(taken, 6, 7);
    buckets_free(buckets);
}

static void test_a_cost_above_the_quota(void **state)
{
    (void)state;
    struct buckets *buckets = buckets_new(100);
    struct bucket_level level;
    assert_true(bucket_take(buckets, A, 10000, 30000, 0, &level)); /* from a full bucket */
    assert_int_equal(level.left, 0);
    assert_false(bucket_take(buckets, A, 10000, 1000, 0, &level));
    assert_int_equal(level.wait_us, 126 * (int64_t)SECOND); /* the debt is paid back first */
    buckets_free(buckets);
}

static void test_what_is_given_back(void **state)
{
    (void)state;
    struct buckets *buckets = buckets_new(100);
    struct bucket_level level;
    assert_true(bucket_take(buckets, A, 10000, 1000, 0, &level));
    assert_int_equal(bucket_give(buckets, A, 900), 9900);
    assert_int_equal(bucket_give(buckets, A, 900), 10000);
    assert_int_equal(bucket_give(buckets, A, -4000), 6000);
    assert_int_equal(bucket_give(buckets, B, 1), 0); /* not known */
    buckets_free(buckets);
}

static void test_spending_is_told_once(void **state)
{
    (void)state;
    struct buckets *buckets = buckets_new(100);
    struct bucket_spent spent[64];
    struct bucket_level level;
    assert_int_equal(buckets_collect(buckets, spent, 64), 0);
    bucket_take(buckets, A, 10000, 2000, 0, &level);
    bucket_give(buckets, A, 500);
    assert_int_equal(buckets_collect(buckets, spent, 64), 1);
    assert_memory_equal(spent[0].key, A, BUCKET_KEY_BYTES);
    assert_int_equal(spent[0].spent, 1500);
    assert_int_equal(spent[0].quota, 10000);
    assert_int_equal(buckets_collect(buckets, spent + 1, 63), 0);

    bucket_take(buckets, A, 10000, 1000, 0, &level); /* while the answer is on its way */
    bucket_settle(buckets, A, 4000, 0);              /* others have spent, too */
    assert_false(bucket_take(buckets, A, 10000, 3001, 0, &level));
    assert_int_equal(level.left, 3000);
    assert_int_equal(buckets_collect(buckets, spent + 1, 63), 1);
    assert_int_equal(spent[1].spent, 1000);
    bucket_untold(buckets, &spent[1]);
    assert_int_equal(buckets_collect(buckets, spent + 2, 62), 1);
    assert_int_equal(spent[2].spent, 1000);
    bucket_settle(buckets, A, -5000, 0);
    assert_false(bucket_take(buckets, A, 10000, 1000, 0, &level));
    assert_int_equal(level.wait_us, 36 * (int64_t)SECOND);
    buckets_free(buckets);
}

static void test_a_full_table_keeps_what_it_must(void **state)
{
    (void)state;
    struct buckets *buckets = buckets_new(1); /* one set */
    struct bucket_level level;
    struct bucket_spent spent[64];
    assert_true(bucket_take(buckets, A, 10000, 10000, 0, &level));
    for (unsigned char i = 10; i < 200; i++) {
        unsigned char key[BUCKET_KEY_BYTES] = {i};
        assert_true(bucket_take(buckets, key, 10000, 1000, i, &level));
        buckets_collect(buckets, spent, 64);
        bucket_take(buckets, A, 10000, 1, i, &level); /* asked for again and again: it stays */
    }
    assert_false(bucket_take(buckets, A, 10000, 1000, 200, &level));
    buckets_free(buckets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_minute_s_quota_and_no_more),
        cmocka_unit_test(test_small_steps_fill_like_large_ones),
        cmocka_unit_test(test_a_cost_above_the_quota),
        cmocka_unit_test(test_what_is_given_back),
        cmocka_unit_test(test_spending_is_told_once),
        cmocka_unit_test(test_a_full_table_keeps_what_it_must),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
