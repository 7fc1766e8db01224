/* `tpbis purge`: destroys or makes anonymous the personal data whose day has passed (db/functions/personal_data_purge.sql).
 * Rule: it prints numbers, never data; it has not succeeded while a record stays that could not be purged. */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "api/base/arena.h"
#include "api/base/clock.h"
#include "api/commands.h"
#include "api/owner.h"
#include "db/pool.h"
#include "db/query.h"
#include "openapi/contract.h"

#define DEADLINE_MS INT64_C(3600000)

static bool run(struct connection *connection, struct arena *arena, bool keep,
                struct rows **ret_rows)
{
    const struct statement *statement = contract_statement("purge_personal_data");
    struct value *values = arena_alloc(arena, contract_name_count * sizeof(*values));
    const struct write_context context = {.actor = SPAN("command line"),
                                          .client = SPAN_NONE,
                                          .request_id = SPAN_NONE,
                                          .operation = SPAN("purge")};
    int64_t deadline_ms = clock_monotonic_ms() + DEADLINE_MS;
    struct query_step step = {statement, values, false};
    struct table_set changed = {{0}};
    struct query_failure failure = {.code = PROBLEM_NONE};
    struct rows *rows = NULL;
    assert(statement && statement->parameter_count == 1);
    memset(values, 0, contract_name_count * sizeof(*values));
    values[statement->parameters[0].name] = (struct value){
        .text = keep ? "t" : "f", .len = 1, .state = VALUE_PRESENT};

    enum problem_code code = query_write(connection, &context, &step, 1, deadline_ms, &rows,
                                         &changed, &failure);
    if (code == PROBLEM_NONE)
        code = query_commit(connection, deadline_ms, &failure);
    if (code != PROBLEM_NONE) {
        fprintf(stderr, "database: %s: %s\n", problem_texts[code].code, failure.message);
        rows_free(rows);
        query_rollback(connection);
        return false;
    }
    *ret_rows = rows;
    return true;
}

static struct span cell(const struct rows *rows, size_t row, const char *name)
{
    struct span text = SPAN_NONE;
    int column = rows_column(rows, name);
    bool there = column >= 0 && rows_cell(rows, row, (size_t)column, &text);
    assert(there);
    (void)there;
    return text;
}

static void print(const struct rows *rows, bool keep)
{
    printf("{\"run\": %s, \"categories\": {", keep ? "true" : "false");
    for (size_t row = 0; row < rows_count(rows); row++)
        printf("%s\n  \"%.*s\": {\"due\": %.*s, \"removed\": %.*s, \"extended\": %.*s, "
               "\"failed\": %.*s}",
               row ? "," : "", SPAN_ARG(cell(rows, row, "category")),
               SPAN_ARG(cell(rows, row, "due")), SPAN_ARG(cell(rows, row, "removed")),
               SPAN_ARG(cell(rows, row, "extended")), SPAN_ARG(cell(rows, row, "failed")));
    puts("}}");
}

/* False when a record could not be purged: the numbers say of which category, and standard error where to look. */
static bool whole(const struct rows *rows)
{
    bool failed = false;
    for (size_t row = 0; row < rows_count(rows); row++)
        failed = failed || !span_is(cell(rows, row, "failed"), "0");
    if (failed)
        fputs("purge: some records cannot be purged; the log of the database says which and why\n",
              stderr);
    return !failed;
}

int command_purge(const struct settings *settings, int count, char **options)
{
    bool keep = count == 1 && strcmp(options[0], "--run") == 0;
    if (!keep && !(count == 1 && strcmp(options[0], "--dry-run") == 0)) {
        fputs("usage: tpbis purge --dry-run | --run\n", stderr);
        return 2;
    }
    struct arena *arena = arena_new(4096);
    struct pool *pool = pool_new(&(struct pool_options){.url = owner_url(settings),
                                                        .size = 1,
                                                        .lifetime_ms = DEADLINE_MS,
                                                        .statement_timeout_ms = DEADLINE_MS});
    struct connection *connection;
    struct rows *rows = NULL;
    bool done = false;
    enum problem_code code = pool_lend(pool, clock_monotonic_ms() + 30000, &connection);
    if (code == PROBLEM_NONE) {
        if (run(connection, arena, keep, &rows)) {
            print(rows, keep);
            done = whole(rows);
        }
        pool_return(pool, connection);
    } else {
        fprintf(stderr, "database: %s\n", problem_texts[code].code);
    }
    rows_free(rows);
    pool_free(pool);
    arena_free(arena);
    return done ? 0 : 1;
}
