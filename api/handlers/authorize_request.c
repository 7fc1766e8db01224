/* Reading requests for authorization. Rule: nothing is sent to an address before client and address are known to belong
 * together; until then a person is told. */
#include <stdlib.h>
#include "api/handlers/authorize.h"
#include "api/handlers/oauth_form.h"
#include "auth/scope.h"

#define CHALLENGE_LENGTH 43 /* base64url of SHA-256 */

static void pairs_take(struct authorize *authorize)
{
    const struct {
        const char *name;
        struct span *slot;
        bool identity;
    } slots[] = {
        {"client_id", &authorize->client_id, true},
        {"redirect_uri", &authorize->redirect_uri, true},
        {"response_type", &authorize->response_type, false},
        {"response_mode", &authorize->response_mode, true},
        {"scope", &authorize->scope, false},
        {"state", &authorize->state, true},
        {"code_challenge", &authorize->challenge, false},
        {"code_challenge_method", &authorize->challenge_method, false},
        {"resource", &authorize->resource, false},
        {"prompt", &authorize->prompt_text, false},
        {"max_age", &authorize->max_age, false},
        {"request", &authorize->request, false},
        {"request_uri", &authorize->request_uri, false},
        {"ui_locales", &authorize->ui_locales, false},
        {"login_hint", &authorize->login_hint, false},
        {"acr_values", &authorize->acr_values, false},
    };
    const struct target *target = &authorize->call->target;
    for (size_t i = 0; i < target->pair_count && i < PAIRS_MAX; i++)
        for (size_t j = 0; j < sizeof slots / sizeof *slots; j++) {
            if (!span_is(target->pairs[i].name, slots[j].name))
                continue;
            if (slots[j].slot->ptr && slots[j].identity)
                authorize->identity_repeated = true;
            if (slots[j].slot->ptr)
                authorize->repeated = true;
            if (target->pairs[i].value.len)
                *slots[j].slot = target->pairs[i].value;
        }
}

/* The first of "en-GB id" that we speak, else what the browser's Accept-Language says. */
static void language_choose(struct authorize *authorize)
{
    struct span rest = authorize->ui_locales;
    authorize->language = authorize->call->language;
    while (rest.len) {
        const char *space = memchr(rest.ptr, ' ', rest.len);
        struct span one = {rest.ptr, space ? (size_t)(space - rest.ptr) : rest.len};
        struct span primary = {one.ptr, one.len < 2 ? one.len : 2};
        bool whole = one.len == 2 || (one.len > 2 && one.ptr[2] == '-');
        if (whole && (span_is_case(primary, "id") || span_is_case(primary, "en"))) {
            authorize->language = span_is_case(primary, "en") ? LANGUAGE_EN : LANGUAGE_ID;
            return;
        }
        rest = space ? (struct span){space + 1, rest.len - one.len - 1} : SPAN_NONE;
    }
}

static bool source_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("+-.:[]/", c));
}

/* Chromium follows a form's redirect only to what form-action names: the app's origin, or its private scheme. */
static const char *form_target_of(struct call *call, struct span uri)
{
    const char *end = uri.ptr + uri.len, *colon = memchr(uri.ptr, ':', uri.len);
    if (!colon)
        return NULL;
    struct span source = {uri.ptr, (size_t)(colon - uri.ptr) + 1};
    if (span_is(source, "https:") || span_is(source, "http:")) {
        const char *at = colon + 1;
        while (at < end && *at == '/')
            at++;
        while (at < end && *at != '/' && *at != '?' && *at != '#')
            at++;
        source.len = (size_t)(at - uri.ptr);
    }
    for (size_t i = 0; i < source.len; i++)
        if (!source_character(source.ptr[i]))
            return NULL;
    return arena_cstr(call->arena, source);
}

static bool prompt_read(struct authorize *authorize)
{
    struct span rest = authorize->prompt_text;
    while (rest.len) {
        const char *space = memchr(rest.ptr, ' ', rest.len);
        struct span one = {rest.ptr, space ? (size_t)(space - rest.ptr) : rest.len};
        authorize->prompt |= span_is(one, "none")      ? PROMPT_NONE
                             : span_is(one, "login")   ? PROMPT_LOGIN
                             : span_is(one, "consent") ? PROMPT_CONSENT
                                                       : 0u;
        rest = space ? (struct span){space + 1, rest.len - one.len - 1} : SPAN_NONE;
    }
    return !(authorize->prompt & PROMPT_NONE) || authorize->prompt == PROMPT_NONE;
}

static bool max_age_read(struct authorize *authorize)
{
    authorize->max_age_s = -1;
    if (!authorize->max_age.ptr)
        return true;
    if (authorize->max_age.len > 9)
        return false;
    for (size_t i = 0; i < authorize->max_age.len; i++)
        if (authorize->max_age.ptr[i] < '0' || authorize->max_age.ptr[i] > '9')
            return false;
    authorize->max_age_s = strtoll(arena_cstr(authorize->call->arena, authorize->max_age), NULL,
                                   10);
    return true;
}

/* In the app's order of preference (OpenID Connect Core 3.1.2.1, RFC 9470 4); what we do not know is passed over. */
static void acr_read(struct authorize *authorize)
{
    struct span rest = authorize->acr_values;
    while (rest.len) {
        const char *space = memchr(rest.ptr, ' ', rest.len);
        struct span one = {rest.ptr, space ? (size_t)(space - rest.ptr) : rest.len};
        authorize->second_factor_asked = span_is(one, ACR_SECOND_FACTOR);
        if (authorize->second_factor_asked || span_is(one, ACR_PASSWORD))
            return;
        rest = space ? (struct span){space + 1, rest.len - one.len - 1} : SPAN_NONE;
    }
}

static bool challenge_good(struct span challenge)
{
    if (challenge.len != CHALLENGE_LENGTH)
        return false;
    for (size_t i = 0; i < challenge.len; i++) {
        char c = challenge.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!plain && c != '-' && c != '_')
            return false;
    }
    return true;
}

/* The error (RFC 6749 4.1.2.1) that the app is told, or NULL; *ret_why in words for its developer. */
static const char *refusal(struct authorize *authorize, const char **ret_why)
{
    *ret_why = "a parameter appears twice";
    if (authorize->repeated)
        return "invalid_request";
    *ret_why = "requests go in the query, not in an object";
    if (authorize->request.ptr)
        return "request_not_supported";
    if (authorize->request_uri.ptr)
        return "request_uri_not_supported";
    *ret_why = "response_type is missing";
    if (!authorize->response_type.ptr)
        return "invalid_request";
    *ret_why = "response_type must be code";
    if (!span_is(authorize->response_type, "code"))
        return "unsupported_response_type";
    *ret_why = "response_mode must be query";
    if (authorize->response_mode.ptr && !span_is(authorize->response_mode, "query"))
        return "invalid_request";
    *ret_why = "code_challenge is missing or malformed (RFC 7636)";
    if (!challenge_good(authorize->challenge))
        return "invalid_request";
    *ret_why = "code_challenge_method must be S256";
    if (!span_is(authorize->challenge_method, "S256"))
        return "invalid_request";
    *ret_why = "resource is not this service";
    if (!oauth_resource_ours(authorize->call, authorize->resource))
        return "invalid_target";
    *ret_why = "prompt or max_age cannot be read";
    if (!prompt_read(authorize) || !max_age_read(authorize))
        return "invalid_request";
    acr_read(authorize);
    *ret_why = "unknown scope, or one that the client may not have";
    if (authorize->scope.ptr && (!scope_parse(authorize->scope, true, &authorize->asked) ||
                                 (authorize->asked & ~authorize->client.allowed)))
        return "invalid_scope";
    return NULL;
}

enum problem_code authorize_read(struct authorize *authorize, enum authorize_fault *ret_fault,
                                 const char **ret_error, const char **ret_why)
{
    struct call *call = authorize->call;
    pairs_take(authorize);
    language_choose(authorize);
    *ret_fault = AUTHORIZE_MALFORMED;
    if (call->target.pair_count > PAIRS_MAX || authorize->identity_repeated)
        return PROBLEM_NONE;
    *ret_fault = AUTHORIZE_CLIENT;
    enum problem_code code = oauth_client_find(&authorize->oauth, authorize->client_id,
                                               &authorize->client);
    if (code || !authorize->client.id || !authorize->client.active)
        return code;
    *ret_fault = AUTHORIZE_REDIRECT;
    if (!authorize->redirect_uri.ptr ||
        !oauth_redirect_allowed(&authorize->client, authorize->redirect_uri))
        return PROBLEM_NONE;
    authorize->form_target = form_target_of(call, authorize->redirect_uri);
    *ret_error = refusal(authorize, ret_why);
    *ret_fault = *ret_error ? AUTHORIZE_REFUSED : AUTHORIZE_GOOD;
    return PROBLEM_NONE;
}

uint32_t authorize_scopes(const struct authorize *authorize)
{
    return authorize->asked ? authorize->asked
                            : authorize->client.allowed & scope_bit(SPAN("published:read"));
}

/* ---- back to the app ------------------------------------------------------------------------ */

static void query_add(struct buffer *uri, const char *name, struct span value)
{
    static const char digits[] = "0123456789ABCDEF";
    buffer_char(uri, uri->len && memchr(uri->data, '?', uri->len) ? '&' : '?');
    buffer_span(uri, span_of(name));
    buffer_char(uri, '=');
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     (c && strchr("-._~", c));
        if (plain) {
            buffer_char(uri, (char)c);
        } else {
            buffer_char(uri, '%');
            buffer_char(uri, digits[c >> 4]);
            buffer_char(uri, digits[c & 15]);
        }
    }
}

enum problem_code authorize_redirect(struct authorize *authorize, const char *name,
                                     struct span value, const char *why)
{
    struct call *call = authorize->call;
    struct buffer uri = {0};
    buffer_span(&uri, authorize->redirect_uri);
    query_add(&uri, name, value);
    if (why)
        query_add(&uri, "error_description", span_of(why));
    if (authorize->state.ptr)
        query_add(&uri, "state", authorize->state);
    query_add(&uri, "iss", span_of(call->service->base_url));
    call->response.status = 303;
    call->response.content_type = NULL;
    buffer_free(&call->response.body);
    response_header(call, "Location", "%.*s", (int)uri.len, uri.data);
    response_header_lent(call, "Cache-Control", "no-store");
    response_header_lent(call, "Referrer-Policy", "no-referrer");
    buffer_free(&uri);
    return PROBLEM_NONE;
}
