/* Forms of OAuth. Errors are those of RFC 6749 5.2, not problem+json, because OAuth clients read them. Rule: no value of a form
 * is ever logged or echoed. */
#include "api/handlers/oauth_form.h"

#include <stdio.h>
#include "api/base/digest.h"
#include "api/handlers/handlers.h"
#include "api/negotiate.h"

enum problem_code oauth_refuse(struct call *call, int status, const char *error,
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

struct oauth_call oauth_call_of(struct call *call)
{
    return (struct oauth_call){call->service->auth, call->arena,
                               call->request_id,    span_of(call->operation->id),
                               call->deadline_ms,   span_of(call_address(call))};
}

bool oauth_resource_ours(const struct call *call, struct span resource)
{
    struct span base = span_of(call->service->base_url);
    if (!resource.ptr || span_equal(resource, base))
        return true;
    return resource.len == base.len + 1 && memcmp(resource.ptr, base.ptr, base.len) == 0 &&
           resource.ptr[base.len] == '/';
}

static void take(struct oauth_form *form, struct span *slot, struct span value)
{
    if (slot->ptr)
        form->repeated = true;
    if (value.len)
        *slot = value;
}

static bool form_read(struct call *call, struct oauth_form *form)
{
    const struct {
        const char *name;
        struct span *slot;
    } slots[] = {
        {"grant_type", &form->grant_type},
        {"code", &form->code},
        {"redirect_uri", &form->redirect_uri},
        {"code_verifier", &form->code_verifier},
        {"refresh_token", &form->refresh_token},
        {"scope", &form->scope},
        {"token", &form->token},
        {"resource", &form->resource},
        {"client_id", &form->client_id},
        {"client_secret", &form->client_secret},
    };
    struct query_pair pairs[PAIRS_MAX];
    size_t count;
    struct span why;
    if (form_decode(call->arena, call->body, pairs, &count, &why))
        return false;
    for (size_t i = 0; i < count; i++) /* unknown parameters are ignored (RFC 6749 3.2) */
        for (size_t j = 0; j < sizeof slots / sizeof *slots; j++)
            if (span_is(pairs[i].name, slots[j].name))
                take(form, slots[j].slot, pairs[i].value);
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

static bool basic_read(struct call *call, struct oauth_form *form)
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
    if (form->client_secret.ptr || (form->client_id.ptr && !span_equal(form->client_id, id)))
        form->repeated = true; /* two ways of authenticating in one request */
    form->client_id = id;
    form->client_secret = secret;
    return true;
}

bool oauth_form_open(struct call *call, struct oauth_form *ret_form,
                     struct oauth_client *ret_client, enum problem_code *ret_problem)
{
    struct oauth_form form = {.repeated = false};
    *ret_problem = PROBLEM_NONE;
    response_header(call, "Cache-Control", "no-store");
    if (!form_read(call, &form)) {
        oauth_refuse(call, 400, "invalid_request", "the form cannot be read");
        return false;
    }
    if (call_header(call, "Authorization").ptr && !basic_read(call, &form)) {
        oauth_refuse(call, 401, "invalid_client",
                     "the Authorization header is no Basic credentials");
        return false;
    }
    if (form.repeated) {
        oauth_refuse(call, 400, "invalid_request",
                     "a parameter, or the client's authentication, appears twice");
        return false;
    }
    if (!form.client_id.ptr) {
        oauth_refuse(call, 401, "invalid_client", "client credentials are missing");
        return false;
    }
    struct oauth_call oauth = oauth_call_of(call);
    *ret_problem = oauth_client_authenticate(&oauth, form.client_id, form.client_secret,
                                             ret_client);
    if (*ret_problem == PROBLEM_invalid_client) {
        *ret_problem = PROBLEM_NONE;
        oauth_refuse(call, 401, "invalid_client", "unknown client or wrong secret");
        return false;
    }
    *ret_form = form;
    return *ret_problem == PROBLEM_NONE;
}
