/* Secrets: what they look like, and that a mistyped one is seen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "api/base/arena.h"
#include "api/base/digest.h"
#include "auth/secret.h"

#define KNOWN_KEY "tpbis_k_Abc-_0Abc-_0Abc-_0Abc-_0Abc-_0Abc-_0Abc-_0Z3zNcqx"

static void test_make(void **state)
{
    (void)state;
    char first[SECRET_LENGTH + 1], second[SECRET_LENGTH + 1];
    unsigned char hash[32], wanted[32], other[32];
    secret_make(SECRET_CLIENT, first, hash);
    secret_make(SECRET_CLIENT, second, other);
    assert_int_equal(strlen(first), 57);
    assert_memory_equal(first, "tpbis_s_", 8);
    assert_memory_not_equal(first + 8, second + 8, 43);
    digest_sha256(span_of(first), wanted);
    assert_memory_equal(hash, wanted, 32);
    assert_memory_not_equal(hash, other, 32);
    struct arena *arena = arena_new(256);
    struct span bytes;
    assert_true(base64url_decode(arena, (struct span){first + 8, 43}, &bytes));
    assert_int_equal(bytes.len, 32);
    arena_free(arena);
}

/* The checksum of a fixed text, computed elsewhere (Python's zlib.crc32), so that nobody changes it unseen. */
static void test_checksum(void **state)
{
    (void)state;
    assert_true(secret_sound(SPAN(KNOWN_KEY), SECRET_API_KEY));
    assert_false(secret_sound(SPAN(KNOWN_KEY), SECRET_CLIENT));
}

static void test_every_mistake_is_seen(void **state)
{
    (void)state;
    char key[SECRET_LENGTH + 2] = "";
    unsigned char hash[32];
    secret_make(SECRET_API_KEY, key, hash);
    assert_true(secret_sound(span_of(key), SECRET_API_KEY));
    assert_true(secret_claims(span_of(key), SECRET_API_KEY));
    assert_false(secret_claims(span_of(key), SECRET_CLIENT));
    for (size_t i = 0; i < SECRET_LENGTH; i++) {
        char was = key[i];
        key[i] = was == 'x' ? 'y' : 'x';
        assert_false(secret_sound(span_of(key), SECRET_API_KEY));
        key[i] = '+';
        assert_false(secret_sound(span_of(key), SECRET_API_KEY));
        key[i] = was;
        assert_false(secret_sound((struct span){key, i}, SECRET_API_KEY));
    }
    key[SECRET_LENGTH] = 'A';
    assert_false(secret_sound((struct span){key, SECRET_LENGTH + 1}, SECRET_API_KEY));
    assert_false(secret_sound(SPAN_NONE, SECRET_API_KEY));
    assert_false(secret_claims(SPAN("tpbis_k"), SECRET_API_KEY));
    assert_false(secret_claims(SPAN("eyJhbGciOiJFUzI1NiJ9"), SECRET_API_KEY));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_make),
        cmocka_unit_test(test_checksum),
        cmocka_unit_test(test_every_mistake_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
