/* What machines read first: the contract, the keys, the OAuth metadata, the problems and the docs page. */
#include "api/docs.h"
#include "api/execute.h"
#include "api/handlers/handlers.h"
#include "api/problem_body.h"
#include "api/respond.h"
#include "api/version.h"
#include "auth/key_files.h"

enum problem_code handle_openapi_json(struct call *call)
{
    return execute_constant(call, "application/json",
                            (struct span){contract_openapi_json, contract_openapi_json_len});
}

/* A document made for this call: with ETag and gzip, never from memory. */
static enum problem_code made(struct call *call, const char *content_type)
{
    call->response.status = 200;
    call->response.content_type = content_type;
    if (version_tag(call, SPAN("")))
        respond_not_modified(call);
    else
        respond_gzip(call);
    return PROBLEM_NONE;
}

/* The keys may be others at the next request: a reload changes them. */
enum problem_code handle_jwks(struct call *call)
{
    struct span jwks = auth_jwks(call->service->auth, call->arena);
    buffer_span(&call->response.body, jwks);
    response_header(call, "Cache-Control", "public, max-age=%d", JWKS_MAX_AGE_S);
    return made(call, "application/json");
}

/* RFC 8414 2. */
enum problem_code handle_oauth_metadata(struct call *call)
{
    struct buffer *body = &call->response.body;
    const char *base = call->service->base_url;
    BUFFER_LITERAL(body, "{\"issuer\":");
    buffer_json_string(body, span_of(base));
    BUFFER_LITERAL(body, ",\"token_endpoint\":");
    buffer_json_string(body, span_of(arena_printf(call->arena, "%s/oauth2/token", base)));
    BUFFER_LITERAL(body, ",\"jwks_uri\":");
    buffer_json_string(body, span_of(arena_printf(call->arena, "%s/.well-known/jwks.json", base)));
    BUFFER_LITERAL(body, ",\"service_documentation\":");
    buffer_json_string(body, span_of(arena_printf(call->arena, "%s/docs", base)));
    BUFFER_LITERAL(
        body,
        ",\"response_types_supported\":[],\"grant_types_supported\":[\"client_credentials\"],"
        "\"token_endpoint_auth_methods_supported\":[\"client_secret_basic\",\"client_secret_post\"],"
        "\"ui_locales_supported\":[\"id\",\"en\"],\"scopes_supported\":[");
    for (size_t i = 0; i < contract_scope_count; i++) {
        if (i)
            buffer_char(body, ',');
        buffer_json_string(body, span_of(contract_scopes[i]));
    }
    BUFFER_LITERAL(body, "]}");
    return made(call, "application/json");
}

static enum problem_code made_page(struct call *call)
{
    if (call->media == MEDIA_HTML)
        response_header(call, "Content-Security-Policy", "%s", problem_page_policy);
    return made(call, respond_media_type(call->media));
}

enum problem_code handle_problem_list(struct call *call)
{
    if (call->media == MEDIA_HTML)
        problem_list_html(&call->response.body);
    else
        problem_list_json(&call->response.body, span_of(call->service->base_url));
    return made_page(call);
}

enum problem_code handle_problem_page(struct call *call)
{
    enum problem_code code = problem_find(call->path_values[0]);
    if (code == PROBLEM_NONE)
        return PROBLEM_not_found;
    if (call->media == MEDIA_HTML)
        problem_document_html(&call->response.body, code);
    else
        problem_document_json(&call->response.body, code, span_of(call->service->base_url));
    return made_page(call);
}

static enum problem_code docs_send(struct call *call, struct span name)
{
    const struct docs_file *file = docs_find(name);
    if (!file)
        return PROBLEM_not_found;
    response_header(call, "Content-Security-Policy", "%s", docs_csp);
    if (file->gzip && !call->accepts_gzip) {
        docs_plain(file, &call->response.body);
        return made(call, file->type);
    }
    respond_constant(call, 200, file->type, (struct span){(const char *)file->data, file->len});
    call->response.gzipped = file->gzip;
    if (version_tag(call, SPAN("")))
        respond_not_modified(call);
    return PROBLEM_NONE;
}

enum problem_code handle_docs(struct call *call)
{
    return docs_send(call, SPAN("index.html"));
}

enum problem_code handle_docs_file(struct call *call)
{
    return docs_send(call, call->path_values[0]);
}
