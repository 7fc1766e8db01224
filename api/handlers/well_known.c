/* What others read first: clients of OAuth the keys (RFC 7517) and the metadata of server and resource (RFC 8414, RFC 9728), and who has
 * found a hole how to tell of it (RFC 9116). */
#include "api/base/clock.h"
#include "api/handlers/handlers.h"
#include "auth/key_files.h"

/* The keys may be others at the next request: a reload changes them. */
enum problem_code handle_jwks(struct call *call)
{
    struct span jwks = auth_jwks(call->service->auth, call->arena);
    buffer_span(&call->response.body, jwks);
    response_header(call, "Cache-Control", "public, max-age=%d", JWKS_MAX_AGE_S);
    return machine_made(call, "application/json");
}

static void member(struct call *call, const char *name, const char *path)
{
    struct buffer *body = &call->response.body;
    buffer_char(body, body->len ? ',' : '{');
    buffer_json_string(body, span_of(name));
    buffer_char(body, ':');
    buffer_json_string(body,
                       span_of(arena_printf(call->arena, "%s%s", call->service->base_url, path)));
}

static void scopes(struct buffer *body)
{
    BUFFER_LITERAL(body, ",\"scopes_supported\":[");
    for (size_t i = 0; i < contract_scope_count; i++) {
        if (i)
            buffer_char(body, ',');
        buffer_json_string(body, span_of(contract_scopes[i]));
    }
    buffer_char(body, ']');
}

/* RFC 8414 2. */
enum problem_code handle_oauth_metadata(struct call *call)
{
    struct buffer *body = &call->response.body;
    member(call, "issuer", "");
    member(call, "authorization_endpoint", "/oauth2/authorize");
    member(call, "token_endpoint", "/oauth2/token");
    member(call, "revocation_endpoint", "/oauth2/revoke");
    member(call, "introspection_endpoint", "/oauth2/introspect");
    member(call, "jwks_uri", "/.well-known/jwks.json");
    member(call, "service_documentation", "/docs");
    scopes(body);
    BUFFER_LITERAL(
        body,
        ",\"response_types_supported\":[\"code\"],\"response_modes_supported\":[\"query\"],"
        "\"grant_types_supported\":[\"authorization_code\",\"refresh_token\",\"client_credentials\"],"
        "\"token_endpoint_auth_methods_supported\":"
        "[\"client_secret_basic\",\"client_secret_post\",\"none\"],"
        "\"revocation_endpoint_auth_methods_supported\":"
        "[\"client_secret_basic\",\"client_secret_post\",\"none\"],"
        "\"introspection_endpoint_auth_methods_supported\":"
        "[\"client_secret_basic\",\"client_secret_post\"],"
        "\"code_challenge_methods_supported\":[\"S256\"],"
        "\"authorization_response_iss_parameter_supported\":true,"
        "\"prompt_values_supported\":[\"none\",\"login\",\"consent\"],"
        "\"acr_values_supported\":[\"" ACR_PASSWORD "\",\"" ACR_SECOND_FACTOR "\"],"
        "\"ui_locales_supported\":[\"id\",\"en\"]}");
    return machine_made(call, "application/json");
}

/* RFC 9728 2. */
enum problem_code handle_protected_resource(struct call *call)
{
    struct buffer *body = &call->response.body;
    member(call, "resource", "");
    BUFFER_LITERAL(body, ",\"authorization_servers\":[");
    buffer_json_string(body, span_of(call->service->base_url));
    BUFFER_LITERAL(body, "]");
    member(call, "jwks_uri", "/.well-known/jwks.json");
    member(call, "resource_documentation", "/docs");
    scopes(body);
    BUFFER_LITERAL(body,
                   ",\"bearer_methods_supported\":[\"header\"],\"resource_name\":\"TPBIS API\"}");
    return machine_made(call, "application/json");
}

#define DAY_S 86400
#define SECURITY_EXPIRES_DAYS 180

/* RFC 9116 2.5. Good for half a year from today, whenever it is read: what it says is a setting of the service that answers. */
enum problem_code handle_security_txt(struct call *call)
{
    struct buffer *body = &call->response.body;
    const char *contact = call->service->settings.security_contact;
    int64_t day = clock_unix_s() / DAY_S + SECURITY_EXPIRES_DAYS;
    char expires[25];
    if (!*contact)
        return PROBLEM_not_found;
    for (size_t len; *contact; contact += len + (contact[len] == ' ')) {
        len = strcspn(contact, " ");
        if (len)
            buffer_printf(body, "Contact: %.*s\n", (int)len, contact);
    }
    clock_rfc3339(day * DAY_S * 1000, expires);
    buffer_printf(body, "Expires: %s\nPreferred-Languages: id, en\nCanonical: %s%s\n", expires,
                  call->service->base_url, "/.well-known/security.txt");
    return machine_made(call, "text/plain; charset=utf-8");
}
