/* The public JSON Schema test suite against our validator: build/gen/schema_suite_data.h, made by
 * schema_suite.py, holds the groups that say only what the contract may say. Bodies go through
 * json_scan as in the service. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/json_scan.h"
#include "api/validate.h"
#include "schema_suite_data.h"

#define SUITE_TESTS (sizeof(suite_tests) / sizeof(*suite_tests))

_Static_assert(SUITE_TESTS >= SUITE_TESTS_MIN, "the suite has shrunk");

static void agrees(const struct suite_test *test, struct arena *arena)
{
    struct faults faults = {.arena = arena};
    struct span arguments;
    json_t *json = NULL;
    enum problem_code code = json_scan(arena, span_of(test->instance), &json, &faults, &arguments);
    bool valid = false;
    if (code == PROBLEM_NONE) {
        const struct schema *schema = test_schemas[test->schema].schema;
        valid = validate_holds(schema, json);
        validate_json(schema, json, false, &faults);
        json_decref(json);
        if (valid != (faults.count == 0))
            fail_msg("%s, %s: validate_holds and validate_json differ",
                     test_schemas[test->schema].name, test->name);
    } else if (code != PROBLEM_invalid_body) { /* numbers out of range and the like */
        fail_msg("%s, %s: no JSON", test_schemas[test->schema].name, test->name);
    }
    if (valid != test->valid)
        fail_msg("%s, %s: %s", test_schemas[test->schema].name, test->name,
                 valid ? "accepted" : "refused");
}

/* One cmocka test a group, named after it. */
static void group(void **state)
{
    size_t schema = (size_t)(uintptr_t)*state, count = 0;
    struct arena *arena = arena_new(65536);
    for (size_t i = 0; i < SUITE_TESTS; i++) {
        if (suite_tests[i].schema != schema)
            continue;
        agrees(&suite_tests[i], arena);
        count++;
    }
    arena_free(arena);
    assert_true(count > 0);
}

int main(void)
{
    struct CMUnitTest tests[SUITE_TESTS] = {0};
    validate_init();
    if (test_schema_count > SUITE_TESTS)
        return 1;
    for (size_t i = 0; i < test_schema_count; i++)
        tests[i] = (struct CMUnitTest){.name = test_schemas[i].name,
                                       .test_func = group,
                                       .initial_state = (void *)(uintptr_t)i};
    return _cmocka_run_group_tests("schema_suite", tests, test_schema_count, NULL, NULL);
}
