/* From SQLSTATEs and constraints to problems. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "db/sqlstate.h"

static enum problem_code problem(const char *sqlstate, const char *constraint)
{
    const char *pointer = NULL;
    enum problem_code code = sqlstate_problem(sqlstate, constraint, &pointer);
    assert_non_null(pointer);
    return code;
}

static void listed_states(void **state)
{
    (void)state;
    static const struct {
        const char *sqlstate;
        enum problem_code code;
    } cases[] = {
        {"", PROBLEM_database_unavailable},
        {"08006", PROBLEM_database_unavailable},
        {"08000", PROBLEM_database_unavailable},
        {"57P01", PROBLEM_database_unavailable},
        {"57P02", PROBLEM_database_unavailable},
        {"57P03", PROBLEM_database_unavailable},
        {"53300", PROBLEM_database_unavailable},
        {"25P03", PROBLEM_database_unavailable},
        {"57014", PROBLEM_timeout},
        {"55P03", PROBLEM_busy},
        {"40001", PROBLEM_conflict_retry},
        {"40P01", PROBLEM_conflict_retry},
    };
    uint64_t before = sqlstate_unmapped();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(problem(cases[i].sqlstate, ""), cases[i].code);
    assert_true(sqlstate_unmapped() == before);
}

static void our_bugs_are_counted(void **state)
{
    (void)state;
    static const char *const states[] = {"22P02", "22003", "22021", "42601", "42501", "42P05",
                                         "26000", "0A000", "25006", "P0001", "XX000", "23505",
                                         "23514", "TB001", "40002", "55000", "TB002"};
    uint64_t before = sqlstate_unmapped();
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        assert_int_equal(problem(states[i], "no_such_constraint"), PROBLEM_internal);
    assert_true(sqlstate_unmapped() == before + sizeof states / sizeof *states);
}

static void a_refusal_names_its_problem(void **state)
{
    (void)state;
    uint64_t before = sqlstate_unmapped();
    assert_int_equal(problem("TB001", "not_found"), PROBLEM_not_found);
    assert_int_equal(problem("TB001", "precondition_failed"), PROBLEM_precondition_failed);
    assert_int_equal(problem("TB001", "out_of_reach"), PROBLEM_out_of_reach);
    assert_true(sqlstate_unmapped() == before);
    /* Of no other class is the constraint read as a problem's name. */
    assert_int_equal(problem("P0001", "not_found"), PROBLEM_internal);
    assert_int_equal(problem("23514", "not_found"), PROBLEM_internal);
}

static void every_mapped_constraint(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum problem_code code;
        const char *pointer;
    } mapped[] = {
#define CONSTRAINT(name, problem, pointer) {#name, PROBLEM_##problem, pointer},
#include "db/constraints.def"
#undef CONSTRAINT
        {NULL, PROBLEM_NONE, NULL},
    };
    for (size_t i = 0; mapped[i].name; i++) {
        const char *pointer = NULL;
        assert_int_equal(sqlstate_problem("23505", mapped[i].name, &pointer), mapped[i].code);
        assert_string_equal(pointer, mapped[i].pointer);
        assert_true(pointer[0] == '\0' || pointer[0] == '/');
        assert_int_equal(problem("22P02", mapped[i].name), PROBLEM_internal); /* only class 23 */
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(mapped[k].name, mapped[i].name);
    }
}

static void states_that_end_a_connection(void **state)
{
    (void)state;
    static const char *const ending[] = {"", "08006", "57P01", "57P02", "57P03", "57P05", "25P03"};
    static const char *const harmless[] = {"57014", "23505", "40001", "55P03",
                                           "TB001", "53200", "25P02"};
    for (size_t i = 0; i < sizeof ending / sizeof *ending; i++)
        assert_true(sqlstate_ends_connection(ending[i]));
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++)
        assert_false(sqlstate_ends_connection(harmless[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(listed_states),
        cmocka_unit_test(our_bugs_are_counted),
        cmocka_unit_test(a_refusal_names_its_problem),
        cmocka_unit_test(every_mapped_constraint),
        cmocka_unit_test(states_that_end_a_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
