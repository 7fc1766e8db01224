/* The cache of verified tokens: what it remembers, how long, and that many threads agree. Build it
 * with -fsanitize=thread too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "api/base/digest.h"
#include "auth/token_cache.h"

#define NOW INT64_C(1700000000)

static struct arena *arena;
static struct token_cache *cache;

static int setup(void **state)
{
    (void)state;
    arena = arena_new(4096);
    cache = token_cache_new(1024);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    token_cache_free(cache);
    arena_free(arena);
    return 0;
}

static void hash_of(size_t number, unsigned char ret_hash[32])
{
    digest_sha256((struct span){(const char *)&number, sizeof number}, ret_hash);
}

static struct token_claims claims_until(int64_t expires_s)
{
    return (struct token_claims){"subject", "client",  5,     NOW - 10,
                                 expires_s, "session", "jti", {0}};
}

static bool found_at(const unsigned char hash[32], int64_t now_s)
{
    struct token_claims claims;
    return token_cache_find(cache, arena, hash, 1, now_s, &claims);
}

static void test_remembers(void **state)
{
    (void)state;
    unsigned char hash[32], other[32];
    hash_of(1, hash);
    hash_of(2, other);
    assert_false(found_at(hash, NOW));
    struct token_claims in = claims_until(NOW + 600), out;
    token_cache_store(cache, hash, 1, NOW, &in);
    assert_true(token_cache_find(cache, arena, hash, 1, NOW, &out));
    assert_string_equal(out.subject, "subject");
    assert_string_equal(out.client_id, "client");
    assert_ptr_not_equal(out.subject, in.subject);
    assert_string_equal(out.session, "session");
    assert_string_equal(out.id, "jti");
    in.session = NULL; /* a client's own */
    token_cache_store(cache, other, 1, NOW, &in);
    assert_true(token_cache_find(cache, arena, other, 1, NOW, &out));
    assert_null(out.session);
    assert_true(token_cache_find(cache, arena, hash, 1, NOW, &out));
    assert_int_equal(out.scopes, 5);
    assert_true(out.expires_s == NOW + 600 && out.issued_s == NOW - 10);
    memcpy(other, hash, sizeof other);
    other[31] ^= 1; /* the same set, another token */
    assert_false(found_at(other, NOW));
    unsigned char zeros[32] = {0}; /* looks like an empty place */
    assert_false(found_at(zeros, NOW));
    assert_false(found_at(zeros, 0));
}

static void test_expiry(void **state)
{
    (void)state;
    unsigned char hash[32];
    struct token_claims claims = claims_until(NOW + 600);
    hash_of(1, hash);
    token_cache_store(cache, hash, 1, NOW, &claims);
    assert_true(found_at(hash, NOW + TOKEN_CACHE_S - 1));
    assert_false(
        found_at(hash, NOW + TOKEN_CACHE_S)); /* verified anew, though the token lives on */

    hash_of(2, hash);
    claims = claims_until(NOW + 5);
    token_cache_store(cache, hash, 1, NOW, &claims);
    assert_true(found_at(hash, NOW + 4));
    assert_false(found_at(hash, NOW + 5)); /* never beyond exp */
    assert_false(found_at(hash, NOW - 1)); /* a clock that went backward */

    hash_of(3, hash);
    token_cache_store(cache, hash, 1, NOW + 5, &claims); /* dead on arrival */
    assert_false(found_at(hash, NOW + 5));
    assert_false(found_at(hash, NOW));

    hash_of(4, hash); /* stored again: one place, the later verdict */
    claims = claims_until(NOW + 600);
    token_cache_store(cache, hash, 1, NOW, &claims);
    token_cache_store(cache, hash, 1, NOW + 30, &claims);
    assert_true(found_at(hash, NOW + 80));
}

static void test_bounded(void **state)
{
    (void)state;
    struct token_claims claims = claims_until(NOW + 600);
    for (size_t i = 0; i < 10000; i++) {
        unsigned char hash[32];
        hash_of(i, hash);
        token_cache_store(cache, hash, 1, NOW, &claims);
        assert_true(found_at(hash, NOW)); /* the newest is always in */
    }
    size_t kept = 0;
    for (size_t i = 0; i < 10000; i++) {
        unsigned char hash[32];
        hash_of(i, hash);
        kept += found_at(hash, NOW);
    }
    assert_true(kept > 512 && kept <= 1024);
}

/* A key went, so what it had verified is no longer known; what was stored since is. */
static void test_generations(void **state)
{
    (void)state;
    unsigned char hash[32];
    hash_of(1, hash);
    struct token_claims claims = claims_until(NOW + 600), out;
    token_cache_store(cache, hash, 1, NOW, &claims);
    assert_false(token_cache_find(cache, arena, hash, 2, NOW, &out));
    token_cache_store(cache, hash, 2, NOW, &claims);
    assert_true(token_cache_find(cache, arena, hash, 2, NOW, &out));
    assert_false(
        token_cache_find(cache, arena, hash, 1, NOW, &out)); /* a late reader of the old keys */
}

static void test_long_subject(void **state)
{
    (void)state;
    unsigned char hash[32];
    hash_of(1, hash);
    char longest[SUBJECT_MAX_BYTES + 2];
    memset(longest, 'a', sizeof longest);
    longest[SUBJECT_MAX_BYTES + 1] = '\0';
    struct token_claims claims = {longest, "client", 1, NOW, NOW + 600, NULL, NULL, {0}};
    token_cache_store(cache, hash, 1, NOW, &claims);
    assert_false(found_at(hash, NOW)); /* no room, so not remembered: never cut short */
    longest[SUBJECT_MAX_BYTES] = '\0';
    token_cache_store(cache, hash, 1, NOW, &claims);
    struct token_claims out;
    assert_true(token_cache_find(cache, arena, hash, 1, NOW, &out));
    assert_string_equal(out.subject, longest);
}

/* ---- many threads --------------------------------------------------------------------------- */

#define THREADS 8
#define TOKENS 3000
#define ROUNDS 20000

static atomic_size_t hits, wrong;

/* Each token's claims follow from its number; a torn or mixed entry shows as a mismatch. */
static void *stress(void *argument)
{
    size_t seed = (size_t)(uintptr_t)argument * 2654435761U + 1;
    struct arena *own = arena_new(1024);
    for (size_t round = 0; round < ROUNDS; round++) {
        seed = seed * 6364136223846793005U + 1442695040888963407U;
        size_t number = (seed >> 33) % TOKENS;
        int64_t now_s = NOW + (int64_t)(round / 200);
        unsigned char hash[32];
        char subject[32], client[32];
        hash_of(number, hash);
        snprintf(subject, sizeof subject, "s%zu", number);
        snprintf(client, sizeof client, "c%zu", number);
        struct token_claims claims;
        if (token_cache_find(cache, own, hash, 1, now_s, &claims)) {
            hits++;
            if (strcmp(claims.subject, subject) != 0 || strcmp(claims.client_id, client) != 0 ||
                claims.scopes != (uint32_t)number || claims.expires_s <= now_s)
                wrong++;
        } else {
            struct token_claims fresh = {
                subject, client, (uint32_t)number, now_s, now_s + 1 + (int64_t)(number % 90), NULL,
                NULL,    {0}};
            token_cache_store(cache, hash, 1, now_s, &fresh);
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
    const struct CMUnitTest tests[] = {TEST(test_remembers),   TEST(test_expiry),
                                       TEST(test_bounded),     TEST(test_long_subject),
                                       TEST(test_generations), TEST(test_threads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
