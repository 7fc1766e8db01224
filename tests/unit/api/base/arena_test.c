/* The arena: what it lends is zeroed, aligned, apart from all else, and gone after a reset. */
#include "tests/unit/api/check.h"

#include <pthread.h>
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

/* A thread's next arena of a request's size may stand in the same block: zeroed all the same. */
static void lends_zeroed_again(void **state)
{
    (void)state;
    for (int round = 0; round < 3; round++) {
        struct arena *arena = arena_new(ARENA_REQUEST_BYTES),
                     *other = arena_new(ARENA_REQUEST_BYTES);
        assert_int_equal(arena_bytes(arena), 0);
        for (size_t lent = 0; lent < 2 * ARENA_REQUEST_BYTES; lent += 1000) {
            unsigned char *memory = arena_alloc(arena, 1000);
            for (size_t i = 0; i < 1000; i++)
                assert_int_equal(memory[i], 0);
            memset(memory, 0xAA, 1000);
        }
        char *kept = arena_cstr(other, SPAN("kept"));
        arena_free(arena);
        memset(arena_alloc(other, 2 * ARENA_REQUEST_BYTES), 0xBB, 2 * ARENA_REQUEST_BYTES);
        assert_string_equal(kept, "kept");
        arena_free(other);
    }
}

static void *use_an_arena(void *unused)
{
    struct arena *arena = arena_new(ARENA_REQUEST_BYTES);
    arena_alloc(arena, 3 * ARENA_REQUEST_BYTES);
    arena_free(arena);
    return unused;
}

/* What a thread keeps goes with it: the leak check of the test build is what asserts here. */
static void threads_leave_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, use_an_arena, NULL), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
    }
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
        cmocka_unit_test(lends_zeroed_again),
        cmocka_unit_test(threads_leave_nothing),
        cmocka_unit_test(copies),
        cmocka_unit_test(heap_helpers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
