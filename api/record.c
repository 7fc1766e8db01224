/* Logs and counts. Rule: no query string, body or header value is ever logged; paths hold ids and codes only:
 * one whose parameters were not found valid is logged as its template. */
#include "api/record.h"

#include "api/base/clock.h"
#include "api/base/log.h"
#include "api/metrics.h"

static void write_line(struct call *call, const char *event, const char *problem)
{
    int64_t us = clock_monotonic_us() - call->started_us;
    int status = call->response.status;
    size_t bytes = call->bytes_sent              ? call->bytes_sent
                   : call->response.constant.ptr ? call->response.constant.len
                                                 : call->response.body.len;
    /* Of a request that the frame gate refused not even the method is known. */
    const char *method = !call->target.path.ptr ? NULL
                         : call->head           ? "HEAD"
                                                : method_names[call->method];
    struct span path = !call->operation   ? SPAN_NONE
                       : call->path_valid ? call->target.path
                                          : span_of(call->operation->path);
    metrics_request(call->service->metrics, call->operation, status, us);
    log_event(status >= 500 ? LOG_WARNING : LOG_INFO, event,
              LOG_S("caller_request_id", call->trail.caller_request_id), LOG_C("method", method),
              LOG_S("path", path), LOG_C("operation", call->operation ? call->operation->id : NULL),
              LOG_I("status", status), LOG_I("us", us), LOG_I("bytes", bytes),
              LOG_C("client", call->authenticated ? call->principal.client_id : NULL),
              LOG_C("api_key", call->authenticated ? call->principal.api_key_id : NULL),
              LOG_C("problem", problem), LOG_S("traceparent", call->traceparent));
}

/* Refusals that tell of an account which the caller may not see. Their transaction is rolled back, its audit with it, so the line
 * says who asked. */
static void tell(const struct call *call, enum problem_code code)
{
    if (code == PROBLEM_username_taken || code == PROBLEM_person_has_account)
        log_security(LOG_WARNING, problem_texts[code].code, LOG_C("user", call->principal.user_id),
                     LOG_C("client", call->principal.client_id));
}

void record(struct call *call, enum problem_code code)
{
    if (code)
        metrics_problem(call->service->metrics, code);
    tell(call, code);
    write_line(call, "request", code ? problem_texts[code].code : NULL);
}

void record_stream(struct call *call, bool whole)
{
    write_line(call, "stream", whole ? NULL : "cut");
}
