/* Runs an operation's statements. Rule: the answer of a write is rendered before COMMIT and leaves only
 * after it; a failed COMMIT throws it away. */
#include "api/execute.h"

#include <assert.h>
#include <stdlib.h>
#include "api/base/clock.h"
#include "api/base/uuid.h"
#include "api/body.h"
#include "api/filters.h"
#include "api/handlers/handlers.h"
#include "api/idempotency.h"
#include "api/limit.h"
#include "api/precondition.h"
#include "api/references.h"
#include "api/render.h"
#include "api/respond.h"
#include "api/stream.h"
#include "api/version.h"

enum step_name {
    STEP_REFERENCES,
    STEP_FILTERS,
    STEP_GATE,
    STEP_SHOWN,
    STEP_CURRENT,
    STEP_WRITE,
    STEP_ANSWER,
    STEP_COUNT,
    STEPS
};

/* The steps an operation has, in order; their results are told apart by `names`. */
struct plan {
    struct query_step steps[STEPS + FILTERS_MAX];
    enum step_name names[STEPS + FILTERS_MAX];
    struct rows *rows[STEPS + FILTERS_MAX];
    size_t count;
};

static void plan_add(struct plan *plan, const struct call *call, enum step_name name,
                     const struct statement *statement)
{
    if (!statement)
        return;
    plan->steps[plan->count] = (struct query_step){statement, call->values, name == STEP_COUNT};
    plan->names[plan->count++] = name;
}

static struct rows *plan_rows(const struct plan *plan, enum step_name name)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->names[i] == name)
            return plan->rows[i];
    return NULL;
}

static void plan_free(struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        rows_free(plan->rows[i]);
}

/* When a call has waited long enough for a connection. */
static int64_t lend_until_ms(const struct call *call)
{
    int64_t wait = clock_monotonic_ms() + call->service->settings.pool_wait_ms;
    return wait < call->deadline_ms ? wait : call->deadline_ms;
}

/* What the database refused, as a problem of this call. */
static enum problem_code failure_take(struct call *call, enum problem_code code,
                                      const struct query_failure *failure)
{
    if (code == PROBLEM_reference_unknown)
        references_faults(call, span_of(failure->arguments));
    else if (failure->arguments[0])
        call->arguments = arena_copy(call->arena, span_of(failure->arguments));
    if (problem_texts[code].status == 429) /* which says in its arguments how long */
        call->retry_after_s = strtoll(
            arena_cstr(call->arena,
                       problem_fill(call->arena, "{seconds}", call->language, call->arguments)),
            NULL, 10);
    if (failure->pointer[0])
        faults_add(&call->faults,
                   (struct fault){.pointer = arena_copy(call->arena, span_of(failure->pointer)),
                                  .code = code == PROBLEM_reference_unknown ? FAULT_reference
                                                                            : FAULT_not_allowed});
    return code;
}

static void plan_add_filters(struct plan *plan, struct call *call)
{
    const struct statement *statements[FILTERS_MAX];
    size_t count = filters_statements(call, statements);
    for (size_t i = 0; i < count; i++)
        plan_add(plan, call, STEP_FILTERS, statements[i]);
}

/* Do all filters name something? */
static bool filters_good(const struct plan *plan, struct call *call)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->names[i] == STEP_FILTERS)
            filters_faults(call, plan->steps[i].statement, plan->rows[i]);
    return call->faults.count == 0;
}

static bool gate_closed(const struct plan *plan)
{
    const struct rows *gate = plan_rows(plan, STEP_GATE);
    return gate && rows_count(gate) == 0;
}

static enum problem_code render_read(struct call *call, struct plan *plan, struct stream *export)
{
    struct rows *answer = plan_rows(plan, STEP_ANSWER);
    struct span version = SPAN("");
    call->response.status = 200;
    call->response.content_type = respond_media_type(call->media);
    if (export) {
        stream_open(export, answer);
        return PROBLEM_NONE;
    }
    if (call->page.list)
        render_page(call, answer, plan_rows(plan, STEP_COUNT));
    else
        render_object(call, answer, &version);
    enum problem_code code = version_judge(call, version_tag(call, version));
    if (!code)
        respond_gzip(call);
    return code;
}

static enum problem_code read_run(struct call *call, struct stream *export)
{
    const struct operation *operation = call->operation;
    struct plan plan = {0};
    struct connection *connection;
    struct query_failure failure = {0};
    plan_add_filters(&plan, call);
    plan_add(&plan, call, STEP_GATE, operation->gate);
    plan_add(&plan, call, STEP_ANSWER, operation->answer);
    if (call->page.count)
        plan_add(&plan, call, STEP_COUNT, operation->answer);
    enum problem_code code = pool_lend(call->service->pool, lend_until_ms(call), &connection);
    if (code)
        return code;
    code = query_read(connection, plan.steps, plan.count, call->deadline_ms, plan.rows, &failure);
    pool_return(call->service->pool, connection);
    if (code)
        return failure_take(call, code, &failure);
    if (!filters_good(&plan, call))
        code = PROBLEM_invalid_parameter;
    else if (gate_closed(&plan) ||
             (!call->page.list && rows_count(plan_rows(&plan, STEP_ANSWER)) == 0))
        code = PROBLEM_not_found;
    else
        code = render_read(call, &plan, export);
    plan_free(&plan);
    return code;
}

/* The place of a whole list is taken before the database is asked for its first rows. */
static enum problem_code export_run(struct call *call)
{
    struct stream *export = NULL;
    enum problem_code code = version_judge(call, version_tag_stream(call));
    if (code || call->response.status)
        return code;
    code = stream_new(call, &export);
    if (code) {
        limit_keep_page(call);
        return code;
    }
    code = read_run(call, export);
    if (code)
        stream_drop(export);
    return code;
}

enum problem_code execute_read(struct call *call)
{
    if (version_unchanged(call)) {
        respond_not_modified(call);
        return PROBLEM_NONE;
    }
    return call->page.stream ? export_run(call) : read_run(call, NULL);
}

enum problem_code execute_constant(struct call *call, const char *content_type, struct span body)
{
    if (version_unchanged(call)) {
        respond_not_modified(call);
        return PROBLEM_NONE;
    }
    respond_constant(call, 200, content_type, body);
    enum problem_code code = version_judge(call, version_tag(call, SPAN("")));
    if (!code)
        respond_gzip(call);
    return code;
}

/* ---- writes ------------------------------------------------------------------------------------- */

/* An id brought by the client (for offline use): the same caller sending the same body to the same address again gets
 * the object it made; anything else with a taken id is refused by the statement itself. */
static enum problem_code claim(struct call *call, struct connection *connection,
                               const struct write_context *context, bool *ret_repeated)
{
    static const char *const name = "claim_id";
    const struct statement *statement = contract_statement(name);
    struct query_step step = {statement, call->values, false};
    struct rows *rows = NULL;
    struct table_set changed;
    struct query_failure failure = {0};
    assert(statement);
    for (size_t i = 0; i < statement->parameter_count; i++) {
        uint16_t parameter = statement->parameters[i].name;
        if (strcmp(contract_names[parameter], "claim.operation") == 0)
            call_set_cstr(call, parameter, call->operation->id);
        else if (strcmp(contract_names[parameter], "claim.digest") == 0)
            call_set(call, parameter, request_digest(call));
    }
    enum problem_code code = query_write(connection, context, &step, 1, call->deadline_ms, &rows,
                                         &changed, &failure);
    if (code)
        return failure_take(call, code, &failure);
    struct span outcome;
    *ret_repeated = rows_count(rows) == 1 && rows_cell(rows, 0, 0, &outcome) &&
                    span_is(outcome, "same");
    rows_free(rows);
    return PROBLEM_NONE;
}

/* The gate of the GET that shows what is made here: a repetition shows it, and makes nothing. */
static const struct statement *shown_gate(const struct operation *operation)
{
    for (size_t i = 0; i < contract_operation_count; i++)
        if (contract_operations[i].method == METHOD_GET &&
            contract_operations[i].answer == operation->answer)
            return contract_operations[i].gate;
    return NULL;
}

/* The key as the answer shows it, for that of a client is made of the id; else as it was bound. */
static void location_set(struct call *call, const struct rows *answer)
{
    struct span path = call->target.path;
    uint16_t name = call->operation->key;
    int column = rows_column(answer, contract_names[name]);
    struct span key = span_of(call->values[name].text);
    if (column >= 0)
        rows_cell(answer, 0, (size_t)column, &key);
    response_header(call, "Location", "%.*s/%.*s", SPAN_ARG(path), SPAN_ARG(key));
}

/* The members that no statement selects, at the end of the object. Its ETag stays that of a GET. */
static void added_render(struct call *call)
{
    struct buffer *body = &call->response.body;
    if (!call->added_count)
        return;
    assert(body->len > 2 && body->data[body->len - 1] == '}');
    body->len--;
    for (size_t i = 0; i < call->added_count; i++) {
        buffer_char(body, ',');
        buffer_json_string(body, span_of(call->added[i].name));
        buffer_char(body, ':');
        buffer_span(body, call->added[i].json);
    }
    buffer_char(body, '}');
}

/* A PUT answers 201 and says where, when it made what was not there (RFC 9110 9.3.4). */
static void made_tell(struct call *call, const struct plan *plan)
{
    if (call->method != METHOD_PUT || precondition_exists(plan_rows(plan, STEP_CURRENT)))
        return;
    call->response.status = 201;
    response_header(call, "Location", "%.*s", SPAN_ARG(call->target.path));
}

/* Renders the answer of a write that has not been committed yet. */
static enum problem_code render_write(struct call *call, const struct plan *plan, bool repeated)
{
    const struct operation *operation = call->operation;
    const struct rows *answer = plan_rows(plan, STEP_ANSWER);
    struct span version;
    if (gate_closed(plan))
        return PROBLEM_not_found;
    call->response.status = repeated ? 200 : operation->success;
    if (!operation->answer)
        return PROBLEM_NONE;
    if (rows_count(answer) == 0 && repeated)
        return PROBLEM_id_taken; /* by what is no longer there, or not for this caller */
    if (rows_count(answer) == 0)
        return operation->audited ? PROBLEM_not_found : PROBLEM_internal; /* it was just written */
    call->response.content_type = respond_media_type(MEDIA_JSON);
    render_object(call, answer, &version);
    /* a 304 of a read that is audited is a read all the same */
    enum problem_code code = version_judge(call, version_tag(call, version));
    if (code || call->response.status == 304)
        return code;
    added_render(call);
    if (operation->creates)
        location_set(call, answer);
    made_tell(call, plan);
    return PROBLEM_NONE;
}

/* Runs the steps that were added since `from` and takes their rows. */
static enum problem_code plan_run(struct call *call, struct connection *connection,
                                  const struct write_context *context, struct plan *plan,
                                  size_t from, struct table_set *ret_changed)
{
    struct query_failure failure = {0};
    enum problem_code code = query_write(connection, context, plan->steps + from,
                                         plan->count - from, call->deadline_ms, plan->rows + from,
                                         ret_changed, &failure);
    return code ? failure_take(call, code, &failure) : PROBLEM_NONE;
}

/* What the body names, then the gate, then what the conditions are about, then, where they hold, write and answer. The object is looked at by every PUT,
 * and by others only where they sent a condition: then the write waits for the verdict, in a round trip of its own. */
static enum problem_code steps_run(struct call *call, struct connection *connection,
                                   const struct write_context *context, struct plan *plan,
                                   bool repeated, struct table_set *ret_changed)
{
    const struct operation *operation = call->operation;
    size_t done = 0;
    bool waits = precondition_waits(call) && !repeated;
    plan_add(plan, call, STEP_REFERENCES, repeated ? NULL : references_statement(call));
    plan_add(plan, call, STEP_GATE, operation->gate); /* who may not make it now is not shown it */
    plan_add(plan, call, STEP_SHOWN, repeated ? shown_gate(operation) : NULL);
    if (waits || call->method == METHOD_PUT)
        plan_add(plan, call, STEP_CURRENT, operation->current);
    if (waits) {
        enum problem_code code = plan_run(call, connection, context, plan, 0, ret_changed);
        if (!code)
            code = gate_closed(plan) ? PROBLEM_not_found
                                     : precondition_judge(call, plan_rows(plan, STEP_CURRENT));
        if (code)
            return code;
        done = plan->count;
    }
    plan_add(plan, call, STEP_WRITE, repeated ? NULL : operation->write);
    plan_add(plan, call, STEP_ANSWER, operation->answer);
    return plan_run(call, connection, context, plan, done, ret_changed);
}

/* The transaction on one connection: claims, steps, render, keep, commit. Rolled back by query_write on failure. */
static enum problem_code transact(struct call *call, struct connection *connection, bool own_id)
{
    const struct operation *operation = call->operation;
    struct write_context context = {.actor = span_of(call->principal.subject),
                                    .client = span_of(call->principal.client_id),
                                    .request_id = call->request_id,
                                    .operation = span_of(operation->id)};
    struct plan plan = {0};
    struct table_set changed = {{0}};
    struct query_failure failure = {0};
    bool repeated = false, replayed = false;

    enum problem_code code = idempotency_claim(call, connection, &context, &replayed);
    if (code || replayed)
        return code;
    if (own_id) {
        code = claim(call, connection, &context, &repeated);
        if (code)
            return code;
        if (repeated)
            call->added_count = 0; /* it was for an object that is not made again */
    }
    code = steps_run(call, connection, &context, &plan, repeated, &changed);
    if (!code)
        code = render_write(call, &plan, repeated);
    plan_free(&plan);
    if (code) {
        query_rollback(connection);
        return code;
    }
    code = idempotency_keep(call, connection, &context);
    if (code)
        return code;
    respond_gzip(call);
    code = query_commit(connection, call->deadline_ms, &failure);
    if (code)
        return failure_take(call, code, &failure);
    watch_committed(call->service->watch, &changed);
    return PROBLEM_NONE;
}

enum problem_code execute_write(struct call *call)
{
    struct connection *connection;
    bool own_id = false;
    bool replayed = false;
    enum problem_code code = PROBLEM_NONE;
    if (call->operation->prepare) {
        code = idempotency_find(call, &replayed);
        if (!code && !replayed)
            code = prepare_find(call->operation->prepare)->run(call);
    }
    if (code || replayed)
        return code;
    if (call->operation->creates && call->operation->key == NAME_ID) {
        own_id = call->values[NAME_ID].state == VALUE_PRESENT;
        if (!own_id) {
            char id[37];
            uuid_v7(id);
            call_set_cstr(call, NAME_ID, id);
        }
    }
    code = pool_lend_write(call->service->pool, lend_until_ms(call), &connection);
    if (code)
        return code;
    code = transact(call, connection, own_id);
    pool_return(call->service->pool, connection);
    return code;
}
