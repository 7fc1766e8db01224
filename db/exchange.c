/* One pipeline, sent and collected. The rule never to break: after exchange_finish() either
 * every result up to the sync has been read, or the session is marked broken; a half-read
 * session must never be lent again. */
#define _GNU_SOURCE /* POLLRDHUP */
#include "db/exchange.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "api/base/clock.h"
#include "db/client.h"
#include "db/sqlstate.h"

/* How long a cancelled statement may take to end before the session is given up. */
#define CANCEL_GRACE_MS 300

void exchange_begin(struct exchange *exchange, struct session *session)
{
    memset(exchange, 0, sizeof *exchange);
    exchange->session = session;
    exchange->lost = !session || session->broken;
}

/* ---- sending --------------------------------------------------------------------------------- */

/* libpq queues in memory and fails here only when memory is exhausted or the connection is
 * known dead. */
static void sent(struct exchange *exchange, int accepted, enum sent_kind kind,
                 struct prepared *slot)
{
    if (!accepted) {
        exchange->lost = true;
        return;
    }
    assert(exchange->sent_count < EXCHANGE_SENT);
    exchange->sent[exchange->sent_count].kind = (uint8_t)kind;
    exchange->sent[exchange->sent_count++].slot = slot;
}

static void slot_name(const struct prepared *slot, char name[16])
{
    snprintf(name, 16, "p%u", slot->serial);
}

static void queue_prepare(struct exchange *exchange, struct prepared *slot, const char *text,
                          int count, const Oid *types)
{
    char name[16];
    slot_name(slot, name);
    sent(exchange, PQsendPrepare(exchange->session->pg, name, text, count, types), SENT_PREPARE,
         slot);
    if (!exchange->lost)
        slot->state = PREPARED_SENT;
}

static void queue_run(struct exchange *exchange, struct prepared *slot, bool fresh, int count,
                      const char *const *values)
{
    char name[16];
    assert(exchange->run_count < EXCHANGE_RUNS);
    slot_name(slot, name);
    if (!exchange->lost)
        sent(exchange,
             PQsendQueryPrepared(exchange->session->pg, name, count, values, NULL, NULL, 0),
             SENT_RUN, slot);
    exchange->run_slot[exchange->run_count] = slot;
    exchange->run_fresh[exchange->run_count++] = fresh;
}

void exchange_statement(struct exchange *exchange, const struct variant *variant,
                        const struct value *values)
{
    struct statement_binding binding;
    const char *texts[STATEMENT_PARAMETERS_MAX];
    if (exchange->lost)
        return;
    statement_bind(variant, &binding);
    for (uint8_t i = 0; i < binding.count; i++)
        texts[i] = statement_value(variant, binding.parameters[i], values);

    struct prepared *slot = session_prepared(exchange->session, variant->statement->index, variant);
    bool fresh = slot->state != PREPARED_READY;
    if (slot->state == PREPARED_FREE) {
        struct buffer text = {0};
        Oid types[STATEMENT_PARAMETERS_MAX];
        for (uint8_t i = 0; i < binding.count; i++)
            types[i] = statement_oid(statement_type(variant, binding.parameters[i]));
        statement_text(variant, &text);
        buffer_char(&text, '\0');
        queue_prepare(exchange, slot, text.data, binding.count, types);
        buffer_free(&text);
    }
    queue_run(exchange, slot, fresh, binding.count, texts);
}

void exchange_engine(struct exchange *exchange, const struct engine_statement *statement,
                     const char *const *values)
{
    const struct variant variant = {0};
    if (exchange->lost)
        return;
    struct prepared *slot = session_prepared(exchange->session, statement->index, &variant);
    bool fresh = slot->state != PREPARED_READY;
    if (slot->state == PREPARED_FREE)
        queue_prepare(exchange, slot, statement->text, statement->parameter_count,
                      statement->types);
    queue_run(exchange, slot, fresh, statement->parameter_count, values);
}

void exchange_plain(struct exchange *exchange, const char *text)
{
    if (exchange->lost)
        return;
    assert(exchange->run_count < EXCHANGE_RUNS);
    sent(exchange, PQsendQueryParams(exchange->session->pg, text, 0, NULL, NULL, NULL, NULL, 0),
         SENT_RUN, NULL);
    exchange->run_slot[exchange->run_count] = NULL;
    exchange->run_fresh[exchange->run_count++] = true;
}

void exchange_tidy(struct exchange *exchange)
{
    for (size_t i = 0; i < PREPARED_SLOTS && !exchange->lost; i++) {
        struct prepared *slot = &exchange->session->prepared[i];
        char name[16], text[32];
        if (slot->state != PREPARED_DOOMED)
            continue;
        slot_name(slot, name);
        snprintf(text, sizeof text, "DEALLOCATE %s", name);
        sent(exchange, PQsendQueryParams(exchange->session->pg, text, 0, NULL, NULL, NULL, NULL, 0),
             SENT_DEALLOCATE, slot);
    }
}

/* ---- collecting ------------------------------------------------------------------------------ */

/* Waits until libpq holds a whole result. False at the deadline, and when the client has left. A lost connection counts as ready:
 * libpq then makes a result that tells so, after what the server may have said before. */
static bool result_ready(PGconn *pg, int client, int64_t deadline_ms)
{
    while (PQisBusy(pg)) {
        int unsent = PQflush(pg);
        struct pollfd both[2] = {{.fd = PQsocket(pg), .events = POLLIN},
                                 {.fd = client, .events = POLLRDHUP}}; /* -1 is passed over */
        if (unsent > 0)
            both[0].events |= POLLOUT;
        int64_t left_ms = deadline_ms - clock_monotonic_ms();
        if (left_ms <= 0)
            return false;
        int ready = poll(both, 2, left_ms > 60000 ? 60000 : (int)left_ms);
        if (ready < 0 && errno != EINTR)
            return true;
        if (ready > 0 && (both[0].revents & (POLLIN | POLLHUP | POLLERR | POLLNVAL))) {
            if (!PQconsumeInput(pg))
                return true;
        } else if (ready > 0 && both[1].revents) {
            client_left_count();
            return false;
        }
    }
    return true;
}

static void error_keep(struct exchange *exchange, PGresult *result, size_t run)
{
    if (exchange->error) {
        PQclear(result);
        return;
    }
    exchange->error = result;
    exchange->failed = run;
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    bool fatal = severity && (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0);
    if (fatal || sqlstate_ends_connection(exchange_sqlstate(exchange)))
        exchange->lost = true;
}

/* Takes the one result of what was sent as number `at`; run numbers the runs up to it. */
static void result_keep(struct exchange *exchange, size_t at, size_t run, PGresult *result)
{
    struct prepared *slot = exchange->sent[at].slot;
    ExecStatusType status = PQresultStatus(result);
    bool good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    exchange->received |= good;
    if (exchange->sent[at].kind == SENT_PREPARE)
        slot->state = good ? PREPARED_READY : PREPARED_FREE;
    else if (exchange->sent[at].kind == SENT_DEALLOCATE && good)
        slot->state = PREPARED_FREE;
    else if (exchange->sent[at].kind == SENT_DEALLOCATE)
        exchange->session->broken = true; /* it would pile up there */

    if (good && exchange->sent[at].kind == SENT_RUN)
        exchange->runs[run] = result;
    else if (good || status == PGRES_PIPELINE_ABORTED)
        PQclear(result);
    else
        error_keep(exchange, result, run);
}

/* Reads up to the sync, from what was sent as number *at on. False when the deadline came first. */
static bool collect(struct exchange *exchange, size_t *at, size_t *run, int client,
                    int64_t deadline_ms)
{
    PGconn *pg = exchange->session->pg;
    while (*at < exchange->sent_count && !exchange->lost) {
        if (!result_ready(pg, client, deadline_ms))
            return false;
        PGresult *result = PQgetResult(pg);
        if (PQstatus(pg) != CONNECTION_OK)
            exchange->lost = true;
        if (!result) /* ends the results of the one before */
            continue;
        if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
            PQclear(result);
            *at = exchange->sent_count;
            break;
        }
        result_keep(exchange, *at, *run, result);
        if (exchange->sent[*at].kind == SENT_RUN)
            (*run)++;
        (*at)++;
    }
    return true;
}

/* At the deadline, or for a client that has left. A cancel request that arrives after its statement has ended would hit the
 * next one, so the session lives on only when the request was taken and the statement is seen
 * to have ended by it. */
static void collect_cancelled(struct exchange *exchange, size_t *at, size_t *run)
{
    struct session_cancel *cancel = session_cancel(exchange->session);
    exchange->late = true;
    bool drained = cancel && collect(exchange, at, run, -1, clock_monotonic_ms() + CANCEL_GRACE_MS);
    bool cancelled = exchange->error && strcmp(exchange_sqlstate(exchange), "57014") == 0;
    bool taken = session_cancel_done(cancel, drained && cancelled);
    if (!taken)
        exchange->session->broken = true;
}

bool exchange_finish(struct exchange *exchange, int64_t deadline_ms)
{
    struct session *session = exchange->session;
    size_t at = 0, run = 0, prepared = 0;
    if (!exchange->lost)
        sent(exchange, PQpipelineSync(session->pg), SENT_SYNC, NULL);
    int client = exchange->firm ? -1 : client_socket();
    if (!exchange->lost && !collect(exchange, &at, &run, client, deadline_ms))
        collect_cancelled(exchange, &at, &run);
    if (!session)
        return false;
    for (size_t i = 0; i < exchange->sent_count; i++) {
        if (exchange->sent[i].kind != SENT_PREPARE)
            continue;
        prepared++;
        if (exchange->sent[i].slot->state == PREPARED_SENT)
            exchange->sent[i].slot->state =
                PREPARED_FREE; /* never reached, or lost: the server knows it not */
    }
    if (prepared)
        session_trim(session);
    if (exchange->lost)
        session->broken = true;
    return !exchange->lost && !exchange->error && run == exchange->run_count &&
           at == exchange->sent_count;
}

/* ---- afterwards ------------------------------------------------------------------------------ */

const char *exchange_sqlstate(const struct exchange *exchange)
{
    const char *state = exchange->error ? PQresultErrorField(exchange->error, PG_DIAG_SQLSTATE)
                                        : NULL;
    return state ? state : "";
}

bool exchange_stale(struct exchange *exchange)
{
    const char *state = exchange_sqlstate(exchange);
    size_t run = exchange->failed;
    /* feature_not_supported: "cached plan must not change result type"; undefined_table and
     * undefined_column: what a migration renamed or dropped; only a plan made before can be
     * out of date. */
    bool unknown = strcmp(state, "26000") ==
                   0; /* invalid_sql_statement_name: somebody deallocated it */
    if (exchange->lost || run >= exchange->run_count || exchange->run_fresh[run] ||
        (!unknown && strcmp(state, "0A000") != 0 && strncmp(state, "42", 2) != 0))
        return false;
    exchange->run_slot[run]->state = unknown ? PREPARED_FREE : PREPARED_DOOMED;
    return true;
}

PGresult *exchange_take(struct exchange *exchange, size_t run)
{
    PGresult *result = exchange->runs[run];
    exchange->runs[run] = NULL;
    return result;
}

void exchange_end(struct exchange *exchange)
{
    for (size_t i = 0; i < exchange->run_count; i++)
        PQclear(exchange->runs[i]);
    PQclear(exchange->error);
    exchange->error = NULL;
    exchange->run_count = 0;
}
