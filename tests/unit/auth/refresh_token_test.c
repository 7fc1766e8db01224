/* Refresh tokens as text: read back whole, ours and nobody else's, and a successor only from the token before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/refresh_token.h"

static const unsigned char key[REFRESH_KEY_BYTES] = {1, 2, 3};
static const struct refresh_token token = {"01a1fdc3-5794-7ad4-bf33-412c110bd3ca", {9, 8, 7, 255}};

static void reads_back(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1024);
    struct refresh_token read;
    struct span text = refresh_token_text(arena, key, &token);
    assert_int_equal(text.len, 94);
    assert_true(refresh_token_claims(text));
    assert_true(refresh_token_read(key, text, &read));
    assert_string_equal(read.grant_id, token.grant_id);
    assert_memory_equal(read.secret, token.secret, sizeof token.secret);
    arena_free(arena);
}

static void every_other_text_is_none(void **state)
{
    (void)state;
    struct arena *arena = arena_new(4096);
    struct refresh_token read;
    struct span text = refresh_token_text(arena, key, &token);
    for (size_t i = 0; i < text.len; i++) {
        char *changed = arena_cstr(arena, text);
        changed[i] = changed[i] == 'B' ? 'C' : 'B';
        assert_false(refresh_token_read(key, span_of(changed), &read));
        assert_false(refresh_token_read(key, (struct span){text.ptr, i}, &read));
    }
    assert_false(
        refresh_token_read(key, span_of(arena_printf(arena, "%.*sA", SPAN_ARG(text))), &read));
    const unsigned char other[REFRESH_KEY_BYTES] = {1, 2, 4};
    assert_false(refresh_token_read(other, text, &read));
    arena_free(arena);
}

static void a_seal_opens_with_its_token_alone(void **state)
{
    (void)state;
    unsigned char sealed[REFRESH_SECRET_BYTES], opened[REFRESH_SECRET_BYTES];
    refresh_token_seal(SPAN("before"), token.secret, sealed);
    assert_memory_not_equal(sealed, token.secret, sizeof sealed);
    refresh_token_seal(SPAN("before"), sealed, opened);
    assert_memory_equal(opened, token.secret, sizeof opened);
    refresh_token_seal(SPAN("befora"), sealed, opened);
    assert_memory_not_equal(opened, token.secret, sizeof opened);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_back),
        cmocka_unit_test(every_other_text_is_none),
        cmocka_unit_test(a_seal_opens_with_its_token_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
