/* Suspends and reinstates a client for the command line, when the API cannot be used or trusted. Rule: it goes the way every write goes,
 * with its audit, so that all processes notice. */
#include "auth/access.h"
#include "auth/token.h"

#include "api/base/clock.h"

#define DEADLINE_MS 30000

static enum problem_code status_write(struct connection *connection, const struct value *values,
                                      bool suspend, int64_t deadline_ms, size_t *ret_count,
                                      struct query_failure *ret_failure)
{
    const struct write_context context = {.actor = SPAN("command line"),
                                          .client = SPAN_NONE,
                                          .request_id = SPAN_NONE,
                                          .operation = suspend ? SPAN("client_suspend")
                                                               : SPAN("client_reinstate")};
    struct query_step step = {access_statement(ACCESS_set_client_status), values, false};
    struct table_set changed = {{0}};
    struct rows *rows = NULL;
    enum problem_code problem = query_write(connection, &context, &step, 1, deadline_ms, &rows,
                                            &changed, ret_failure);
    if (problem != PROBLEM_NONE)
        return problem;
    *ret_count = rows_count(rows);
    rows_free(rows);
    return query_commit(connection, deadline_ms, ret_failure);
}

static bool status_set(struct pool *pool, const struct value *values, bool suspend, FILE *errors)
{
    int64_t deadline_ms = clock_monotonic_ms() + DEADLINE_MS;
    struct connection *connection;
    struct query_failure failure = {.code = PROBLEM_NONE};
    size_t count = 0;
    enum problem_code problem = pool_lend(pool, deadline_ms, &connection);
    if (problem == PROBLEM_NONE) {
        problem = status_write(connection, values, suspend, deadline_ms, &count, &failure);
        pool_return(pool, connection);
    }
    if (problem != PROBLEM_NONE)
        fprintf(errors, "database: %s: %s\n", problem_texts[problem].code, failure.message);
    else if (count == 0)
        fputs("there is no such client\n", errors);
    return problem == PROBLEM_NONE && count == 1;
}

bool auth_client_status(const char *url, const char *client_id, const char *reason, FILE *errors)
{
    if (!subject_valid(span_of(client_id))) {
        fputs("there is no such client\n", errors);
        return false;
    }
    access_init();
    struct arena *arena = arena_new(4096);
    struct value *values = access_values(arena);
    access_bind(values, ACCESS_CLIENT_ID, span_of(client_id), arena);
    if (reason)
        access_bind(values, ACCESS_CLIENT_REASON, span_of(reason), arena);
    struct pool_options options = {
        .url = url, .size = 1, .lifetime_ms = INT64_C(600000), .statement_timeout_ms = DEADLINE_MS};
    struct pool *pool = pool_new(&options);
    bool good = status_set(pool, values, reason != NULL, errors);
    pool_free(pool);
    arena_free(arena);
    return good;
}
