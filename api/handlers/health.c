/* Health and metrics. Rule: live asks nothing; ready is true only when a request could be served now. */
#include "api/base/clock.h"
#include "api/handlers/handlers.h"
#include "api/metrics.h"
#include "api/respond.h"

#define READY_WAIT_MS 500

enum problem_code handle_health_live(struct call *call)
{
    respond_constant(call, 200, "application/json", SPAN("{\"status\":\"live\"}"));
    response_header(call, "Cache-Control", "no-store");
    return PROBLEM_NONE;
}

/* A round trip to the database within half a second. */
enum problem_code handle_health_ready(struct call *call)
{
    if (atomic_load(&call->service->draining))
        return PROBLEM_draining;
    const struct statement *statement = contract_statement("ready");
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
    rows_free(rows);
    if (code)
        return PROBLEM_database_unavailable;
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
