/* The keys in force while they are swapped under many readers: each sees one whole set, signs and
 * verifies with it, and publishes it. Built with -fsanitize=thread too (make test-races). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>

#include "auth/key_store.h"
#include "auth/token.h"
#include "tests/unit/auth/forge.h"

#define NOW INT64_C(1700000000)
#define READERS 6
#define SWAPS 100

static char *directories[3]; /* one key; another; both */
static atomic_bool done;
static atomic_size_t reads, wrong;

static void add_key(const char *from, const char *to, const char *name)
{
    struct arena *arena = arena_new(512);
    forge_check(system(arena_printf(arena, "cp -p '%s/es256.pem' '%s/%s'", from, to, name)) == 0,
                "copy a key");
    arena_free(arena);
}

static int setup(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++)
        directories[i] = forge_directory();
    forge_check(key_create(directories[0], stderr) && key_create(directories[1], stderr),
                "make keys");
    add_key(directories[0], directories[2], "a.pem");
    add_key(directories[1], directories[2], "b.pem");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++)
        forge_directory_remove(directories[i]);
    return 0;
}

static struct key_ring *load(size_t i)
{
    struct key_ring *ring = key_ring_load(directories[i], stderr);
    assert_non_null(ring);
    return ring;
}

static uint64_t generation_of(struct key_store *store)
{
    struct key_set *set = key_store_hold(store);
    uint64_t generation = set->generation;
    key_store_release(set);
    return generation;
}

static void test_generation(void **state)
{
    (void)state;
    struct key_store *store = key_store_new(load(0));
    uint64_t first = generation_of(store);
    key_store_swap(store, load(0));
    assert_true(generation_of(store) == first); /* the same keys */
    key_store_swap(store, load(2));
    assert_true(generation_of(store) == first); /* one more */
    key_store_swap(store, load(1));
    assert_true(generation_of(store) != first); /* the first one went */
    key_store_free(store);
}

static void test_a_held_set_stays(void **state)
{
    (void)state;
    struct key_store *store = key_store_new(load(0));
    struct key_set *held = key_store_hold(store);
    char id[KEY_ID_LENGTH + 1];
    memcpy(id, key_ring_signer(held->ring, 0)->id, sizeof id);
    key_store_swap(store, load(1));
    assert_string_equal(key_ring_signer(held->ring, 0)->id, id);
    assert_non_null(strstr(key_ring_signer(held->ring, 0)->private_pem, "PRIVATE KEY"));
    key_store_free(store);
    assert_string_equal(key_ring_signer(held->ring, 0)->id, id);
    key_store_release(held);
}

/* What is signed with a set verifies with it, and every key of it is published with it. */
static bool whole(const struct key_set *set, struct arena *arena)
{
    struct token_rules rules = {set->ring, "issuer", "audience"};
    struct token_claims claims;
    struct span token, jwks = key_ring_jwks(set->ring);
    const char *text = arena_cstr(arena, jwks);
    for (size_t i = 0; i < key_ring_count(set->ring); i++)
        if (!strstr(text, key_ring_at(set->ring, i)->id))
            return false;
    return token_issue(&rules, arena, "c", "c", NULL, NULL, "published:read", NOW, 60, &token) &&
           token_verify(&rules, arena, token, NOW, &claims) == TOKEN_FAULT_none;
}

static void *reader(void *store)
{
    struct arena *arena = arena_new(8192);
    while (!atomic_load(&done)) {
        struct key_set *set = key_store_hold(store);
        atomic_fetch_add(&wrong, !whole(set, arena));
        key_store_release(set);
        atomic_fetch_add(&reads, 1);
        arena_reset(arena);
    }
    arena_free(arena);
    return NULL;
}

static void test_swaps_under_readers(void **state)
{
    (void)state;
    struct key_store *store = key_store_new(load(0));
    pthread_t threads[READERS];
    for (size_t i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, reader, store), 0);
    for (size_t i = 1; i <= SWAPS; i++)
        key_store_swap(store, load(i % 3));
    while (atomic_load(&reads) < 100)
        usleep(1000);
    atomic_store(&done, true);
    for (size_t i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(wrong, 0);
    key_store_free(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_generation),
        cmocka_unit_test(test_a_held_set_stays),
        cmocka_unit_test(test_swaps_under_readers),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
