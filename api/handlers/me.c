/* GET /v1/me/can: would an operation be let through, and there? Rule: the scopes and the reach are those of the target's own gates
 * (its security, its x-reach); the place is judged in the database by the rule that its gate asks (its x-place). */
#include "api/handlers/handlers.h"
#include "api/respond.h"
#include "auth/scope.h"

#define ALTERNATIVES_MAX 8

static const struct operation *operation_named(struct span id)
{
    for (size_t i = 0; i < contract_operation_count; i++)
        if (span_is(id, contract_operations[i].id))
            return &contract_operations[i];
    return NULL;
}

/* The alternatives of its security as an array literal, each its scopes with blanks between; true when one is held. */
static bool needed_bind(struct call *call, const struct operation *target)
{
    struct buffer needed = {0};
    bool held = target->open;
    for (size_t i = 0; i < target->security_count; i++) {
        uint32_t scopes = target->security[i].scopes;
        held = held || (call->principal.scopes & scopes) == scopes;
        if (!scopes)
            continue;
        struct span text = scope_text(call->arena, scopes);
        buffer_printf(&needed, "%c\"%.*s\"", needed.len ? ',' : '{', SPAN_ARG(text));
    }
    if (!needed.len)
        buffer_char(&needed, '{');
    buffer_char(&needed, '}');
    call_bind(call, "can.needed", (struct span){needed.data, needed.len});
    buffer_free(&needed);
    return held;
}

static void target_reach_bind(struct call *call, const struct operation *target)
{
    uint32_t alternatives[ALTERNATIVES_MAX];
    size_t count = 0;
    for (size_t i = 0; i < target->security_count && count < ALTERNATIVES_MAX; i++)
        if ((call->principal.scopes & target->security[i].scopes) == target->security[i].scopes)
            alternatives[count++] = target->security[i].scopes;
    if (target->reach_count)
        for (count = 0; count < target->reach_count && count < ALTERNATIVES_MAX; count++)
            alternatives[count] = target->reach[count].scopes;
    struct reach reach;
    principal_reach_any(call->arena, &call->principal, alternatives, count, &reach);
    call_bind(call, "can.national", reach.national ? SPAN("true") : SPAN("false"));
    call_set_cstr(call, NAME_REACH_FROM, reach.from);
    call_set_cstr(call, NAME_REACH_TO, reach.to);
    call_set_cstr(call, NAME_REACH_RANK, reach.rank);
    call_set_cstr(call, NAME_REACH_LIBRARIES, reach.libraries);
}

static enum problem_code answer(struct call *call)
{
    struct query_step step = {contract_statement("me_can"), call->values, false};
    struct query_failure failure = {0};
    struct connection *connection;
    struct rows *rows = NULL;
    struct span text;
    enum problem_code code = pool_lend(call->service->pool, call->deadline_ms, &connection);
    if (code)
        return code;
    code = query_read(connection, &step, 1, call->deadline_ms, &rows, &failure);
    pool_return(call->service->pool, connection);
    if (code)
        return code;
    if (rows_count(rows) == 1 && rows_cell(rows, 0, 0, &text)) {
        call->response.status = 200;
        call->response.content_type = respond_media_type(MEDIA_JSON);
        buffer_span(&call->response.body, text);
    } else {
        code = PROBLEM_internal;
    }
    rows_free(rows);
    return code;
}

enum problem_code handle_me_can(struct call *call)
{
    struct span id = call_value(call, "operation"), region = call_value(call, "region"),
                library = call_value(call, "library");
    const struct operation *target = operation_named(id);
    if (!target) {
        call_fault(call, "operation", FAULT_enum, SPAN("/openapi.json#operationId"));
        return PROBLEM_invalid_parameter;
    }
    call_bind(call, "can.operation", id);
    call_bind(call, "can.region", region);
    call_bind(call, "can.library", library);
    call_bind(call, "can.held", needed_bind(call, target) ? SPAN("true") : SPAN("false"));
    call_bind(call, "can.rule", target->place ? span_of(target->place) : (struct span){0});
    target_reach_bind(call, target);
    response_header(call, "Cache-Control", "no-store");
    return answer(call);
}
