/* Runs statements. The rule never to break: a caller gets the rows of all steps or of none,
 * and after a problem no transaction is left open.
 *
 * The few texts below are the engine's own and no statement of db/queries: they are the frame
 * that every write stands in, so no contract entry may leave them out or change them. */
#include "db/query.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/base/buffer.h"
#include "api/base/clock.h"
#include "api/base/log.h"
#include "api/base/trail.h"
#include "db/exchange.h"
#include "db/sqlstate.h"

#define CONTEXT_PARTS 5
static const uint32_t context_types[CONTEXT_PARTS] = {25, 25, 25, 25, 25}; /* text */

/* Must be the first of its transaction: once a snapshot is taken it can no longer become READ
 * WRITE. */
static const struct engine_statement engine_begin = {
    ENGINE_FIRST, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", 0, NULL};
static const struct engine_statement engine_context = {
    ENGINE_FIRST + 1,
    "SELECT set_config('tpbis.actor', $1, true), set_config('tpbis.client', $2, true),"
    " set_config('tpbis.request_id', $3, true), set_config('tpbis.operation', $4, true),"
    " set_config('tpbis.caller_request_id', $5, true)",
    CONTEXT_PARTS, context_types};
/* if_assigned: a transaction that has written nothing needs no number. */
static const struct engine_statement engine_changed = {
    ENGINE_FIRST + 2,
    "SELECT DISTINCT table_name FROM audit WHERE xid = pg_current_xact_id_if_assigned() AND action <> 'read'",
    0, NULL};

#define FRAME_BEFORE 2 /* runs before the first step when a transaction is opened */
#define ROLLBACK_MS 1000

/* ---- rows ------------------------------------------------------------------------------------ */

size_t rows_count(const struct rows *rows)
{
    return (size_t)PQntuples(rows->result);
}

size_t rows_columns(const struct rows *rows)
{
    return (size_t)PQnfields(rows->result);
}

const char *rows_name(const struct rows *rows, size_t column)
{
    return PQfname(rows->result, (int)column);
}

enum cell_type rows_type(const struct rows *rows, size_t column)
{
    switch (PQftype(rows->result, (int)column)) { /* pg_type; fixed for built-in types */
    case 16:
        return CELL_BOOLEAN;
    case 20:   /* int8 */
    case 21:   /* int2 */
    case 23:   /* int4 */
    case 700:  /* float4 */
    case 701:  /* float8 */
    case 1700: /* numeric */
        return CELL_NUMBER;
    case 114:  /* json */
    case 3802: /* jsonb */
        return CELL_JSON;
    case 1184: /* timestamptz */
        return CELL_TIMESTAMP;
    case 1082:
        return CELL_DATE;
    case 2950:
        return CELL_UUID;
    default:
        return CELL_TEXT;
    }
}

int rows_column(const struct rows *rows, const char *name)
{
    int columns = PQnfields(rows->result);
    for (int i = 0; i < columns; i++) /* PQfnumber would fold case and strip quotes */
        if (strcmp(PQfname(rows->result, i), name) == 0)
            return i;
    return -1;
}

bool rows_cell(const struct rows *rows, size_t row, size_t column, struct span *ret_cell)
{
    if (PQgetisnull(rows->result, (int)row, (int)column))
        return false;
    ret_cell->ptr = PQgetvalue(rows->result, (int)row, (int)column);
    ret_cell->len = (size_t)PQgetlength(rows->result, (int)row, (int)column);
    return true;
}

void rows_free(struct rows *rows)
{
    if (!rows)
        return;
    PQclear(rows->result);
    free(rows);
}

static void rows_take(struct exchange *exchange, size_t first, size_t count, struct rows **ret_rows)
{
    for (size_t i = 0; i < count; i++) {
        ret_rows[i] = memory_alloc(sizeof **ret_rows);
        ret_rows[i]->result = exchange_take(exchange, first + i);
    }
}

/* ---- failures -------------------------------------------------------------------------------- */

static void field_copy(char *ret_text, size_t bytes, const PGresult *error, int field)
{
    const char *text = error ? PQresultErrorField(error, field) : NULL;
    snprintf(ret_text, bytes, "%s", text ? text : "");
}

/* Why the exchange failed. `statement` names what failed, for the log. */
static enum problem_code failure_read(const struct exchange *exchange, const char *statement,
                                      bool quiet, struct query_failure *ret_failure)
{
    const char *pointer = "";
    const char *sqlstate = exchange_sqlstate(exchange);
    memset(ret_failure, 0, sizeof *ret_failure);
    field_copy(ret_failure->sqlstate, sizeof ret_failure->sqlstate, exchange->error,
               PG_DIAG_SQLSTATE);
    field_copy(ret_failure->constraint, sizeof ret_failure->constraint, exchange->error,
               PG_DIAG_CONSTRAINT_NAME);
    field_copy(ret_failure->message, sizeof ret_failure->message, exchange->error,
               PG_DIAG_MESSAGE_PRIMARY);
    if (exchange->error && !exchange->lost)
        ret_failure->code = sqlstate_problem(sqlstate, ret_failure->constraint, &pointer);
    else
        ret_failure->code = exchange->late ? PROBLEM_timeout : PROBLEM_database_unavailable;
    snprintf(ret_failure->pointer, sizeof ret_failure->pointer, "%s", pointer);

    if (strcmp(sqlstate, "TB001") == 0) {
        const char *detail = PQresultErrorField(exchange->error, PG_DIAG_MESSAGE_DETAIL);
        if (detail && strlen(detail) < sizeof ret_failure->arguments)
            snprintf(ret_failure->arguments, sizeof ret_failure->arguments, "%s", detail);
        else if (detail) /* half a JSON object is none */
            log_event(LOG_WARNING, "refusal_arguments_too_long", LOG_C("statement", statement));
    }
    if (quiet)
        return ret_failure->code;
    if (ret_failure->code == PROBLEM_internal)
        log_event(LOG_ERROR, "statement_failed", LOG_C("statement", statement),
                  LOG_C("sqlstate", ret_failure->sqlstate),
                  LOG_C("constraint", ret_failure->constraint),
                  LOG_C("message", ret_failure->message));
    else if (ret_failure->code == PROBLEM_timeout ||
             ret_failure->code == PROBLEM_database_unavailable)
        log_event(LOG_WARNING, "statement_not_finished", LOG_C("statement", statement),
                  LOG_C("sqlstate", ret_failure->sqlstate), LOG_C("message", ret_failure->message));
    return ret_failure->code;
}

static const char *step_name(const struct exchange *exchange, const struct query_step *steps,
                             size_t count, size_t before)
{
    size_t run = exchange->failed;
    if (run < before)
        return "(frame)";
    return run - before < count ? steps[run - before].statement->name : "(frame)";
}

static void step_queue(struct exchange *exchange, const struct query_step *step)
{
    struct variant variant = statement_variant(step->statement, step->values, step->count);
    exchange_statement(exchange, &variant, step->values);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* A second try is safe when nothing was answered and nothing can have been stored: on another
 * session when this one turned out dead, on the same when a migration has made a prepared
 * statement stale. */
static bool try_again(struct connection *connection, struct exchange *exchange, int64_t deadline_ms)
{
    if (exchange_stale(exchange))
        return true;
    return exchange->lost && !exchange->late && !exchange->received && connection->pool &&
           clock_monotonic_ms() < deadline_ms && pool_replace(connection, deadline_ms);
}

enum problem_code query_read(struct connection *connection, const struct query_step *steps,
                             size_t count, int64_t deadline_ms, struct rows **ret_rows,
                             struct query_failure *ret_failure)
{
    enum problem_code code = PROBLEM_NONE;
    assert(count <= EXCHANGE_RUNS);
    memset(ret_rows, 0, count * sizeof *ret_rows);
    for (int attempt = 1;; attempt++) {
        struct exchange exchange;
        exchange_begin(&exchange, connection->session);
        exchange_tidy(&exchange);
        for (size_t i = 0; i < count; i++)
            step_queue(&exchange, &steps[i]);
        bool done = exchange_finish(&exchange, deadline_ms);
        bool again = !done && attempt == 1 && try_again(connection, &exchange, deadline_ms);
        if (done)
            rows_take(&exchange, 0, count, ret_rows);
        else if (!again)
            code = failure_read(&exchange, step_name(&exchange, steps, count, 0), false,
                                ret_failure);
        exchange_end(&exchange);
        if (!again)
            return code;
    }
}

/* ---- writing --------------------------------------------------------------------------------- */

/* Pointers to NUL-terminated copies of the context, all in one buffer that the caller frees. */
static void context_copy(const struct write_context *context, struct buffer *copies,
                         const char *ret_values[CONTEXT_PARTS])
{
    const struct span parts[CONTEXT_PARTS] = {context->actor, context->client, context->request_id,
                                              context->operation, trail_get()->caller_request_id};
    size_t begins[CONTEXT_PARTS];
    for (size_t i = 0; i < CONTEXT_PARTS; i++) {
        begins[i] = copies->len;
        buffer_span(copies, parts[i]);
        buffer_char(copies, '\0');
    }
    for (size_t i = 0; i < CONTEXT_PARTS; i++)
        ret_values[i] = copies->data + begins[i];
}

static void changed_read(const PGresult *result, struct table_set *ret_changed)
{
    assert(contract_table_count <= TABLES_MAX);
    memset(ret_changed, 0, sizeof *ret_changed);
    for (int row = 0; row < PQntuples(result); row++)
        for (size_t table = 0; table < contract_table_count; table++)
            if (strcmp(PQgetvalue(result, row, 0), contract_tables[table]) == 0)
                ret_changed->bits[table / 64] |= UINT64_C(1) << table % 64;
}

static void write_queue(struct exchange *exchange, bool opens,
                        const char *const context[CONTEXT_PARTS], const struct query_step *steps,
                        size_t count)
{
    if (opens)
        exchange_engine(exchange, &engine_begin, NULL);
    exchange_tidy(exchange);
    if (opens)
        exchange_engine(exchange, &engine_context, context);
    for (size_t i = 0; i < count; i++)
        step_queue(exchange, &steps[i]);
    exchange_engine(exchange, &engine_changed, NULL);
}

/* A transaction whose session may still be hit by a late cancel request has not succeeded. */
static bool write_finish(struct exchange *exchange, bool opens, int64_t deadline_ms)
{
    bool done = exchange_finish(exchange, deadline_ms);
    if (opens && exchange->run_count && exchange->runs[0])
        exchange->session->in_transaction = true;
    return done && !exchange->session->broken;
}

enum problem_code query_write(struct connection *connection, const struct write_context *context,
                              const struct query_step *steps, size_t count, int64_t deadline_ms,
                              struct rows **ret_rows, struct table_set *ret_changed,
                              struct query_failure *ret_failure)
{
    enum problem_code code = PROBLEM_NONE;
    struct buffer copies = {0};
    const char *values[CONTEXT_PARTS];
    assert(count + FRAME_BEFORE + 1 <= EXCHANGE_RUNS);
    memset(ret_rows, 0, count * sizeof *ret_rows);
    context_copy(context, &copies, values);
    bool opens = !(connection->session && connection->session->in_transaction);
    size_t before = opens ? FRAME_BEFORE : 0;
    /* Nothing is stored before COMMIT, so what opens the transaction may be tried twice. */
    for (int attempt = opens ? 1 : 2;; attempt++) {
        struct exchange exchange;
        exchange_begin(&exchange, connection->session);
        write_queue(&exchange, opens, values, steps, count);
        bool done = write_finish(&exchange, opens, deadline_ms);
        if (!done)
            query_rollback(connection);
        bool again = !done && attempt == 1 && try_again(connection, &exchange, deadline_ms);
        if (done) {
            rows_take(&exchange, before, count, ret_rows);
            changed_read(exchange.runs[before + count], ret_changed);
        } else if (!again) {
            code = failure_read(&exchange, step_name(&exchange, steps, count, before),
                                context->quiet, ret_failure);
        }
        exchange_end(&exchange);
        if (!again)
            break;
    }
    buffer_free(&copies);
    return code;
}

enum problem_code query_commit(struct connection *connection, int64_t deadline_ms,
                               struct query_failure *ret_failure)
{
    struct session *session = connection->session;
    struct exchange exchange;
    enum problem_code code = PROBLEM_NONE;
    assert(session && session->in_transaction);
    exchange_begin(&exchange, session);
    exchange.firm = true;
    exchange_plain(&exchange, "COMMIT");
    bool done = exchange_finish(&exchange, deadline_ms);
    session->in_transaction = false;
    if (done && strcmp(PQcmdStatus(exchange.runs[0]), "COMMIT") != 0) {
        /* ROLLBACK: the transaction had failed before, which query_write() would have told */
        memset(ret_failure, 0, sizeof *ret_failure);
        code = ret_failure->code = PROBLEM_internal;
        log_event(LOG_ERROR, "commit_rolled_back");
    } else if (!done) {
        code = failure_read(&exchange, "(commit)", false, ret_failure);
        /* Only an answer that is an error says that nothing was stored. */
        if (exchange.lost || !exchange.error)
            code = ret_failure->code = PROBLEM_outcome_unknown;
    }
    exchange_end(&exchange);
    return code;
}

void query_rollback(struct connection *connection)
{
    struct session *session = connection->session;
    struct exchange exchange;
    if (!session || !session->in_transaction)
        return;
    session->in_transaction = false;
    if (session->broken)
        return;
    exchange_begin(&exchange, session);
    exchange.firm = true;
    exchange_plain(&exchange, "ROLLBACK");
    if (!exchange_finish(&exchange, clock_monotonic_ms() + ROLLBACK_MS))
        session->broken = true; /* closing it rolls back */
    exchange_end(&exchange);
}
