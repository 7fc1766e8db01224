/* Statements by name. Rule: what a statement is given is bound, never pasted into its text. */
#include "auth/ask.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static void absent(const char *what, const char *name)
{
    fprintf(stderr, "the contract has no %s %s\n", what, name);
    abort();
}

static uint16_t name_find(const char *name)
{
    for (uint16_t id = 0; id < contract_name_count; id++)
        if (strcmp(contract_names[id], name) == 0)
            return id;
    absent("name", name);
    return NAME_NONE;
}

static struct query_step step_make(struct arena *arena, const char *statement,
                                   const struct ask *parameters, size_t count)
{
    struct query_step step = {.statement = contract_statement(statement)};
    if (!step.statement)
        absent("statement", statement);
    struct value *values = arena_alloc(arena, contract_name_count * sizeof(struct value));
    for (size_t i = 0; i < count; i++) {
        struct value *value = &values[name_find(parameters[i].name)];
        if (!parameters[i].text.ptr) {
            value->state = VALUE_NULL;
            continue;
        }
        value->text = arena_cstr(arena, parameters[i].text);
        value->len = (uint32_t)parameters[i].text.len;
        value->state = VALUE_PRESENT;
        value->type = VALUE_TEXT;
    }
    step.values = values;
    return step;
}

enum problem_code ask_read(struct pool *pool, struct arena *arena, const char *statement,
                           const struct ask *parameters, size_t count, int64_t deadline_ms,
                           struct rows **ret_rows)
{
    struct query_step step = step_make(arena, statement, parameters, count);
    struct query_failure failure = {.code = PROBLEM_NONE};
    struct connection *connection;
    struct rows *rows = NULL;
    enum problem_code problem = pool_lend(pool, deadline_ms, &connection);
    if (problem == PROBLEM_NONE) {
        problem = query_read(connection, &step, 1, deadline_ms, &rows, &failure);
        pool_return(pool, connection);
    }
    *ret_rows = rows;
    return problem;
}

enum problem_code ask_write(struct pool *pool, struct arena *arena,
                            const struct write_context *context, const char *statement,
                            const struct ask *parameters, size_t count, int64_t deadline_ms,
                            struct rows **ret_rows, struct table_set *ret_changed,
                            struct query_failure *ret_failure)
{
    struct query_step step = step_make(arena, statement, parameters, count);
    struct query_failure failure = {.code = PROBLEM_NONE};
    struct table_set changed = {{0}};
    struct connection *connection;
    struct rows *rows = NULL;
    enum problem_code problem = pool_lend(pool, deadline_ms, &connection);
    if (problem == PROBLEM_NONE) {
        problem = query_write(connection, context, &step, 1, deadline_ms, &rows, &changed,
                              &failure);
        if (problem == PROBLEM_NONE)
            problem = query_commit(connection, deadline_ms, &failure);
        pool_return(pool, connection);
    }
    if (problem != PROBLEM_NONE) {
        rows_free(rows);
        rows = NULL;
    }
    if (ret_failure)
        *ret_failure = failure;
    if (ret_changed)
        *ret_changed = changed;
    *ret_rows = rows;
    return problem;
}

const char *ask_cell(struct arena *arena, const struct rows *rows, const char *column)
{
    int at = rows_column(rows, column);
    struct span text = SPAN_NONE;
    assert(at >= 0);
    if (rows_count(rows) == 0 || !rows_cell(rows, 0, (size_t)at, &text))
        return NULL;
    return arena_cstr(arena, text);
}
