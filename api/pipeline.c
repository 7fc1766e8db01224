/* The gates. Rule: the first problem wins, no gate may be skipped, and what the request alone shows is
 * refused before a database connection is lent. */
#include "api/pipeline.h"

#include <stdio.h>
#include <stdlib.h>
#include "api/address.h"
#include "api/base/clock.h"
#include "api/base/digest.h"
#include "api/base/uuid.h"
#include "api/body.h"
#include "api/execute.h"
#include "api/handlers/handlers.h"
#include "api/idempotency.h"
#include "api/limit.h"
#include "api/negotiate.h"
#include "api/page.h"
#include "api/parameters.h"
#include "api/precondition.h"
#include "api/record.h"
#include "api/respond.h"
#include "api/route.h"
#include "api/validate.h"
#include "auth/scope.h"

static enum problem_code gate_frame(struct call *call)
{
    static const struct frame_limits limits = {FRAME_TARGET_MAX_BYTES};
    enum problem_code code = frame_check(call->arena, call->frame, &limits, &call->method,
                                         &call->arguments);
    if (code) {
        call->response.close = true;
        return code;
    }
    target_split(call->arena, call->frame->target, &call->target);
    call->head = call->method == METHOD_HEAD;
    if (call->head)
        call->method = METHOD_GET;
    return PROBLEM_NONE;
}

static enum problem_code route_take(struct call *call)
{
    if (span_is(call->frame->target, "*")) { /* OPTIONS *: the server as a whole (RFC 9110 9.3.7) */
        call->response.status = 204;
        response_header(call, "Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
        return PROBLEM_NONE;
    }
    call->route = call->target.segment_count > SEGMENTS_MAX
                      ? NULL
                      : route_find(call->target.segments, call->target.segment_count,
                                   call->path_values, &call->path_value_count);
    if (!call->route)
        return PROBLEM_not_found;
    if (call->method == METHOD_OPTIONS) {
        respond_options(call);
        return PROBLEM_NONE;
    }
    call->operation = call->route->operations[call->method];
    if (!call->operation)
        return call_refuse(call, PROBLEM_method_not_allowed, "allow",
                           route_allow(call->arena, call->route));
    call_set_cstr(call, NAME_CALLER_LANGUAGE, call->language == LANGUAGE_EN ? "en" : "id");
    call->deadline_ms = call->started_us / 1000 + call_timeout_ms(call);
    return PROBLEM_NONE;
}

/* What asks for nothing that there is, or only what there is, counts for its address. */
static enum problem_code gate_route(struct call *call)
{
    enum problem_code code = route_take(call);
    if (call->operation)
        return code;
    enum problem_code limited = limit_unrouted(call);
    if (limited)
        call->response.status = 0;
    return limited ? limited : code;
}

/* The token of "Authorization: Bearer <token>" (RFC 6750 2.1). */
static struct span bearer(const struct call *call)
{
    struct span header = call_header(call, "Authorization");
    if (header.len < 7 || strncasecmp(header.ptr, "Bearer ", 7) != 0)
        return SPAN_NONE;
    struct span token = {header.ptr + 7, header.len - 7};
    while (token.len && *token.ptr == ' ')
        token = (struct span){token.ptr + 1, token.len - 1};
    return token;
}

static enum problem_code authenticate(struct call *call)
{
    struct span header = call_header(call, "Authorization"), token = bearer(call);
    if (!token.len)
        return header.ptr ? PROBLEM_invalid_token : PROBLEM_unauthorized;
    bool unknown = !auth_recalls(call->service->auth, token);
    enum problem_code code = unknown ? limit_unknown(call) : PROBLEM_NONE;
    if (!code)
        code = auth_bearer(call->service->auth, call->arena, token, call->deadline_ms,
                           &call->principal);
    if (code)
        return code;
    if (unknown)
        limit_known(call);
    call->authenticated = true;
    call_set_cstr(call, NAME_CALLER_SUBJECT, call->principal.subject);
    call_set_cstr(call, NAME_CALLER_CLIENT, call->principal.client_id);
    if (call->principal.user_id)
        call_set_cstr(call, NAME_CALLER_USER, call->principal.user_id);
    if (call->principal.session)
        call_set_cstr(call, NAME_CALLER_SESSION, call->principal.session);
    return PROBLEM_NONE;
}

static enum problem_code gate_authenticate(struct call *call)
{
    enum problem_code code = call->operation->open ? PROBLEM_NONE : authenticate(call);
    return code ? limit_stranger(call, code) : PROBLEM_NONE;
}

#define ALTERNATIVES_MAX 8

/* Where the caller may do this: wherever one of the alternatives that opened the door reaches, or those that the
 * contract names for it (x-reach); nowhere when the token holds none of these. */
static void reach_bind(struct call *call, const uint32_t *alternatives, size_t count)
{
    struct reach reach;
    principal_reach_any(call->arena, &call->principal, alternatives, count, &reach);
    if (reach.national)
        return;
    call_set_flag(call, NAME_REACH);
    call_set_cstr(call, NAME_REACH_FROM, reach.from);
    call_set_cstr(call, NAME_REACH_TO, reach.to);
    call_set_cstr(call, NAME_REACH_RANK, reach.rank);
    call_set_cstr(call, NAME_REACH_LIBRARIES, reach.libraries);
}

/* The caller's scopes as an array literal; no name of a scope needs quotes. */
static void scopes_bind(struct call *call)
{
    struct buffer literal = {0};
    for (size_t i = 0; i < contract_scope_count; i++)
        if (call->principal.scopes & (1U << i))
            buffer_printf(&literal, "%c%s", literal.len ? ',' : '{', contract_scopes[i]);
    if (!literal.len)
        buffer_char(&literal, '{');
    buffer_char(&literal, '}');
    call_set(call, NAME_CALLER_SCOPES, (struct span){literal.data, literal.len});
    buffer_free(&literal);
}

/* Would the same person be let in who had logged in with a second factor? */
static bool scopes_withheld(const struct call *call)
{
    const struct operation *operation = call->operation;
    uint32_t held = call->principal.scopes | call->principal.withheld;
    for (size_t i = 0; i < operation->security_count && i < ALTERNATIVES_MAX; i++)
        if ((held & operation->security[i].scopes) == operation->security[i].scopes)
            return true;
    return false;
}

/* Of the account's scopes a token that acts for no person can never have any: that is said, instead of which scope is missing. */
static enum problem_code unauthorized(struct call *call)
{
    if (!call->principal.user_id && (call->operation->security[0].scopes & scope_account()))
        return PROBLEM_person_needed;
    const struct operation *operation = call->operation;
    struct said said = {.reason = operation->security_count > 1 ? REASON_scope_any
                                                                : REASON_scope_one};
    struct span names = respond_scopes(call, 0);
    if (said.reason == REASON_scope_one && memchr(names.ptr, ' ', names.len))
        said.reason = REASON_scope_all;
    for (size_t i = 1; i < operation->security_count; i++)
        names = span_of(arena_printf(call->arena, "%.*s, %.*s", SPAN_ARG(names),
                                     SPAN_ARG(respond_scopes(call, i))));
    said.scope = arena_cstr(call->arena, names);
    return call_refuse_for(call, PROBLEM_insufficient_scope, said);
}

static enum problem_code gate_authorize(struct call *call)
{
    const struct operation *operation = call->operation;
    if (operation->open)
        return PROBLEM_NONE;
    uint32_t held[ALTERNATIVES_MAX];
    size_t count = 0;
    for (size_t i = 0; i < operation->security_count && count < ALTERNATIVES_MAX; i++) {
        uint32_t needed = operation->security[i].scopes;
        if ((call->principal.scopes & needed) == needed)
            held[count++] = needed;
    }
    if (count == 0 && scopes_withheld(call))
        return PROBLEM_second_factor_required;
    if (count == 0)
        return unauthorized(call);
    if (!call->service->personal[operation->index])
        return PROBLEM_NONE; /* published data know no reach */
    for (size_t i = 0; i < operation->reach_count && i < ALTERNATIVES_MAX; i++)
        held[i] = operation->reach[i].scopes;
    scopes_bind(call);
    if (*call->service->settings.terms_version)
        call_set_cstr(call, NAME_TERMS_VERSION, call->service->settings.terms_version);
    reach_bind(call, held, operation->reach_count ? operation->reach_count : count);
    return PROBLEM_NONE;
}

/* Who administers has logged in a short while ago, however long the session lives (x-recent-login). Of clients that act for
 * themselves nobody can ask that. */
static enum problem_code gate_recent_login(struct call *call)
{
    int64_t most_s = call->service->settings.recent_login_s;
    if (!call->operation->recent_login || !call->principal.user_id ||
        clock_unix_s() - call->principal.login.at_s <= most_s)
        return PROBLEM_NONE;
    return call_refuse(call, PROBLEM_recent_login_required, "seconds",
                       span_of(arena_printf(call->arena, "%lld", (long long)most_s)));
}

/* format= wins over Accept, for people with a browser; its values are checked with the parameters. */
static uint8_t format_asked(const struct call *call)
{
    for (size_t i = 0; i < call->target.pair_count && i < PAIRS_MAX; i++) {
        if (!span_is(call->target.pairs[i].name, "format"))
            continue;
        struct span format = call->target.pairs[i].value;
        return span_is(format, "csv")       ? MEDIA_CSV
               : span_is(format, "geojson") ? MEDIA_GEOJSON
                                            : MEDIA_JSON;
    }
    return 0;
}

static bool has_format(const struct operation *operation)
{
    for (size_t i = 0; i < operation->parameter_count; i++)
        if (operation->parameters[i].role == PARAMETER_FORMAT)
            return true;
    return false;
}

/* format=csv is a table for people, Accept: text/csv one for machines, of which the separator is always the comma. */
static enum problem_code gate_separator(struct call *call, uint8_t asked)
{
    call->csv.people = asked == MEDIA_CSV && call->media == MEDIA_CSV;
    if (call->csv.separator && !call->csv.people) {
        call_fault(call, "separator", FAULT_needs, SPAN("format=csv"));
        return PROBLEM_invalid_parameter;
    }
    if (!call->csv.separator)
        call->csv.separator = ',';
    return PROBLEM_NONE;
}

static enum problem_code gate_negotiate(struct call *call)
{
    uint8_t produces = call->operation->produces;
    uint8_t asked = has_format(call->operation) ? format_asked(call) : 0;
    if (!produces) {
        call->media = MEDIA_JSON; /* 204: nothing to choose */
        return PROBLEM_NONE;
    }
    enum media media = asked & produces;
    if (!media && !accept_media(call_header_list(call, "Accept"), produces, &media))
        return call_refuse(call, PROBLEM_not_acceptable, "available",
                           media_list(call->arena, produces));
    call->media = (uint8_t)media;
    return gate_separator(call, asked);
}

static enum problem_code gate_execute(struct call *call)
{
    const struct operation *operation = call->operation;
    if (operation->body_constant)
        return execute_constant(call, respond_media_type(MEDIA_JSON),
                                span_of(operation->body_constant));
    if (operation->handler)
        return handler_find(operation->handler)->run(call);
    return call->method == METHOD_GET && !operation->audited ? execute_read(call)
                                                             : execute_write(call);
}

/* A body that comes in chunks is judged as it comes. */
static enum problem_code gate_body_told(struct call *call)
{
    size_t told = frame_body_told(call->frame);
    return told == FRAME_BODY_UNTOLD ? PROBLEM_NONE : body_admit(call, told);
}

static enum problem_code gate_body(struct call *call)
{
    enum problem_code code = frame_check_body(call->arena, call->frame, call->body.len,
                                              &call->arguments);
    if (code)
        call->response.close = true;
    return code ? code : body_bind(call);
}

typedef enum problem_code gate(struct call *call);

static gate *const gates_of_head[] = {
    gate_frame,     gate_route,        gate_authenticate, limit_caller,
    gate_authorize, gate_recent_login, parameters_bind,   gate_negotiate,
    page_open,      limit_extent,      gate_body_told,    NULL,
};
static gate *const gates_of_body[] = {
    gate_body, precondition_take, idempotency_take, gate_execute, NULL,
};

static enum problem_code pass(struct call *call, gate *const *gates)
{
    enum problem_code code = PROBLEM_NONE;
    for (; *gates && !code && !call->response.status; gates++)
        code = (*gates)(call);
    return code;
}

/* A header's value that is safe in a log, or SPAN_NONE. */
static struct span id_header(const struct call *call, const char *name)
{
    struct span id = call_header(call, name);
    bool good = id.len > 0 && id.len <= REQUEST_ID_MAX;
    for (size_t i = 0; good && i < id.len; i++)
        good = id.ptr[i] > ' ' && id.ptr[i] < 0x7f && id.ptr[i] != '"' && id.ptr[i] != '\\';
    return good ? arena_copy(call->arena, id) : SPAN_NONE;
}

/* The request's id is ours: made by our own proxy, else here. What the caller calls it is kept beside it, so that nobody can put a
 * request under the id of another one. */
static void trail_take(struct call *call)
{
    struct span id = SPAN_NONE;
    char *network = arena_alloc(call->arena, ADDRESS_TEXT);
    if (proxies_trust(call->service->proxies, call->peer))
        id = id_header(call, "X-Edge-Request-Id");
    if (!id.ptr) {
        char *made = arena_alloc(call->arena, 37);
        uuid_v7(made);
        id = (struct span){made, 36};
    }
    address_network_of(call->service->proxies, call->peer,
                       call_header_list(call, "X-Forwarded-For"), network);
    call->request_id = id;
    call->trail = (struct trail){id, id_header(call, "X-Request-Id"), network};
}

/* A trace that begins here, not sampled: nobody collects it, but log lines can be joined by it. */
static struct span traceparent_make(struct call *call)
{
    unsigned char bytes[24];
    char *text = arena_cstr(call->arena,
                            SPAN("00-00000000000000000000000000000000-0000000000000000-00"));
    random_bytes(bytes, sizeof(bytes));
    bytes[0] |= 1; /* neither id is all zeros */
    bytes[16] |= 1;
    hex_encode(bytes, 16, text + 3);
    hex_encode(bytes + 16, 8, text + 36);
    return (struct span){text, 55};
}

/* version-traceid-parentid-flags (W3C Trace Context 3.2): hexadecimal digits, no version ff, no id of zeros. */
static void traceparent_take(struct call *call)
{
    static const char form[] = "00-00000000000000000000000000000000-0000000000000000-00";
    struct span trace = call_header(call, "traceparent");
    bool good = trace.len == sizeof(form) - 1;
    for (size_t i = 0; good && i < trace.len; i++)
        good = form[i] == '-' ? trace.ptr[i] == '-'
                              : memchr("0123456789abcdef", trace.ptr[i], 16) != NULL;
    good = good && !span_starts(trace, "ff") && memcmp(trace.ptr + 3, form + 3, 32) != 0 &&
           memcmp(trace.ptr + 36, form + 36, 16) != 0;
    call->traceparent = good ? arena_copy(call->arena, trace) : traceparent_make(call);
}

static void begin(struct call *call)
{
    trail_take(call);
    trail_set(&call->trail);
    traceparent_take(call);
    call->language = accept_language(call_header_list(call, "Accept-Language"));
    call->accepts_gzip = accept_gzip(call_header_list(call, "Accept-Encoding"));
}

static void finish(struct call *call, enum problem_code code)
{
    if (code)
        respond_problem(call, code);
    limit_finish(call);
    respond_finish(call);
    if (!call->response.stream)
        record(call, code);
    trail_set(NULL);
}

void pipeline_head(struct call *call)
{
    call->started_us = clock_monotonic_us();
    begin(call);
    call->refused = pass(call, gates_of_head);
    call->head_us = clock_monotonic_us();
}

bool pipeline_admits(struct call *call, size_t bytes)
{
    if (!call->refused)
        call->refused = body_admit(call, bytes);
    return !call->refused;
}

bool pipeline_awaits(const struct call *call)
{
    size_t told = frame_body_told(call->frame);
    return !told ||
           (told <= body_most_bytes() && !call->response.close && !call_header(call, "Expect").ptr);
}

void pipeline_run(struct call *call)
{
    int64_t waited_us = clock_monotonic_us() - call->head_us;
    call->started_us += waited_us;
    call->deadline_ms += waited_us / 1000;
    finish(call, call->refused ? call->refused : pass(call, gates_of_body));
}

void pipeline_refuse(struct call *call, enum problem_code code)
{
    if (!call->request_id.ptr)
        begin(call);
    call->response.close = true;
    finish(call, code);
}

static bool statement_personal(const struct statement *statement)
{
    for (size_t i = 0; statement && i < statement->condition_count; i++)
        for (size_t j = 0; j < 3; j++)
            if (statement->conditions[i].names[j] == NAME_REACH)
                return true;
    for (size_t i = 0; statement && i < statement->parameter_count; i++)
        if (statement->parameters[i].name >= NAME_CALLER_SUBJECT &&
            statement->parameters[i].name <= NAME_REACH_LIBRARIES)
            return true;
    return false;
}

void pipeline_init(struct service *service)
{
    validate_init();
    service->personal = memory_alloc(contract_operation_count);
    for (size_t i = 0; i < contract_operation_count; i++) {
        const struct operation *operation = &contract_operations[i];
        service->personal[i] = statement_personal(operation->gate) ||
                               statement_personal(operation->write) ||
                               statement_personal(operation->answer);
        if (operation->handler && !handler_find(operation->handler)) {
            fprintf(stderr, "no handler %s for %s\n", operation->handler, operation->id);
            abort();
        }
        if (operation->prepare && !prepare_find(operation->prepare)) {
            fprintf(stderr, "no function %s for %s\n", operation->prepare, operation->id);
            abort();
        }
    }
    if (!contract_statement("claim_id") || !contract_statement("ready") ||
        !contract_statement("schema_recorded") || !contract_statement("check_references")) {
        fputs("the engine's own statements are missing\n", stderr);
        abort();
    }
}
