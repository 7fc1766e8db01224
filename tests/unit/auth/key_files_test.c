/* The life of a key: next, current, previous, dead, told by names and clocks alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/key_files.h"
#include "tests/unit/auth/forge.h"

#define T0 INT64_C(1767225600) /* 2026-01-01T00:00:00Z */
#define DAY INT64_C(86400)

static struct arena *arena;
static char *directory, *errors_text;
static size_t errors_len;
static FILE *errors;

static int setup(void **state)
{
    (void)state;
    arena = arena_new(4096);
    directory = forge_directory();
    errors = open_memstream(&errors_text, &errors_len);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(arena_printf(arena, "%s/.lock", directory));
    fclose(errors);
    free(errors_text);
    forge_directory_remove(directory);
    arena_free(arena);
    return 0;
}

/* "next current ..." in the order of the ring. */
static const char *states(int64_t now_s)
{
    struct key_ring *ring = key_ring_load(directory, errors);
    const char *text = "";
    for (size_t i = 0; ring && i < key_ring_count(ring); i++)
        text = arena_printf(arena, "%s%s%s", text, i ? " " : "",
                            key_state_text(key_state(ring, key_ring_at(ring, i), now_s)));
    key_ring_free(ring);
    return text;
}

static const char *id_at(size_t place)
{
    struct key_ring *ring = key_ring_load(directory, errors);
    assert_true(ring && place < key_ring_count(ring));
    const char *id = arena_printf(arena, "%s", key_ring_at(ring, place)->id);
    key_ring_free(ring);
    return id;
}

static void test_names(void **state)
{
    (void)state;
    assert_int_equal(key_signs_from("es256-20260101T000000Z.pem"), T0);
    assert_int_equal(key_signs_from("es256-20260101T000001Z.pem"), T0 + 1);
    static const char *const undated[] = {"es256.pem",
                                          "a.pem",
                                          "es256-20260101T000000.pem",
                                          "es256-20261301T000000Z.pem",
                                          "es256-2026 101T000000Z.pe",
                                          "rs256-20260101T000000Z.pem",
                                          ""};
    for (size_t i = 0; i < sizeof undated / sizeof *undated; i++)
        assert_int_equal(key_signs_from(undated[i]), 0);
}

static void test_life(void **state)
{
    (void)state;
    assert_true(key_create(directory, errors));
    assert_string_equal(states(T0), "current");
    assert_true(key_rotate(directory, 900, T0, errors));
    assert_string_equal(states(T0), "current next");
    assert_string_equal(states(T0 + 899), "current next");
    assert_string_equal(states(T0 + 900), "previous current");
    assert_string_equal(states(T0 + 900 + KEY_TRAIL_S - 1), "previous current");
    assert_string_equal(states(T0 + 900 + KEY_TRAIL_S), "dead current");
    assert_string_equal(states(T0),
                        "current next"); /* of another clock, by nothing but that clock */

    assert_false(key_rotate(directory, 900, T0 + 1, errors)); /* one is next already */
    assert_string_equal(states(T0), "current next");
    assert_true(key_rotate(directory, 0, T0 + 1, errors)); /* an emergency does not wait for it */
    assert_string_equal(states(T0 + 1), "previous current next");
    assert_string_equal(states(T0 + 900), "previous previous current");
    assert_true(key_rotate(directory, 0, T0 + 1, errors)); /* twice in a second: the next one */
    assert_string_equal(states(T0 + 1), "previous current next next");
    assert_string_equal(states(T0 + 2), "previous previous current next");
    assert_true(
        key_rotate(directory, 900, T0 + 1 + KEY_TRAIL_S, errors)); /* and what is dead goes */
    assert_string_equal(states(T0 + 1 + KEY_TRAIL_S), "previous previous current next");
}

static void test_only_a_next_one(void **state)
{
    (void)state;
    assert_true(key_make(directory, "es256-20260101T000000Z.pem", errors));
    assert_false(key_make(directory, "es256-20260101T000000Z.pem", errors));
    assert_string_equal(states(T0 - DAY),
                        "current"); /* a clock that is behind signs all the same */
}

static void test_schedule(void **state)
{
    (void)state;
    bool changed;
    assert_true(key_make(directory, "es256-20260101T000000Z.pem", errors));
    assert_true(key_rotate_due(directory, 30, T0 + 30 * DAY - KEY_LEAD_S - 1, &changed, errors));
    assert_false(changed);
    assert_true(key_rotate_due(directory, 30, T0 + 30 * DAY - KEY_LEAD_S, &changed, errors));
    assert_true(changed);
    assert_string_equal(states(T0 + 30 * DAY - 1), "current next");
    assert_string_equal(states(T0 + 30 * DAY), "previous current"); /* to the second */
    assert_true(key_rotate_due(directory, 30, T0 + 30 * DAY, &changed, errors));
    assert_false(changed);
    assert_true(key_rotate_due(directory, 30, T0 + 30 * DAY + KEY_TRAIL_S, &changed, errors));
    assert_true(changed);
    assert_string_equal(states(T0 + 30 * DAY + KEY_TRAIL_S), "current");
}

/* Without a time in its name a key is as old as its file. */
static void test_schedule_of_the_first(void **state)
{
    (void)state;
    bool changed;
    assert_true(key_create(directory, errors));
    assert_true(key_rotate_due(directory, 30, (int64_t)time(NULL), &changed, errors));
    assert_false(changed);
    assert_true(key_rotate_due(directory, 30, (int64_t)time(NULL) + 30 * DAY, &changed, errors));
    assert_true(changed);
}

static void test_retire(void **state)
{
    (void)state;
    assert_true(key_create(directory, errors));
    assert_false(
        key_retire(directory, id_at(0), true, T0, errors)); /* the only one, whatever is said */
    assert_true(key_rotate(directory, 900, T0, errors));
    assert_false(key_retire(directory, id_at(0), false, T0, errors));
    assert_false(key_retire(directory, id_at(0), false, T0 + 900, errors)); /* its tokens live */
    assert_false(key_retire(directory, "nobody", true, T0, errors));
    assert_string_equal(states(T0), "current next");
    assert_true(key_retire(directory, id_at(1), false, T0, errors)); /* it signed nothing yet */
    assert_string_equal(states(T0), "current");
    assert_true(key_rotate(directory, 0, T0, errors));
    assert_true(key_retire(directory, id_at(0), true, T0, errors));
    assert_string_equal(states(T0), "current");
}

static void test_list(void **state)
{
    (void)state;
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    assert_true(key_create(directory, errors) && key_rotate(directory, 0, T0, errors));
    assert_true(key_list(directory, T0, out, errors));
    fclose(out);
    assert_string_equal(
        text, arena_printf(arena,
                           "%s\tprevious\tthe beginning\tes256.pem\n"
                           "%s\tcurrent\t2026-01-01T00:00:00Z\tes256-20260101T000000Z.pem\n",
                           id_at(0), id_at(1)));
    free(text);
    assert_false(key_list("/nowhere/at/all", T0, stdout, errors));
    assert_false(key_rotate("/nowhere/at/all", 0, T0, errors));
}

static void test_fingerprint(void **state)
{
    (void)state;
    unsigned char before[32], after[32];
    assert_true(key_create(directory, errors));
    assert_true(key_fingerprint(directory, before) && key_fingerprint(directory, after));
    assert_memory_equal(before, after, 32);
    assert_true(key_rotate(directory, 900, T0, errors)); /* its lock file tells nothing */
    assert_true(key_fingerprint(directory, after));
    assert_memory_not_equal(before, after, 32);
    assert_true(key_retire(directory, id_at(1), true, T0, errors));
    assert_true(key_fingerprint(directory, after));
    assert_memory_equal(before, after, 32);
    assert_int_equal(chmod(arena_printf(arena, "%s/es256.pem", directory), 0400), 0);
    assert_true(key_fingerprint(directory, after));
    assert_memory_not_equal(before, after, 32);
    assert_false(key_fingerprint("/nowhere/at/all", after));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_names),
        TEST(test_life),
        TEST(test_only_a_next_one),
        TEST(test_schedule),
        TEST(test_schedule_of_the_first),
        TEST(test_retire),
        TEST(test_list),
        TEST(test_fingerprint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
