/* Health and metrics. Rule: live asks nothing; ready is true only when a request could be served now. */
#include <pthread.h>
#include <stdlib.h>
#include "api/base/clock.h"
#include "api/base/log.h"
#include "api/handlers/handlers.h"
#include "api/metrics.h"
#include "api/respond.h"
#include "db/migrate.h"

#define READY_WAIT_MS 500
#define READY_FOR_MS 1000

enum problem_code handle_health_live(struct call *call)
{
    respond_constant(call, 200, "application/json", SPAN("{\"status\":\"live\"}"));
    response_header(call, "Cache-Control", "no-store");
    return PROBLEM_NONE;
}

/* Until it has held once: whether the database has the schema this binary needs. At the start it may have been
 * out of reach. */
static bool schema_seen(struct call *call, const struct rows *rows)
{
    char *why = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&why, &len);
    bool matches = migrate_matches(rows, out);
    fclose(out);
    if (matches)
        atomic_store(&call->service->schema_seen, true);
    else
        log_event(LOG_ERROR, "schema_is_another", LOG_C("why", why));
    free(why);
    return matches;
}

/* A round trip to the database within half a second. */
static enum problem_code database_ask(struct call *call)
{
    bool seen = atomic_load(&call->service->schema_seen);
    const struct statement *statement = contract_statement(seen ? "ready" : "schema_recorded");
    struct query_step step = {statement, call->values, false};
    struct connection *connection;
    struct rows *rows = NULL;
    struct query_failure failure;
    int64_t deadline = clock_monotonic_ms() + READY_WAIT_MS;
    enum problem_code code = pool_lend(call->service->pool, deadline, &connection);
    if (code)
        return code;
    code = query_read(connection, &step, 1, deadline, &rows, &failure);
    pool_return(call->service->pool, connection);
    bool ready = !code && (seen || schema_seen(call, rows));
    rows_free(rows);
    return ready ? PROBLEM_NONE : PROBLEM_database_unavailable;
}

/* Whoever asks while one asks waits for that answer. A failure is remembered, too: else a database that is away would be waited for once
 * for each of those who ask, one after the other. */
static enum problem_code database_recall(struct call *call)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static int64_t asked_until_ms;
    static enum problem_code answer;
    pthread_mutex_lock(&lock);
    if (clock_monotonic_ms() >= asked_until_ms) {
        answer = database_ask(call);
        asked_until_ms = clock_monotonic_ms() + READY_FOR_MS;
    }
    enum problem_code code = answer;
    pthread_mutex_unlock(&lock);
    return code;
}

/* Nobody needs a token for this, so the database is asked at most once a second, however many ask here. */
enum problem_code handle_health_ready(struct call *call)
{
    if (atomic_load(&call->service->draining))
        return PROBLEM_draining;
    enum problem_code code = database_recall(call);
    if (code)
        return code;
    respond_constant(call, 200, "application/json", SPAN("{\"status\":\"ready\"}"));
    response_header(call, "Cache-Control", "no-store");
    return PROBLEM_NONE;
}

enum problem_code handle_metrics(struct call *call)
{
    call->response.status = 200;
    call->response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    metrics_write(&call->response.body, call->service);
    response_header(call, "Cache-Control", "no-store");
    respond_gzip(call);
    return PROBLEM_NONE;
}
