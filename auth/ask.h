/* One internal statement by its name: what auth asks the database beside the hot path of tokens. */
#ifndef AUTH_ASK_H
#define AUTH_ASK_H

#include "db/query.h"

struct ask {
    const char *name; /* of the parameter, as the statement writes it */
    struct span text; /* SPAN_NONE is NULL */
};

/* Aborts when the contract has no such statement or parameter: a fault of the build. The caller
 * frees the rows; they are NULL after a problem. Problems: those of pool_lend() and query_read(). */
enum problem_code ask_read(struct pool *pool, struct arena *arena, const char *statement,
                           const struct ask *parameters, size_t count, int64_t deadline_ms,
                           struct rows **ret_rows);

/* The same as a transaction of its own, committed. `ret_failure` and `ret_changed` may be NULL. */
enum problem_code ask_write(struct pool *pool, struct arena *arena,
                            const struct write_context *context, const char *statement,
                            const struct ask *parameters, size_t count, int64_t deadline_ms,
                            struct rows **ret_rows, struct table_set *ret_changed,
                            struct query_failure *ret_failure);

/* A cell of the first row, copied into the arena; NULL when it is NULL or there is no row. */
const char *ask_cell(struct arena *arena, const struct rows *rows, const char *column);

#endif
