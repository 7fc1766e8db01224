/* POST /oauth2/token (RFC 6749 3.2), /revoke (RFC 7009) and /introspect (RFC 7662). Rule: the client is known before anything of
 * its request is looked at, and no token or code is ever logged. */
#include "api/handlers/handlers.h"
#include "api/handlers/oauth_form.h"
#include "auth/scope.h"

static enum problem_code tokens_send(struct call *call, const struct oauth_tokens *tokens)
{
    struct buffer *body = &call->response.body;
    call->response.status = 200;
    call->response.content_type = "application/json";
    BUFFER_LITERAL(body, "{\"access_token\":");
    buffer_json_string(body, tokens->access_token);
    buffer_printf(body, ",\"token_type\":\"Bearer\",\"expires_in\":%lld,\"scope\":",
                  (long long)auth_token_lifetime_s(call->service->auth));
    buffer_json_string(body, tokens->scope);
    if (tokens->refresh_token.ptr) {
        BUFFER_LITERAL(body, ",\"refresh_token\":");
        buffer_json_string(body, tokens->refresh_token);
    }
    buffer_char(body, '}');
    return PROBLEM_NONE;
}

enum grant_type { GRANT_CLIENT, GRANT_CODE, GRANT_REFRESH, GRANT_UNKNOWN };

static enum grant_type grant_type_of(struct span name)
{
    return span_is(name, "client_credentials")   ? GRANT_CLIENT
           : span_is(name, "authorization_code") ? GRANT_CODE
           : span_is(name, "refresh_token")      ? GRANT_REFRESH
                                                 : GRANT_UNKNOWN;
}

/* What the request lacks for its grant, or NULL. */
static const char *lacking(enum grant_type type, const struct oauth_form *form)
{
    if (type == GRANT_CODE && !form->code.ptr)
        return "code is missing";
    if (type == GRANT_CODE && !form->code_verifier.ptr)
        return "code_verifier is missing (RFC 7636)";
    if (type == GRANT_REFRESH && !form->refresh_token.ptr)
        return "refresh_token is missing";
    return NULL;
}

static enum problem_code grant(struct call *call, enum grant_type type,
                               const struct oauth_form *form, const struct oauth_client *client)
{
    struct oauth_call oauth = oauth_call_of(call);
    struct oauth_tokens tokens;
    enum problem_code code =
        type == GRANT_CODE ? oauth_code_exchange(&oauth, client, form->code, form->redirect_uri,
                                                 form->code_verifier, &tokens)
        : type == GRANT_REFRESH
            ? oauth_refresh(&oauth, client, form->refresh_token, form->scope, &tokens)
            : oauth_client_credentials(&oauth, client, form->scope, &tokens);
    if (code == PROBLEM_invalid_scope)
        return oauth_refuse(call, 400, "invalid_scope", "the client may not have that scope");
    if (code == PROBLEM_invalid_grant)
        return oauth_refuse(call, 400, "invalid_grant",
                            "the code or refresh token is wrong, expired, used, revoked, or "
                            "another client's");
    return code ? code : tokens_send(call, &tokens);
}

enum problem_code handle_token(struct call *call)
{
    struct oauth_form form;
    struct oauth_client client;
    enum problem_code code;
    if (!oauth_form_open(call, &form, &client, &code))
        return code;
    if (!form.grant_type.ptr)
        return oauth_refuse(call, 400, "invalid_request", "grant_type is missing");
    enum grant_type type = grant_type_of(form.grant_type);
    if (type == GRANT_UNKNOWN)
        return oauth_refuse(call, 400, "unsupported_grant_type",
                            "supported are authorization_code, refresh_token and "
                            "client_credentials");
    if (type == GRANT_CLIENT && !client.confidential)
        return oauth_refuse(call, 400, "unauthorized_client",
                            "an app without a secret acts for people only");
    if (!oauth_resource_ours(call, form.resource))
        return oauth_refuse(call, 400, "invalid_target", "resource is not this service");
    const char *what = lacking(type, &form);
    if (what)
        return oauth_refuse(call, 400, "invalid_request", what);
    return grant(call, type, &form, &client);
}

enum problem_code handle_revoke(struct call *call)
{
    struct oauth_form form;
    struct oauth_client client;
    enum problem_code code;
    if (!oauth_form_open(call, &form, &client, &code))
        return code;
    if (!form.token.ptr)
        return oauth_refuse(call, 400, "invalid_request", "token is missing");
    struct oauth_call oauth = oauth_call_of(call);
    code = oauth_revoke(&oauth, &client, form.token);
    if (code == PROBLEM_invalid_grant)
        return oauth_refuse(call, 400, "invalid_grant", "the token is another client's");
    if (code == PROBLEM_NONE)
        call->response.status = 200;
    return code;
}

/* ---- introspection -------------------------------------------------------------------------- */

static void member(struct buffer *body, const char *name, const char *text)
{
    if (!text)
        return;
    buffer_printf(body, ",\"%s\":", name);
    buffer_json_string(body, span_of(text));
}

/* RFC 9470 6.2 */
static void login_describe(struct call *call, const struct token_login *login)
{
    struct buffer *body = &call->response.body;
    buffer_printf(body, ",\"auth_time\":%lld,\"amr\":%s", (long long)login->at_s,
                  login_methods_json(call->arena, login->methods));
}

/* What the account is called may be an address: it goes with the account. */
static bool names_account(const char *scope)
{
    uint32_t scopes;
    return scope && scope_parse(span_of(scope), false, &scopes) &&
           (scopes & scope_bit(SPAN("account:read"))) != 0;
}

static void describe(struct call *call, const struct oauth_description *description)
{
    struct buffer *body = &call->response.body;
    call->response.status = 200;
    call->response.content_type = "application/json";
    if (!description->active) {
        BUFFER_LITERAL(body, "{\"active\":false}");
        return;
    }
    BUFFER_LITERAL(body, "{\"active\":true");
    if (description->scope && description->scope[0])
        member(body, "scope", description->scope);
    member(body, "client_id", description->client_id);
    if (names_account(description->scope))
        member(body, "username", description->username);
    if (!description->refresh)
        member(body, "token_type", "Bearer");
    member(body, "sub", description->subject);
    member(body, "aud", call->service->settings.audience);
    member(body, "iss", call->service->base_url);
    member(body, "jti", description->id);
    member(body, "sid", description->session);
    if (description->login.at_s) {
        member(body, "acr", login_acr(&description->login));
        login_describe(call, &description->login);
    }
    buffer_printf(body, ",\"iat\":%lld,\"exp\":%lld}", (long long)description->issued_s,
                  (long long)description->expires_s);
}

enum problem_code handle_introspect(struct call *call)
{
    struct oauth_form form;
    struct oauth_client client;
    struct oauth_description description;
    enum problem_code code;
    if (!oauth_form_open(call, &form, &client, &code))
        return code;
    if (!client.confidential)
        return oauth_refuse(call, 401, "invalid_client",
                            "only a client that keeps a secret may look at tokens");
    if (!form.token.ptr)
        return oauth_refuse(call, 400, "invalid_request", "token is missing");
    struct oauth_call oauth = oauth_call_of(call);
    code = oauth_introspect(&oauth, &client, form.token, &description);
    if (code == PROBLEM_NONE)
        describe(call, &description);
    return code;
}
