/* Runs the contract's statements. Reads are autocommit on connections whose default is read-only;
 * a write is one READ COMMITTED transaction, left open until query_commit() or query_rollback(). */
#ifndef DB_QUERY_H
#define DB_QUERY_H

#include "api/base/arena.h"
#include "api/base/problem.h"
#include "db/pool.h"
#include "db/value.h"

struct rows; /* one result; the caller frees it */

enum cell_type {
    CELL_TEXT,
    CELL_NUMBER,
    CELL_BOOLEAN,
    CELL_JSON,
    CELL_TIMESTAMP,
    CELL_DATE,
    CELL_UUID
};

size_t rows_count(const struct rows *rows);
size_t rows_columns(const struct rows *rows);
const char *rows_name(const struct rows *rows, size_t column);
enum cell_type rows_type(const struct rows *rows, size_t column);
int rows_column(const struct rows *rows, const char *name); /* -1 when there is none */
/* False when the cell is NULL. The bytes live as long as the rows. Booleans are "t" or "f",
 * timestamps as PostgreSQL writes them in UTC ("2026-11-21 10:00:00.123456+00"). */
bool rows_cell(const struct rows *rows, size_t row, size_t column, struct span *ret_cell);
void rows_free(struct rows *rows); /* NULL is fine */

/* Why a statement failed. For a refusal by refuse() or a mapped constraint, code is its problem. */
struct query_failure {
    enum problem_code code;
    char sqlstate[6], constraint[64];
    char pointer[64];     /* of the mapped constraint, or "" */
    char arguments[4096]; /* JSON object that fills the problem's text, or "" */
    char message[256];    /* for the log only, never for a client */
};

struct query_step {
    const struct statement *statement;
    const struct value *values;
    bool count; /* run it as SELECT count(*) over itself: without cursor, order and page_rows */
};

/* Runs the steps in one pipeline and gives one `struct rows` a step (NULL after a failure: all or
 * none). A connection that turns out dead before anything was answered is replaced once by the pool.
 * Problems: those of the failure; PROBLEM_timeout at the deadline (the statement is cancelled),
 * PROBLEM_database_unavailable when the connection is lost. */
enum problem_code query_read(struct connection *connection, const struct query_step *steps,
                             size_t count, int64_t deadline_ms, struct rows **ret_rows,
                             struct query_failure *ret_failure);

struct write_context { /* what the audit records */
    struct span actor, client, request_id, operation;
    bool quiet; /* a failure is told by the caller: the log says nothing of it here */
};
#define TABLES_MAX 128
struct table_set {
    uint64_t bits[TABLES_MAX / 64]; /* by table id */
};

/* Opens the transaction unless it is open, sets the audit's context, runs the steps in one pipeline,
 * and tells which tables have changed so far. After a problem the transaction is rolled back. */
enum problem_code query_write(struct connection *connection, const struct write_context *context,
                              const struct query_step *steps, size_t count, int64_t deadline_ms,
                              struct rows **ret_rows, struct table_set *ret_changed,
                              struct query_failure *ret_failure);
/* PROBLEM_outcome_unknown when the connection is lost during COMMIT. */
enum problem_code query_commit(struct connection *connection, int64_t deadline_ms,
                               struct query_failure *ret_failure);
void query_rollback(struct connection *connection); /* fine when no transaction is open */

#endif
