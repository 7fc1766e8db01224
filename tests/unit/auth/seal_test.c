/* Sealed texts: what opens, and what does not. */
#define _GNU_SOURCE /* memmem */
#include "auth/seal.h"

#include "tests/unit/api/check.h"

static void test_it_opens_again(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1024);
    const unsigned char key[SEAL_KEY_BYTES] = {1, 2, 3};
    const struct span texts[] = {SPAN(""), SPAN("a"), SPAN("{\"secret\":\"shown once\"}")};
    for (size_t i = 0; i < 3; i++) {
        struct span sealed = seal_close(arena, key, texts[i]),
                    again = seal_close(arena, key, texts[i]), plain;
        assert_true(seal_open(arena, key, sealed, &plain));
        assert_true(span_equal(plain, texts[i]));
        assert_false(span_equal(sealed, again)); /* another nonce */
        assert_null(texts[i].len > 3 ? memmem(sealed.ptr, sealed.len, texts[i].ptr, texts[i].len)
                                     : NULL);
    }
    arena_free(arena);
}

static void test_what_was_touched_does_not_open(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1024);
    const unsigned char key[SEAL_KEY_BYTES] = {1, 2, 3}, other[SEAL_KEY_BYTES] = {1, 2, 4};
    struct span sealed = seal_close(arena, key, SPAN("text")), plain;
    assert_false(seal_open(arena, other, sealed, &plain));
    for (size_t i = 0; i < sealed.len; i++) {
        char *touched = arena_cstr(arena, sealed);
        touched[i] ^= 1;
        assert_false(seal_open(arena, key, (struct span){touched, sealed.len}, &plain));
        assert_false(seal_open(arena, key, (struct span){sealed.ptr, i}, &plain));
    }
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_opens_again),
        cmocka_unit_test(test_what_was_touched_does_not_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
