/* GET and POST /oauth2/authorize (RFC 6749 4.1, OAuth 2.1, RFC 9700): logging in, consent, and the code. Rule: what a browser
 * posts counts only with the token of the form that we gave to that browser for that request. */
#include "api/handlers/authorize.h"

#include "api/base/digest.h"
#include "api/base/log.h"
#include "api/handlers/cookie.h"
#include "api/handlers/handlers.h"
#include "api/handlers/oauth_form.h"
#include "api/negotiate.h"
#include "auth/device.h"
#include "auth/login.h"

#define BUSY_WAIT_S 5

#define LOGIN_COOKIE "tpbis_login"
#define DEVICE_COOKIE "tpbis_device"
#define DEVICE_COOKIE_S (400 * INT64_C(86400)) /* browsers keep none longer */

/* ---- the cookies ---------------------------------------------------------------------------- */

/* A fresh one: for a browser that has none, and whenever somebody logs in or out, so that nobody keeps another's. */
static void cookie_renew(struct authorize *authorize)
{
    struct call *call = authorize->call;
    char cookie[OAUTH_COOKIE_LENGTH + 1];
    oauth_cookie_make(cookie);
    authorize->cookie = arena_copy(call->arena, span_of(cookie));
    cookie_set(call, LOGIN_COOKIE, authorize->cookie, 0);
}

static enum problem_code device_of(struct authorize *authorize, struct span *ret_device)
{
    return device_read(&authorize->oauth,
                       cookie_read(authorize->call, DEVICE_COOKIE, DEVICE_COOKIE_LENGTH),
                       ret_device);
}

/* The browser is from now on one in which the account of the session was opened. To be called when the whole login is right. */
static enum problem_code device_keep(struct authorize *authorize)
{
    struct span device = SPAN_NONE, cookie = SPAN_NONE;
    enum problem_code code = device_of(authorize, &device);
    if (!code)
        code = device_cookie(&authorize->oauth, &device, &cookie);
    if (!code)
        code = device_remember(&authorize->oauth, authorize->session.user_id, device);
    if (!code)
        cookie_set(authorize->call, DEVICE_COOKIE, cookie, DEVICE_COOKIE_S);
    return code;
}

/* ---- steps ---------------------------------------------------------------------------------- */

/* A problem of the database or the processors, as a page. What was to be sent before is gone. */
static enum problem_code unavailable(struct authorize *authorize, enum problem_code code)
{
    if (problem_texts[code].status != 503)
        return code;
    return authorize_unavailable_page(authorize, BUSY_WAIT_S);
}

/* An address of the web that only the app's maker can hold, or a client that must prove itself to use a code: others may be
 * imitated by any program on the device, so that a person must look (RFC 8252 8.6). */
static bool silent_allowed(const struct authorize *authorize)
{
    return authorize->client.confidential || span_starts(authorize->redirect_uri, "https://");
}

static enum problem_code refuse(struct authorize *authorize, const char *error, const char *why)
{
    return authorize_redirect(authorize, "error", span_of(error), why);
}

static enum problem_code code_send(struct authorize *authorize, bool remember)
{
    struct oauth_code_request request = {
        .client = &authorize->client,
        .user_id = authorize->session.user_id,
        .cookie = authorize->cookie,
        .redirect_uri = authorize->redirect_uri,
        .challenge = authorize->challenge,
        .scopes = authorize_scopes(authorize),
        .remember = remember,
    };
    struct span code;
    enum problem_code problem = oauth_code_issue(&authorize->oauth, &request, &code);
    if (problem == PROBLEM_invalid_grant) /* logged out or disabled since */
        return authorize_login_page(authorize, 403, ALERT_EXPIRED, 0, SPAN_NONE);
    return problem ? unavailable(authorize, problem)
                   : authorize_redirect(authorize, "code", code, NULL);
}

/* Somebody is logged in: the second factor and consent where they are needed, else the code. `interacted`: a person has just done
 * something here. */
static enum problem_code proceed(struct authorize *authorize, bool interacted)
{
    if (authorize_factor_due(authorize))
        return authorize->prompt & PROMPT_NONE
                   ? refuse(authorize, "login_required", "a second factor must be shown")
                   : authorize_factor_page(authorize);
    uint32_t scopes = authorize_scopes(authorize);
    if (!scopes)
        return refuse(authorize, "invalid_scope", "the user has no scope that the client may have");
    bool asked = (authorize->prompt & PROMPT_CONSENT) || (scopes & ~authorize->session.consented) ||
                 (!interacted && !silent_allowed(authorize)) || authorize->call->head;
    if (!asked)
        return code_send(authorize, false);
    if (authorize->prompt & PROMPT_NONE)
        return refuse(authorize, "consent_required", "a person must be asked");
    return authorize_consent_page(authorize, ALERT_NONE);
}

/* The session of the cookie; a browser without one gets a fresh cookie. */
static enum problem_code session_open(struct authorize *authorize)
{
    authorize->cookie = cookie_read(authorize->call, LOGIN_COOKIE, OAUTH_COOKIE_LENGTH);
    if (authorize->cookie.len)
        return oauth_session_find(&authorize->oauth, authorize->cookie, &authorize->client,
                                  &authorize->session);
    cookie_renew(authorize);
    return PROBLEM_NONE;
}

/* Reads the request; false when it has been answered, or in *ret_problem. */
static bool open_request(struct call *call, struct authorize *authorize,
                         enum problem_code *ret_problem)
{
    enum authorize_fault fault;
    const char *error = NULL, *why = NULL;
    *authorize = (struct authorize){.call = call, .oauth = oauth_call_of(call)};
    *ret_problem = authorize_read(authorize, &fault, &error, &why);
    if (*ret_problem) {
        *ret_problem = unavailable(authorize, *ret_problem);
        return false;
    }
    if (fault == AUTHORIZE_GOOD)
        return true;
    log_security(LOG_INFO, "authorize_refused", LOG_I("fault", (int)fault), LOG_C("error", error),
                 LOG_C("client", authorize->client.id));
    *ret_problem = fault == AUTHORIZE_REFUSED ? refuse(authorize, error, why)
                                              : authorize_fault_page(authorize, fault);
    return false;
}

/* ---- GET ------------------------------------------------------------------------------------ */

enum problem_code handle_authorize(struct call *call)
{
    struct authorize authorize;
    enum problem_code code;
    if (!open_request(call, &authorize, &code))
        return code;
    code = session_open(&authorize);
    if (code)
        return unavailable(&authorize, code);
    bool old = authorize.max_age_s >= 0 && authorize.session.age_s > authorize.max_age_s;
    if (authorize.session.user_id && !old && !(authorize.prompt & PROMPT_LOGIN))
        return proceed(&authorize, false);
    if (authorize.prompt & PROMPT_NONE)
        return refuse(&authorize, "login_required", "nobody is logged in");
    return authorize_login_page(&authorize, 200, ALERT_NONE, 0, SPAN_NONE);
}

/* ---- POST ----------------------------------------------------------------------------------- */

static bool form_read(struct call *call, struct authorize_form *ret_form)
{
    struct query_pair pairs[PAIRS_MAX];
    size_t count;
    struct span why;
    struct authorize_form form = {.token = SPAN_NONE};
    if (form_decode(call->arena, call->body, pairs, &count, &why))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct span *slot = span_is(pairs[i].name, "form_token") ? &form.token
                            : span_is(pairs[i].name, "action")   ? &form.action
                            : span_is(pairs[i].name, "username") ? &form.username
                            : span_is(pairs[i].name, "password") ? &form.password
                            : span_is(pairs[i].name, "code")     ? &form.code
                            : span_is(pairs[i].name, "recovery") ? &form.recovery
                                                                 : NULL;
        if (slot && slot->ptr)
            return false;
        if (slot)
            *slot = pairs[i].value;
    }
    *ret_form = form;
    return true;
}

/* Is it a form of ours, from the browser that we gave it to, for this request? Browsers that say where a post comes from are
 * believed when they say that it is from elsewhere. */
static bool form_ours(const struct authorize *authorize, const struct authorize_form *form)
{
    struct span site = call_header(authorize->call, "Sec-Fetch-Site");
    struct span expected = authorize_form_token(authorize);
    if (site.ptr && !span_is(site, "same-origin"))
        return false;
    return form->token.len == expected.len &&
           digest_equal(form->token.ptr, expected.ptr, expected.len);
}

/* Phones put spaces around what they fill in. */
static struct span trimmed(struct span text)
{
    while (text.len && *text.ptr == ' ')
        text = (struct span){text.ptr + 1, text.len - 1};
    while (text.len && text.ptr[text.len - 1] == ' ')
        text.len--;
    return text;
}

/* Something of the login was just done right: with the last of it the browser is known to the account. */
static enum problem_code arrive(struct authorize *authorize)
{
    enum problem_code code = authorize_factor_due(authorize) ? PROBLEM_NONE
                                                             : device_keep(authorize);
    return code ? unavailable(authorize, code) : proceed(authorize, true);
}

static enum problem_code log_in(struct authorize *authorize, const struct authorize_form *form)
{
    struct call *call = authorize->call;
    struct login_request request = {.username = trimmed(form->username),
                                    .password = form->password,
                                    .address = call_address(call)};
    struct login_user user;
    int64_t wait_s = BUSY_WAIT_S;
    enum problem_code code = device_of(authorize, &request.device);
    if (code)
        return unavailable(authorize, code);
    code = auth_login(call->service->pool, call->arena, &request, call->deadline_ms, &user,
                      &wait_s);
    if (code == PROBLEM_wrong_login)
        return authorize_login_page(authorize, 403, ALERT_WRONG, 0, request.username);
    if (code == PROBLEM_login_throttled)
        return authorize_login_page(authorize, 429, ALERT_THROTTLED, wait_s, request.username);
    if (code && problem_texts[code].status == 503)
        return authorize_login_page(authorize, 503, ALERT_BUSY, BUSY_WAIT_S, request.username);
    if (!code && authorize->session.user_id)
        code = oauth_session_end(&authorize->oauth, authorize->cookie);
    if (code)
        return unavailable(authorize, code);
    cookie_renew(authorize); /* what was known before the login is worth nothing after it */
    code = oauth_session_begin(&authorize->oauth, user.id, authorize->cookie);
    if (!code)
        code = oauth_session_find(&authorize->oauth, authorize->cookie, &authorize->client,
                                  &authorize->session);
    if (code)
        return unavailable(authorize, code);
    if (!authorize->session.user_id) /* disabled in this moment */
        return authorize_login_page(authorize, 403, ALERT_WRONG, 0, request.username);
    return arrive(authorize);
}

static enum problem_code switch_user(struct authorize *authorize)
{
    enum problem_code code = oauth_session_end(&authorize->oauth, authorize->cookie);
    if (code)
        return unavailable(authorize, code);
    cookie_renew(authorize);
    return authorize_login_page(authorize, 200, ALERT_NONE, 0, SPAN_NONE);
}

/* The login as it is after something of the second factor was done. */
static enum problem_code proceed_anew(struct authorize *authorize)
{
    enum problem_code code = oauth_session_find(&authorize->oauth, authorize->cookie,
                                                &authorize->client, &authorize->session);
    if (code)
        return unavailable(authorize, code);
    return authorize->session.user_id
               ? arrive(authorize)
               : authorize_login_page(authorize, 403, ALERT_EXPIRED, 0, SPAN_NONE);
}

/* A form of somebody who is logged in. */
static enum problem_code form_of_user(struct authorize *authorize,
                                      const struct authorize_form *form)
{
    bool go_on;
    if (authorize_factor_action(form->action)) {
        enum problem_code code = authorize_factor_form(authorize, form, &go_on);
        return go_on ? proceed_anew(authorize) : code;
    }
    return authorize_factor_due(authorize) ? authorize_factor_page(authorize)
                                           : code_send(authorize, true);
}

enum problem_code handle_authorize_form(struct call *call)
{
    struct authorize authorize;
    struct authorize_form form;
    enum problem_code code;
    if (!open_request(call, &authorize, &code))
        return code;
    if (!form_read(call, &form))
        return authorize_fault_page(&authorize, AUTHORIZE_MALFORMED);
    code = session_open(&authorize);
    if (code)
        return unavailable(&authorize, code);
    if (!form_ours(&authorize, &form) && authorize.session.user_id)
        return authorize_factor_due(&authorize) ? authorize_factor_page(&authorize)
                                                : authorize_consent_page(&authorize, ALERT_EXPIRED);
    if (!form_ours(&authorize, &form))
        return authorize_login_page(&authorize, 403, ALERT_EXPIRED, 0, SPAN_NONE);
    if (span_is(form.action, "login"))
        return log_in(&authorize, &form);
    if (span_is(form.action, "deny"))
        return refuse(&authorize, "access_denied", "the user said no");
    if (span_is(form.action, "switch"))
        return switch_user(&authorize);
    if (!span_is(form.action, "allow") && !authorize_factor_action(form.action))
        return authorize_fault_page(&authorize, AUTHORIZE_MALFORMED);
    return authorize.session.user_id
               ? form_of_user(&authorize, &form)
               : authorize_login_page(&authorize, 403, ALERT_EXPIRED, 0, SPAN_NONE);
}
