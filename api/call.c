/* The life of a call. Rule: whatever a gate keeps beyond its own return stands in the call's arena. */
#include "api/call.h"

#include <assert.h>
#include <stdlib.h>
#include "api/address.h"
#include "api/base/clock.h"
#include "api/stream.h"

struct call *call_new(struct service *service)
{
    struct arena *arena = arena_new(ARENA_REQUEST_BYTES);
    struct call *call = arena_alloc(arena, sizeof(*call));
    call->service = service;
    call->arena = arena;
    call->faults.arena = arena;
    call->started_us = clock_monotonic_us();
    call->values = arena_alloc(arena, contract_name_count * sizeof(*call->values));
    clock_today(call->today);
    call_set_cstr(call, NAME_TODAY, call->today);
    return call;
}

void call_free(struct call *call)
{
    if (!call)
        return;
    buffer_free(&call->response.body);
    arena_free(call->arena);
}

void call_set(struct call *call, uint16_t name, struct span text)
{
    struct value *value = &call->values[name];
    if (!text.ptr) {
        *value = (struct value){.state = VALUE_NULL};
        return;
    }
    value->text = arena_cstr(call->arena, text);
    value->len = (uint32_t)text.len;
    value->state = VALUE_PRESENT;
}

void call_set_cstr(struct call *call, uint16_t name, const char *text)
{
    call_set(call, name, span_of(text));
}

void call_set_flag(struct call *call, uint16_t name)
{
    call_set(call, name, SPAN("true"));
}

static uint16_t name_find(const char *name)
{
    uint16_t found = 0;
    while (found < contract_name_count && strcmp(contract_names[found], name) != 0)
        found++;
    assert(found < contract_name_count);
    return found;
}

void call_bind(struct call *call, const char *name, struct span text)
{
    call_set(call, name_find(name), text);
}

struct span call_value(const struct call *call, const char *name)
{
    const struct value *value = &call->values[name_find(name)];
    return value->state == VALUE_PRESENT ? (struct span){value->text, value->len} : SPAN_NONE;
}

bool call_given(const struct call *call, const char *name)
{
    return call->values[name_find(name)].state != VALUE_ABSENT;
}

bool call_has(const struct call *call, uint16_t name)
{
    return call->values[name].state != VALUE_ABSENT;
}

void call_fault(struct call *call, const char *parameter, enum fault_code code,
                struct span argument)
{
    faults_add(&call->faults,
               (struct fault){.parameter = span_of(parameter), .code = code, .argument = argument});
}

struct span call_header(const struct call *call, const char *name)
{
    return frame_header(call->frame, name);
}

int64_t call_timeout_ms(const struct call *call)
{
    return call->operation->timeout_ms ? (int64_t)call->operation->timeout_ms
                                       : call->service->settings.statement_timeout_ms;
}

struct span call_header_list(const struct call *call, const char *name)
{
    return frame_header_list(call->arena, call->frame, name);
}

const char *call_address(struct call *call)
{
    _Static_assert(sizeof(call->address) == ADDRESS_TEXT, "an address fits");
    if (!call->address[0])
        address_of(call->service->proxies, call->peer, call_header_list(call, "X-Forwarded-For"),
                   call->address);
    return call->address;
}

enum problem_code call_refuse(struct call *call, enum problem_code code, const char *argument,
                              struct span text)
{
    struct buffer json = {0};
    buffer_char(&json, '{');
    buffer_json_string(&json, span_of(argument));
    buffer_char(&json, ':');
    buffer_json_string(&json, text);
    buffer_char(&json, '}');
    call->arguments = arena_copy(call->arena, (struct span){json.data, json.len});
    buffer_free(&json);
    return code;
}

enum problem_code call_refuse_for(struct call *call, enum problem_code code, struct said said)
{
    call->arguments = reason_arguments(call->arena, said);
    return code;
}

void call_add(struct call *call, const char *name, struct span json)
{
    assert(call->added_count < ADDED_MAX);
    call->added[call->added_count++] = (struct added){name, json};
}

static void header_add(struct call *call, const char *name, const char *value)
{
    assert(call->response.header_count < RESPONSE_HEADERS_MAX);
    size_t at = call->response.header_count++;
    call->response.headers[at].name = name;
    call->response.headers[at].value = value;
}

void response_header(struct call *call, const char *name, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    header_add(call, name, arena_vprintf(call->arena, format, arguments));
    va_end(arguments);
}

void response_header_lent(struct call *call, const char *name, const char *value)
{
    header_add(call, name, value);
}
