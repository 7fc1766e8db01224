/* Completes answers. Rule: a problem replaces whatever was rendered, so that no half answer leaves. */
#include "api/respond.h"

#include <stdlib.h>
#include <zlib.h>
#include "api/negotiate.h"
#include "api/problem_body.h"
#include "api/route.h"

#define GZIP_MIN_BYTES 1024

#define CORS_METHODS "GET, HEAD, POST, PUT, PATCH, DELETE"
#define CORS_REQUEST_HEADERS                                                                       \
    "Authorization, Content-Type, Accept, Accept-Language, If-Match, If-None-Match, Idempotency-Key, X-Request-Id, traceparent"
#define CORS_EXPOSED_HEADERS                                                                       \
    "ETag, Content-Disposition, Link, Location, Retry-After, Allow, Accept-Patch, X-Request-Id, Idempotent-Replayed, RateLimit, RateLimit-Policy, WWW-Authenticate"

const char *respond_media_type(uint8_t media)
{
    switch (media) {
    case MEDIA_CSV:
        return "text/csv; charset=utf-8";
    case MEDIA_GEOJSON:
        return "application/geo+json";
    case MEDIA_HTML:
        return "text/html; charset=utf-8";
    case MEDIA_TEXT:
        return "text/plain; charset=utf-8";
    default:
        return "application/json";
    }
}

void respond_constant(struct call *call, int status, const char *content_type, struct span body)
{
    call->response.status = status;
    call->response.content_type = content_type;
    call->response.constant = body;
}

void respond_not_modified(struct call *call)
{
    call->response.status = 304;
    call->response.content_type = NULL;
    call->response.constant = SPAN_NONE;
    call->response.gzipped = false;
    buffer_free(&call->response.body);
}

struct span respond_plain(const struct call *call)
{
    const struct response *response = &call->response;
    return response->constant.ptr ? response->constant
                                  : (struct span){response->body.data, response->body.len};
}

bool respond_gzip_wanted(const struct call *call)
{
    if (call->operation && call->operation->secret)
        return false; /* the length of a compressed body tells of what stands beside the secret */
    return call->accepts_gzip && !call->response.gzipped &&
           respond_plain(call).len >= GZIP_MIN_BYTES;
}

void respond_gzip(struct call *call)
{
    struct response *response = &call->response;
    struct span plain = respond_plain(call);
    if (!respond_gzip_wanted(call))
        return;
    z_stream zip = {0};
    if (deflateInit2(&zip, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return;
    struct buffer packed = {0};
    buffer_reserve(&packed, deflateBound(&zip, plain.len));
    zip.next_in = (Bytef *)(uintptr_t)plain.ptr;
    zip.avail_in = (uInt)plain.len;
    zip.next_out = (Bytef *)packed.data;
    zip.avail_out = (uInt)packed.cap;
    int outcome = deflate(&zip, Z_FINISH);
    packed.len = zip.total_out;
    deflateEnd(&zip);
    if (outcome != Z_STREAM_END || packed.len >= plain.len) {
        buffer_free(&packed);
        return;
    }
    buffer_free(&response->body);
    response->body = packed;
    response->constant = SPAN_NONE;
    response->gzipped = true;
}

struct span respond_scopes(struct call *call, size_t alternative)
{
    char *names = arena_printf(call->arena, "%s", "");
    for (size_t i = 0; i < contract_scope_count; i++)
        if (call->operation->security[alternative].scopes & (1U << i))
            names = arena_printf(call->arena, "%s%s%s", names, *names ? " " : "",
                                 contract_scopes[i]);
    return span_of(names);
}

/* What a PATCH of this address may send (RFC 5789 3.1). */
static void accept_patch(struct call *call)
{
    const struct operation *patch = call->route->operations[METHOD_PATCH];
    if (patch)
        response_header(call, "Accept-Patch", "%.*s",
                        SPAN_ARG(media_list(call->arena, patch->consumes)));
}

/* RFC 6750 3.1, RFC 9470 3; NULL where there is nothing to challenge. */
static const char *challenge_error(struct call *call, enum problem_code code)
{
    switch (code) {
    case PROBLEM_unauthorized:
        return "";
    case PROBLEM_invalid_token:
        return ", error=\"invalid_token\"";
    case PROBLEM_insufficient_scope:
        return arena_printf(call->arena, ", error=\"insufficient_scope\", scope=\"%.*s\"",
                            SPAN_ARG(respond_scopes(call, 0)));
    case PROBLEM_second_factor_required:
        return ", error=\"insufficient_user_authentication\", acr_values=\"" ACR_SECOND_FACTOR "\"";
    case PROBLEM_recent_login_required:
        return arena_printf(call->arena,
                            ", error=\"insufficient_user_authentication\", max_age=\"%lld\"",
                            (long long)call->service->settings.recent_login_s);
    default:
        return NULL;
    }
}

static void challenge(struct call *call, enum problem_code code)
{
    const char *error = challenge_error(call, code);
    if (error) /* RFC 6750 3, with RFC 9728 5.1 */
        response_header(call, "WWW-Authenticate",
                        "Bearer realm=\"tpbis\"%s, "
                        "resource_metadata=\"%s/.well-known/oauth-protected-resource\"",
                        error, call->service->base_url);
}

void respond_problem(struct call *call, enum problem_code code)
{
    struct response *response = &call->response;
    int status = problem_texts[code].status;
    buffer_free(&response->body);
    response->constant = SPAN_NONE;
    response->header_count = 0;
    response->gzipped = false;
    response->status = status;
    response->content_type = "application/problem+json";
    problem_body(&response->body, code, call->arguments, &call->faults, call->language,
                 span_of(call->service->base_url), call->request_id);
    challenge(call, code);
    if (status == 405 && call->route)
        response_header(call, "Allow", "%.*s", SPAN_ARG(route_allow(call->arena, call->route)));
    if (status == 415 && call->method == METHOD_PATCH)
        accept_patch(call);
    if (call->retry_after_s)
        response_header(call, "Retry-After", "%lld", (long long)call->retry_after_s);
    else if (status == 503)
        response_header(call, "Retry-After", "%d", code == PROBLEM_draining ? 5 : 2);
    response_header(call, "Content-Language", "%s", call->language == LANGUAGE_EN ? "en" : "id");
}

/* The Origin of the request when the configuration allows it. */
static struct span origin_allowed(const struct call *call)
{
    struct span origin = call_header(call, "Origin");
    const char *list = call->service->settings.cors_origins;
    if (!origin.ptr || !*list)
        return SPAN_NONE;
    if (strcmp(list, "*") == 0)
        return SPAN("*");
    while (*list) {
        size_t len = strcspn(list, ",");
        if (span_equal(origin, (struct span){list, len}))
            return origin;
        list += len;
        list += strspn(list, ", ");
    }
    return SPAN_NONE;
}

void respond_options(struct call *call)
{
    call->response.status = 204;
    response_header(call, "Allow", "%.*s", SPAN_ARG(route_allow(call->arena, call->route)));
    accept_patch(call);
    if (origin_allowed(call).ptr && call_header(call, "Access-Control-Request-Method").ptr) {
        response_header(call, "Access-Control-Allow-Methods", "%s", CORS_METHODS);
        response_header(call, "Access-Control-Allow-Headers", "%s", CORS_REQUEST_HEADERS);
        response_header(call, "Access-Control-Max-Age", "600");
    }
}

static bool has_header(const struct call *call, const char *name)
{
    for (size_t i = 0; i < call->response.header_count; i++)
        if (strcasecmp(call->response.headers[i].name, name) == 0)
            return true;
    return false;
}

/* A file to keep (RFC 6266), named by the collection and the day: "libraries-placements-2026-11-21.csv". */
static void name_file(struct call *call)
{
    struct buffer name = {0};
    for (const char *at = strchr(call->operation->path + 1, '/'); at; at = strchr(at + 1, '/')) {
        if (at[1] == '{')
            continue;
        buffer_span(&name, (struct span){at + 1, strcspn(at + 1, "/")});
        buffer_char(&name, '-');
    }
    response_header(call, "Content-Disposition", "attachment; filename=\"%.*s%s.csv\"",
                    (int)name.len, name.data, call->today);
    buffer_free(&name);
}

void respond_finish(struct call *call)
{
    struct response *response = &call->response;
    struct span origin = origin_allowed(call);
    if (origin.ptr) {
        response_header(call, "Access-Control-Allow-Origin", "%.*s", SPAN_ARG(origin));
        response_header_lent(call, "Access-Control-Expose-Headers", CORS_EXPOSED_HEADERS);
    }
    response_header(call, "Vary",
                    "Accept, Accept-Encoding, Accept-Language, Authorization, Origin");
    if (response->content_type && response->status != 304)
        response_header_lent(call, "Content-Type", response->content_type);
    if (response->status == 200 && call->csv.people)
        name_file(call);
    if (response->gzipped)
        response_header_lent(call, "Content-Encoding", "gzip");
    if (!has_header(call, "Cache-Control"))
        response_header_lent(
            call, "Cache-Control",
            response->status >= 400 || call->method != METHOD_GET ||
                    (call->operation && (call->operation->secret || call->operation->unkept))
                ? "no-store"
                : "private, no-cache");
    response_header(call, "X-Request-Id", "%.*s", SPAN_ARG(call->request_id));
    response_header_lent(call, "X-Content-Type-Options", "nosniff");
    if (!has_header(call, "Content-Security-Policy"))
        response_header_lent(call, "Content-Security-Policy",
                             "default-src 'none'; frame-ancestors 'none'");
    /* libmicrohttpd answers HEAD of a chunked body with the last chunk: nothing may be read behind it */
    response->close = response->close || (call->head && response->stream);
    if (response->close || atomic_load(&call->service->draining))
        response_header_lent(call, "Connection", "close");
}
