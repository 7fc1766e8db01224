/* POST /oauth2/token (RFC 6749 3.2): client_credentials. Errors are those of RFC 6749 5.2, not problem+json,
 * because OAuth clients read them. Rule: a secret is never logged nor echoed. */
#include <stdio.h>
#include "api/base/digest.h"
#include "api/handlers/handlers.h"
#include "api/negotiate.h"

struct grant_request {
    struct span grant_type, client_id, client_secret, scope;
    bool repeated; /* a parameter came twice (RFC 6749 3.2: must not) */
};

static enum problem_code refuse(struct call *call, int status, const char *error,
                                const char *description)
{
    call->response.status = status;
    call->response.content_type = "application/json";
    buffer_printf(&call->response.body, "{\"error\":\"%s\",\"error_description\":\"%s\"}", error,
                  description);
    if (status == 401)
        response_header(call, "WWW-Authenticate", "Basic realm=\"tpbis\", charset=\"UTF-8\"");
    return PROBLEM_NONE;
}

static void take(struct grant_request *request, struct span *slot, struct span value)
{
    if (slot->ptr)
        request->repeated = true;
    *slot = value;
}

static bool form_read(struct call *call, struct grant_request *request)
{
    struct query_pair pairs[PAIRS_MAX];
    size_t count;
    struct span why;
    if (form_decode(call->arena, call->body, pairs, &count, &why))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct span *slot = span_is(pairs[i].name, "grant_type")      ? &request->grant_type
                            : span_is(pairs[i].name, "client_id")     ? &request->client_id
                            : span_is(pairs[i].name, "client_secret") ? &request->client_secret
                            : span_is(pairs[i].name, "scope")         ? &request->scope
                                                                      : NULL;
        if (slot) /* unknown parameters are ignored (RFC 6749 3.2) */
            take(request, slot, pairs[i].value);
    }
    return true;
}

/* Basic credentials are form-encoded before they are joined (RFC 6749 2.3.1). */
static bool part_decode(struct call *call, struct span part, struct span *ret_text)
{
    struct query_pair pairs[PAIRS_MAX];
    size_t count;
    struct span why, text = span_of(arena_printf(call->arena, "v=%.*s", SPAN_ARG(part)));
    if (form_decode(call->arena, text, pairs, &count, &why) || count != 1)
        return false;
    *ret_text = pairs[0].value;
    return true;
}

static bool basic_read(struct call *call, struct grant_request *request)
{
    struct span header = call_header(call, "Authorization"), pair;
    if (header.len < 6 || strncasecmp(header.ptr, "Basic ", 6) != 0 ||
        !base64_decode(call->arena, (struct span){header.ptr + 6, header.len - 6}, &pair) ||
        !pair.len || memchr(pair.ptr, '\0', pair.len))
        return false;
    const char *colon = memchr(pair.ptr, ':', pair.len);
    if (!colon)
        return false;
    size_t len = (size_t)(colon - pair.ptr);
    struct span id, secret;
    if (!part_decode(call, (struct span){pair.ptr, len}, &id) ||
        !part_decode(call, (struct span){colon + 1, pair.len - len - 1}, &secret))
        return false;
    if (request->client_secret.ptr ||
        (request->client_id.ptr && !span_equal(request->client_id, id)))
        request->repeated = true; /* two ways of authenticating in one request */
    request->client_id = id;
    request->client_secret = secret;
    return true;
}

static enum problem_code grant(struct call *call, const struct grant_request *request)
{
    struct span token, scope;
    enum problem_code code = auth_client_credentials(
        call->service->auth, call->arena, request->client_id, request->client_secret,
        request->scope, call->deadline_ms, &token, &scope);
    if (code == PROBLEM_invalid_client)
        return refuse(call, 401, "invalid_client", "unknown client or wrong secret");
    if (code == PROBLEM_invalid_scope)
        return refuse(call, 400, "invalid_scope", "the client may not have that scope");
    if (code)
        return code;
    struct buffer *body = &call->response.body;
    call->response.status = 200;
    call->response.content_type = "application/json";
    BUFFER_LITERAL(body, "{\"access_token\":");
    buffer_json_string(body, token);
    buffer_printf(body, ",\"token_type\":\"Bearer\",\"expires_in\":%lld,\"scope\":",
                  (long long)auth_token_lifetime_s(call->service->auth));
    buffer_json_string(body, scope);
    buffer_char(body, '}');
    return PROBLEM_NONE;
}

enum problem_code handle_token(struct call *call)
{
    struct grant_request request = {0};
    response_header(call, "Cache-Control", "no-store");
    if (!form_read(call, &request))
        return refuse(call, 400, "invalid_request", "the form cannot be read");
    if (call_header(call, "Authorization").ptr && !basic_read(call, &request))
        return refuse(call, 401, "invalid_client",
                      "the Authorization header is no Basic credentials");
    if (request.repeated)
        return refuse(call, 400, "invalid_request",
                      "a parameter, or the client's authentication, appears twice");
    if (!request.grant_type.ptr)
        return refuse(call, 400, "invalid_request", "grant_type is missing");
    if (!span_is(request.grant_type, "client_credentials"))
        return refuse(call, 400, "unsupported_grant_type", "only client_credentials is supported");
    if (!request.client_id.ptr || !request.client_secret.ptr)
        return refuse(call, 401, "invalid_client", "client credentials are missing");
    return grant(call, &request);
}
