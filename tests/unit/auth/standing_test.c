/* The cache of standings: only for the version and the day it was read at, and sound under many
 * threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "auth/standing.h"

#define DAY "2026-11-21"

static struct arena *arena;
static struct standing_cache *cache;

static int setup(void **state)
{
    (void)state;
    arena = arena_new(4096);
    cache = standing_cache_new(256);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    standing_cache_free(cache);
    arena_free(arena);
    return 0;
}

static void test_scopes(void **state)
{
    (void)state;
    const struct assignment list[] = {{1, 3, false, "r", "19", NULL}, {6, 1, false, "s", "", NULL}};
    assert_int_equal(standing_scopes(&(struct standing){true, list, 2, NULL, 0, 0}), 7);
    assert_int_equal(standing_scopes(&(struct standing){true, list, 1, NULL, 0, 0}), 1);
    assert_int_equal(standing_scopes(&(struct standing){true, NULL, 0, NULL, 0, 0}), 0);
    assert_int_equal(standing_scopes(&(struct standing){true, NULL, 0, NULL, 0, 8}),
                     8); /* its own */
    assert_int_equal(standing_scopes(&(struct standing){true, list, 2, NULL, 0, 8}), 15);
    assert_int_equal(standing_scopes(&(struct standing){false, NULL, 0, NULL, 0, 8}), 0);
    assert_int_equal(standing_scopes(&(struct standing){false, list, 2, NULL, 0, 0}),
                     0); /* suspended */
}

static void test_version_and_day(void **state)
{
    (void)state;
    char role[] = "regency_facilitator", region[] = "19.01";
    struct assignment list[] = {{3, 4, false, role, region, NULL},
                                {4, 7, false, "library_manager", NULL, "0190-uuid"}};
    struct standing in = {true, list, 2, "19", 60, 8}, out;
    assert_false(standing_cache_find(cache, arena, "c1", 0, "", &out)); /* nor an empty place */
    assert_false(standing_cache_find(cache, arena, "", 0, "", &out) && out.active);
    standing_cache_store(cache, "c1", 7, DAY, &in);
    memset(role, 'x', sizeof role - 1); /* nothing is borrowed */
    memset(region, 'x', sizeof region - 1);
    assert_true(standing_cache_find(cache, arena, "c1", 7, DAY, &out));
    assert_true(out.active);
    assert_int_equal(out.assignment_count, 2);
    assert_string_equal(out.limit, "19");
    assert_int_equal(out.rate_per_minute, 60);
    assert_string_equal(out.assignments[0].role, "regency_facilitator");
    assert_string_equal(out.assignments[0].region, "19.01");
    assert_null(out.assignments[0].library_id);
    assert_int_equal(out.assignments[0].scopes, 3);
    assert_int_equal(out.assignments[0].rank, 4);
    assert_null(out.assignments[1].region);
    assert_string_equal(out.assignments[1].library_id, "0190-uuid");

    assert_false(standing_cache_find(cache, arena, "c1", 8, DAY, &out)); /* a table changed */
    assert_false(standing_cache_find(cache, arena, "c1", 6, DAY, &out));
    assert_false(
        standing_cache_find(cache, arena, "c1", 7, "2026-11-22", &out)); /* midnight in Jakarta */
    assert_false(standing_cache_find(cache, arena, "c2", 7, DAY, &out));

    struct standing suspended = {false, NULL, 0, NULL, 0, 0};
    standing_cache_store(cache, "c1", 8, DAY, &suspended);
    assert_true(standing_cache_find(cache, arena, "c1", 8, DAY, &out));
    assert_false(out.active);
    assert_int_equal(out.assignment_count, 0);
    assert_null(out.limit);
    assert_false(standing_cache_find(cache, arena, "c1", 7, DAY, &out)); /* one place a subject */
}

static void test_bounded(void **state)
{
    (void)state;
    struct standing in = {true, NULL, 0, NULL, 0, 0}, out;
    size_t kept = 0;
    char subject[32];
    for (int i = 0; i < 5000; i++) {
        snprintf(subject, sizeof subject, "c_%d", i);
        standing_cache_store(cache, subject, 1, DAY, &in);
        assert_true(standing_cache_find(cache, arena, subject, 1, DAY, &out));
    }
    for (int i = 0; i < 5000; i++) {
        snprintf(subject, sizeof subject, "c_%d", i);
        kept += standing_cache_find(cache, arena, subject, 1, DAY, &out);
    }
    assert_in_range(kept, 200, 256);
}

/* ---- many threads --------------------------------------------------------------------------- */

#define THREADS 8
#define ROUNDS 20000

static atomic_size_t hits, wrong;

static void *stress(void *argument)
{
    size_t seed = (size_t)(uintptr_t)argument * 2654435761U + 1;
    struct arena *own = arena_new(1024);
    for (size_t round = 0; round < ROUNDS; round++) {
        seed = seed * 6364136223846793005U + 1442695040888963407U;
        unsigned number = (unsigned)(seed >> 33) % 400;
        uint64_t version = round / 1000;
        char subject[32], region[32];
        snprintf(subject, sizeof subject, "c%u", number);
        snprintf(region, sizeof region, "%u.%u", number, (unsigned)version);
        struct standing standing;
        if (standing_cache_find(cache, own, subject, version, DAY, &standing)) {
            hits++;
            if (standing.assignment_count != 1 ||
                strcmp(standing.assignments[0].region, region) != 0)
                wrong++;
        } else {
            struct assignment one = {number, 3, false, "role", region, NULL};
            standing_cache_store(cache, subject, version, DAY,
                                 &(struct standing){true, &one, 1, NULL, 0, 0});
        }
        arena_reset(own);
    }
    arena_free(own);
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, stress, (void *)(uintptr_t)i), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(wrong, 0);
    assert_true(hits > 1000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {TEST(test_scopes), TEST(test_version_and_day),
                                       TEST(test_bounded), TEST(test_threads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
