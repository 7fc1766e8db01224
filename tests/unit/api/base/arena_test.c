/* The arena: what it lends is zeroed, aligned, apart from all else, and gone after a reset. */
#include "tests/unit/api/check.h"

#include <stdlib.h>

static void lends_zeroed_and_aligned(void **state)
{
    (void)state;
    struct arena *arena = arena_new(128);
    for (int round = 0; round < 3; round++) {
        for (size_t bytes = 0; bytes < 600; bytes += 7) {
            unsigned char *memory = arena_alloc(arena, bytes);
            assert_non_null(memory);
            assert_int_equal((uintptr_t)memory % _Alignof(max_align_t), 0);
            for (size_t i = 0; i < bytes; i++)
                assert_int_equal(memory[i], 0);
            if (bytes)
                memset(memory, 0xAA, bytes);
        }
        arena_reset(arena);
    }
    arena_free(arena);
}

static void pieces_do_not_overlap(void **state)
{
    (void)state;
    struct arena *arena = arena_new(256);
    unsigned char *pieces[200];
    for (int i = 0; i < 200; i++) {
        size_t bytes = (size_t)(i % 37) * 9 + 1;
        pieces[i] = arena_alloc(arena, bytes);
        memset(pieces[i], i, bytes);
    }
    for (int i = 0; i < 200; i++)
        for (size_t k = 0; k < (size_t)(i % 37) * 9 + 1; k++)
            assert_int_equal(pieces[i][k], i);
    arena_free(arena);
}

static void counts_and_resets(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1024);
    assert_int_equal(arena_bytes(arena), 0);
    void *first = arena_alloc(arena, 100);
    assert_true(arena_bytes(arena) >= 100);
    arena_alloc(arena, 100000); /* far larger than a block */
    assert_true(arena_bytes(arena) >= 100100);
    arena_reset(arena);
    assert_int_equal(arena_bytes(arena), 0);
    assert_ptr_equal(arena_alloc(arena, 100), first); /* the block was kept */
    arena_free(arena);
    arena_free(NULL);
}

static void copies(void **state)
{
    (void)state;
    struct arena *arena = arena_new(64);
    const char source[] = "perpustakaan";
    struct span copy = arena_copy(arena, (struct span){source, 3});
    assert_span(copy, "per");
    assert_ptr_not_equal(copy.ptr, source);
    assert_int_equal(copy.ptr[3], '\0');
    assert_null(arena_copy(arena, SPAN_NONE).ptr);
    assert_non_null(arena_copy(arena, SPAN("")).ptr);
    assert_string_equal(arena_cstr(arena, (struct span){source + 3, 4}), "pust");
    assert_string_equal(arena_cstr(arena, SPAN_NONE), "");
    assert_string_equal(arena_printf(arena, "%d-%s", 7, "tbm"), "7-tbm");
    char *lengthy = arena_printf(arena, "%0500d", 1);
    assert_int_equal(strlen(lengthy), 500);
    arena_free(arena);
}

static void heap_helpers(void **state)
{
    (void)state;
    char *zeroed = memory_alloc(3);
    assert_memory_equal(zeroed, "\0\0\0", 3);
    memcpy(zeroed, "ab", 3);
    zeroed = memory_grow(zeroed, 1000);
    assert_string_equal(zeroed, "ab");
    free(zeroed);
    char *copy = memory_copy("desa");
    assert_string_equal(copy, "desa");
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lends_zeroed_and_aligned),
        cmocka_unit_test(pieces_do_not_overlap),
        cmocka_unit_test(counts_and_resets),
        cmocka_unit_test(copies),
        cmocka_unit_test(heap_helpers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
