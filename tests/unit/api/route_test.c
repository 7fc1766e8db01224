/* The router over a trie made by hand. */
#include "tests/unit/api/check.h"

#include "api/route.h"

static const struct operation list = {.id = "list"}, get = {.id = "get"}, create = {.id = "create"},
                              patch = {.id = "patch"}, near = {.id = "near"}, move = {.id = "move"},
                              scheme = {.id = "scheme"};

/* /v1/libraries, /v1/libraries/nearest, /v1/libraries/{id}, .../{id}/moves,
 * .../{id}/identifiers/{scheme} */
static const struct route under_identifiers[] = {{.operations = {[METHOD_PUT] = &scheme}}};
static const struct route under_library[] = {
    {.literal = "identifiers", .children = under_identifiers, .child_count = 1},
    {.literal = "moves", .operations = {[METHOD_POST] = &move}},
};
static const struct route under_libraries[] = {
    {.literal = "nearest", .operations = {[METHOD_GET] = &near}},
    {.children = under_library,
     .child_count = 2,
     .operations = {[METHOD_GET] = &get, [METHOD_PATCH] = &patch}},
};
static const struct route under_v1[] = {
    {.literal = "lib", .operations = {[METHOD_GET] = &list}},
    {.literal = "libraries",
     .children = under_libraries,
     .child_count = 2,
     .operations = {[METHOD_GET] = &list, [METHOD_POST] = &create}},
    {.literal = "regions", .operations = {[METHOD_GET] = &list}},
};
static const struct route under_root[] = {
    {.literal = "v1", .children = under_v1, .child_count = 3}};
static const struct route root = {.children = under_root, .child_count = 1};

static const struct route *walk(const char *raw, struct span *values, size_t *count)
{
    static struct arena *arena;
    if (!arena)
        arena = arena_new(1024);
    struct target target;
    target_split(arena, span_of(raw), &target);
    return route_walk(&root, target.segments, target.segment_count, values, count);
}

static void finds(void **state)
{
    (void)state;
    static const struct {
        const char *raw;
        const struct route *route;
        size_t count;
        const char *values[2];
    } rows[] = {
        {"/v1/lib", &under_v1[0], 0, {0}},
        {"/v1/libraries", &under_v1[1], 0, {0}},
        {"/v1/regions", &under_v1[2], 0, {0}},
        {"/v1/libraries/nearest", &under_libraries[0], 0, {0}}, /* the literal wins */
        {"/v1/libraries/nearer", &under_libraries[1], 1, {"nearer"}},
        {"/v1/libraries/7", &under_libraries[1], 1, {"7"}},
        {"/v1/libraries/a%2Fb", &under_libraries[1], 1, {"a/b"}},
        {"/v1/libraries/7/moves", &under_library[1], 1, {"7"}},
        {"/v1/libraries/7/identifiers/npsn", &under_identifiers[0], 2, {"7", "npsn"}},
        {"/%76%31/libraries", &under_v1[1], 0, {0}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct span values[SEGMENTS_MAX];
        size_t count = 99;
        if (walk(rows[i].raw, values, &count) != rows[i].route)
            fail_msg("%s", rows[i].raw);
        assert_int_equal(count, rows[i].count);
        for (size_t k = 0; k < count; k++)
            assert_span(values[k], rows[i].values[k]);
    }
}

static void does_not_find(void **state)
{
    (void)state;
    static const char *const absent[] = {
        "/",
        "/v1",
        "/v1/",
        "/v1/libraries/",
        "//v1/libraries",
        "/v1//libraries",
        "/v1/libraries//moves",
        "/v1/libraries/7/",
        "/v1/Libraries",
        "/v1/librarie",
        "/v1/librariess",
        "/v1/li",
        "/v2/libraries",
        "/v1/libraries/7/identifiers", /* leads on, but is no resource */
        "/v1/libraries/7/nothing",
        "/v1/libraries/nearest/moves",
        "/v1/libraries%2F7",
        "/v1/libraries/7/moves/1",
        "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17",
        "*",
    };
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) {
        struct span values[SEGMENTS_MAX];
        size_t count = 99;
        if (walk(absent[i], values, &count))
            fail_msg("found %s", absent[i]);
        assert_int_equal(count, 99); /* only set on success */
    }
}

static void tells_what_is_allowed(void **state)
{
    (void)state;
    struct arena *arena = arena_new(256);
    assert_span(route_allow(arena, &under_v1[1]), "GET, HEAD, POST, OPTIONS");
    assert_span(route_allow(arena, &under_libraries[1]), "GET, HEAD, PATCH, OPTIONS");
    assert_span(route_allow(arena, &under_library[1]), "POST, OPTIONS");
    assert_span(route_allow(arena, &under_identifiers[0]), "PUT, OPTIONS");
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds),
        cmocka_unit_test(does_not_find),
        cmocka_unit_test(tells_what_is_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
