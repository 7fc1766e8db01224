/* The owner's statements for the command line. Rule: a reason for every failure, on stderr, and nothing half done. */
#include "api/owner.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "api/base/clock.h"
#include "db/pool.h"
#include "openapi/contract.h"

#define DEADLINE_MS INT64_C(600000) /* the audit of years is read row by row */

struct owner {
    const char *command;
    struct arena *arena;
    struct pool *pool;
    struct connection *connection;
    struct value *values;
};

const char *owner_url(const struct settings *settings)
{
    return *settings->owner_database_url ? settings->owner_database_url : settings->database_url;
}

struct owner *owner_open(const struct settings *settings, const char *command)
{
    struct owner *owner = memory_alloc(sizeof(*owner));
    struct pool_options options = {.url = owner_url(settings),
                                   .size = 1,
                                   .lifetime_ms = DEADLINE_MS,
                                   .statement_timeout_ms = DEADLINE_MS};
    owner->command = command;
    owner->arena = arena_new(16384);
    owner->values = arena_alloc(owner->arena, contract_name_count * sizeof(*owner->values));
    owner->pool = pool_new(&options);
    enum problem_code code = pool_lend(owner->pool, clock_monotonic_ms() + 30000,
                                       &owner->connection);
    if (!code)
        return owner;
    fprintf(stderr, "database: %s\n", problem_texts[code].code);
    owner->connection = NULL;
    owner_close(owner);
    return NULL;
}

void owner_close(struct owner *owner)
{
    if (owner->connection)
        pool_return(owner->pool, owner->connection);
    pool_free(owner->pool);
    arena_free(owner->arena);
    free(owner);
}

void owner_bind(struct owner *owner, const char *name, const char *text)
{
    for (uint16_t i = 0; i < contract_name_count; i++)
        if (strcmp(contract_names[i], name) == 0) {
            owner->values[i] = (struct value){
                .text = text, .len = (uint32_t)strlen(text), .state = VALUE_PRESENT};
            return;
        }
    assert(!"a name that no statement has");
}

static struct rows *failed(const struct query_failure *failure, enum problem_code code)
{
    fprintf(stderr, "%s: %s%s%s\n", problem_texts[code].code,
            problem_texts[code].title[LANGUAGE_EN], failure->message[0] ? ": " : "",
            failure->message);
    return NULL;
}

struct rows *owner_read(struct owner *owner, const char *statement)
{
    struct query_step step = {contract_statement(statement), owner->values, false};
    struct rows *rows = NULL;
    struct query_failure failure = {0};
    assert(step.statement);
    enum problem_code code = query_read(owner->connection, &step, 1,
                                        clock_monotonic_ms() + DEADLINE_MS, &rows, &failure);
    return code ? failed(&failure, code) : rows;
}

struct rows *owner_write(struct owner *owner, const char *statement)
{
    struct write_context context = {.actor = SPAN("command line"),
                                    .operation = span_of(owner->command)};
    struct query_step step = {contract_statement(statement), owner->values, false};
    struct rows *rows = NULL;
    struct table_set changed = {{0}};
    struct query_failure failure = {0};
    int64_t deadline_ms = clock_monotonic_ms() + DEADLINE_MS;
    assert(step.statement);
    enum problem_code code = query_write(owner->connection, &context, &step, 1, deadline_ms, &rows,
                                         &changed, &failure);
    if (!code)
        code = query_commit(owner->connection, deadline_ms, &failure);
    if (!code)
        return rows;
    rows_free(rows);
    return failed(&failure, code);
}

const char *owner_cell(struct owner *owner, const struct rows *rows, size_t row, const char *column)
{
    struct span cell;
    int at = rows_column(rows, column);
    return at >= 0 && rows_cell(rows, row, (size_t)at, &cell) ? arena_cstr(owner->arena, cell) : "";
}
