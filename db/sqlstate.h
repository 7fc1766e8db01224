/* From what PostgreSQL reports to what a client is told. */
#ifndef DB_SQLSTATE_H
#define DB_SQLSTATE_H

#include <stdint.h>
#include "api/base/problem.h"

/* The problem of that SQLSTATE ("" is libpq's own: no connection) and constraint ("" when
 * none). *ret_pointer is the JSON pointer of a mapped constraint, else "". PROBLEM_internal is
 * our bug, and is counted. */
enum problem_code sqlstate_problem(const char *sqlstate, const char *constraint,
                                   const char **ret_pointer);

/* Whether the server ends the connection with it, or there is none to begin with. */
bool sqlstate_ends_connection(const char *sqlstate);

uint64_t sqlstate_unmapped(void); /* failures since the start that nothing maps */

#endif
