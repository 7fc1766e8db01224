/* Reach: the array literals that a statement binds, and when there is no limit at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/principal.h"

#define WRITE 1U
#define STATISTICS 2U
#define READ 4U
#define LIBRARY "0193a5c0-0000-7000-8000-000000000001"

static struct arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = arena_new(4096);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static struct reach reach_of(const struct assignment *list, size_t count, uint32_t held,
                             uint32_t scope)
{
    struct principal principal = {.subject = "c1",
                                  .client_id = "c1",
                                  .scopes = held,
                                  .assignments = list,
                                  .assignment_count = count};
    struct reach reach;
    principal_reach(arena, &principal, scope, &reach);
    return reach;
}

static void expect(struct reach reach, const char *from, const char *to, const char *rank,
                   const char *libraries)
{
    assert_false(reach.national);
    assert_string_equal(reach.from, from);
    assert_string_equal(reach.to, to);
    assert_string_equal(reach.rank, rank);
    assert_string_equal(reach.libraries, libraries);
}

static void test_nothing(void **state)
{
    (void)state;
    const struct assignment list[] = {{READ, 7, false, "portal", "", NULL},
                                      {WRITE, 3, false, "provincial_coordinator", "19", NULL}};
    expect(reach_of(NULL, 0, WRITE, WRITE), "{}", "{}", "{}", "{}");
    expect(reach_of(list, 1, READ, WRITE), "{}", "{}", "{}", "{}");
    expect(reach_of(list, 2, READ, WRITE), "{}", "{}", "{}",
           "{}"); /* a role has it, the token does not */
}

static void test_regions(void **state)
{
    (void)state;
    const struct assignment list[] = {
        {WRITE | READ, 3, false, "provincial_coordinator", "19", NULL},
        {READ, 7, false, "team_member", "31", NULL},
        {WRITE, 4, false, "regency_facilitator", "32.01", NULL},
        {WRITE, 7, false, "library_manager", NULL, LIBRARY},
        {WRITE, 7, false, "library_manager", NULL, "0193a5c0-0000-7000-8000-000000000002"},
    };
    expect(reach_of(list, 1, WRITE, WRITE), "{\"19\"}", "{\"19/\"}", "{3}", "{}");
    expect(reach_of(list, 5, WRITE, WRITE), "{\"19\",\"32.01\"}", "{\"19/\",\"32.01/\"}", "{3,4}",
           "{\"" LIBRARY "\",\"0193a5c0-0000-7000-8000-000000000002\"}");
    expect(reach_of(list, 5, WRITE | READ, READ), "{\"19\",\"31\"}", "{\"19/\",\"31/\"}", "{3,7}",
           "{}");
    /* both scopes of one alternative must come from one assignment */
    expect(reach_of(list, 5, WRITE | READ, WRITE | READ), "{\"19\"}", "{\"19/\"}", "{3}", "{}");
}

static void test_national(void **state)
{
    (void)state;
    const struct assignment admin[] = {{WRITE, 1, false, "national_admin", "", NULL},
                                       {WRITE, 3, false, "provincial_coordinator", "19", NULL}};
    assert_true(reach_of(admin, 2, WRITE, WRITE).national);
    assert_true(reach_of(admin, 1, WRITE, WRITE).national);
    /* a hub for its own scope only */
    const struct assignment hub[] = {{STATISTICS, 1, false, "integration", "", NULL},
                                     {WRITE, 4, false, "regency_facilitator", "19.01", NULL}};
    assert_true(reach_of(hub, 2, WRITE | STATISTICS, STATISTICS).national);
    expect(reach_of(hub, 2, WRITE | STATISTICS, WRITE), "{\"19.01\"}", "{\"19.01/\"}", "{4}", "{}");
    /* all Indonesia, but not every rank: a range over every code, with its rank */
    const struct assignment limited[] = {{WRITE, 3, false, "some_role", "", NULL}};
    struct reach reach = reach_of(limited, 1, WRITE, WRITE);
    expect(reach, "{\"\"}", "{\":\"}", "{3}", "{}");
    static const char *const codes[] = {"", "11", "19.01.06.2002", "96", "99.99.99.9999"};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        assert_true(strcmp(codes[i], "") >= 0 && strcmp(codes[i], ":") < 0);
    /* rank 1 in a region is no more than that region */
    const struct assignment region[] = {{STATISTICS, 1, false, "integration", "19", NULL}};
    expect(reach_of(region, 1, STATISTICS, STATISTICS), "{\"19\"}", "{\"19/\"}", "{1}", "{}");
    /* a library and no region is never Indonesia */
    const struct assignment library[] = {{STATISTICS, 1, false, "integration", NULL, LIBRARY}};
    expect(reach_of(library, 1, STATISTICS, STATISTICS), "{}", "{}", "{}", "{\"" LIBRARY "\"}");
    const struct assignment both[] = {{STATISTICS, 1, false, "integration", "", LIBRARY}};
    expect(reach_of(both, 1, STATISTICS, STATISTICS), "{}", "{}", "{}", "{\"" LIBRARY "\"}");
    const struct assignment none[] = {{STATISTICS, 1, false, "integration", NULL, NULL}};
    expect(reach_of(none, 1, STATISTICS, STATISTICS), "{}", "{}", "{}", "{}");
}

static void test_alternatives(void **state)
{
    (void)state;
    const struct assignment list[] = {{WRITE, 3, false, "provincial_coordinator", "19", NULL},
                                      {STATISTICS, 1, false, "integration", "31", NULL},
                                      {READ, 7, false, "portal", "", NULL}};
    struct principal principal = {.subject = "c1",
                                  .client_id = "c1",
                                  .scopes = WRITE | STATISTICS | READ,
                                  .assignments = list,
                                  .assignment_count = 3};
    const uint32_t alternatives[] = {WRITE, STATISTICS};
    struct reach reach;
    principal_reach_any(arena, &principal, alternatives, 2, &reach);
    expect(reach, "{\"19\",\"31\"}", "{\"19/\",\"31/\"}", "{3,1}", "{}");
    principal.scopes = STATISTICS; /* the token was asked for less */
    principal_reach_any(arena, &principal, alternatives, 2, &reach);
    expect(reach, "{\"31\"}", "{\"31/\"}", "{1}", "{}");
    principal_reach_any(arena, &principal, alternatives, 0, &reach);
    expect(reach, "{}", "{}", "{}", "{}");
}

static void test_quoting(void **state)
{
    (void)state;
    const struct assignment list[] = {{WRITE, 3, false, "r", "a\"b\\c,}{ NULL", NULL},
                                      {WRITE, 3, false, "r", "NULL", NULL}};
    expect(reach_of(list, 2, WRITE, WRITE), "{\"a\\\"b\\\\c,}{ NULL\",\"NULL\"}",
           "{\"a\\\"b\\\\c,}{ NULL/\",\"NULL/\"}", "{3,3}", "{}");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {TEST(test_nothing), TEST(test_regions), TEST(test_national),
                                       TEST(test_alternatives), TEST(test_quoting)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
