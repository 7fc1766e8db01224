/* The tables of SQLSTATEs and constraints. The rule never to break: of no SQLSTATE but TB001,
 * which refuse() raises, does any text of the database reach a client; what is not listed here
 * is our bug. */
#include "db/sqlstate.h"

#include <stdatomic.h>
#include <string.h>

static _Atomic uint64_t unmapped;

static const struct {
    const char *prefix; /* a whole SQLSTATE or its class */
    enum problem_code code;
} states[] = {
    {"57014", PROBLEM_timeout},              /* query_canceled: by us, or by statement_timeout */
    {"57P01", PROBLEM_database_unavailable}, /* admin_shutdown */
    {"57P02", PROBLEM_database_unavailable}, /* crash_shutdown */
    {"57P03", PROBLEM_database_unavailable}, /* cannot_connect_now */
    {"57P05", PROBLEM_database_unavailable}, /* idle_session_timeout */
    {"25P03", PROBLEM_database_unavailable}, /* idle_in_transaction_session_timeout */
    {"08", PROBLEM_database_unavailable},    /* connection exceptions */
    {"53", PROBLEM_database_unavailable},    /* too many connections, disk full, out of memory */
    {"55P03", PROBLEM_busy},                 /* lock_not_available: lock_timeout */
    {"40001", PROBLEM_conflict_retry},       /* serialization_failure */
    {"40P01", PROBLEM_conflict_retry},       /* deadlock_detected */
};

static const struct {
    const char *name;
    enum problem_code code;
    const char *pointer;
} constraints[] = {
#define CONSTRAINT(name, problem, pointer) {#name, PROBLEM_##problem, pointer},
#include "db/constraints.def"
#undef CONSTRAINT
    {NULL, PROBLEM_NONE, NULL},
};

static enum problem_code constraint_problem(const char *constraint, const char **ret_pointer)
{
    for (size_t i = 0; constraints[i].name; i++) {
        if (strcmp(constraints[i].name, constraint) == 0) {
            *ret_pointer = constraints[i].pointer;
            return constraints[i].code;
        }
    }
    return PROBLEM_NONE;
}

enum problem_code sqlstate_problem(const char *sqlstate, const char *constraint,
                                   const char **ret_pointer)
{
    enum problem_code code = PROBLEM_NONE;
    *ret_pointer = "";
    if (sqlstate[0] == '\0')
        return PROBLEM_database_unavailable;
    if (strcmp(sqlstate, "TB001") == 0)
        code = problem_find(span_of(constraint));
    else if (strncmp(sqlstate, "23", 2) == 0)
        code = constraint_problem(constraint, ret_pointer);
    for (size_t i = 0; code == PROBLEM_NONE && i < sizeof states / sizeof states[0]; i++)
        if (strncmp(sqlstate, states[i].prefix, strlen(states[i].prefix)) == 0)
            code = states[i].code;
    if (code != PROBLEM_NONE)
        return code;
    atomic_fetch_add_explicit(&unmapped, 1, memory_order_relaxed);
    return PROBLEM_internal;
}

bool sqlstate_ends_connection(const char *sqlstate)
{
    return sqlstate[0] == '\0' || strncmp(sqlstate, "08", 2) == 0 ||
           strncmp(sqlstate, "57P", 3) == 0 || strcmp(sqlstate, "25P03") == 0;
}

uint64_t sqlstate_unmapped(void)
{
    return atomic_load_explicit(&unmapped, memory_order_relaxed);
}
