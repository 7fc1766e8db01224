/* The second factor at /oauth2/authorize. Rule: whoever has one, or must have one, gets no further than these pages before it was
 * shown; the database refuses the code to the app as well (login_session_complete). */
#include "api/handlers/authorize.h"

#include "auth/factor.h"

#define BUSY_WAIT_S 5

static struct factor_login login_of(const struct authorize *authorize)
{
    return (struct factor_login){&authorize->session, authorize->cookie};
}

bool authorize_factor_due(const struct authorize *authorize)
{
    const struct oauth_session *session = &authorize->session;
    if (session->two_factors)
        return session->factor_id && !session->codes_kept;
    return session->factor_id || session->factor_needed || authorize->second_factor_asked;
}

/* The page of a secret to be set up: a first one, or another one in place of it. */
static enum problem_code set_up_page(struct authorize *authorize, int status,
                                     enum login_alert alert, int64_t wait_s)
{
    unsigned char secret[TOTP_SECRET_BYTES];
    struct factor_login login = login_of(authorize);
    enum problem_code code = factor_offer(&authorize->oauth, &login, secret);
    if (code)
        return authorize_unavailable_page(authorize, BUSY_WAIT_S);
    return authorize_set_up_page(authorize, secret, status, alert, wait_s);
}

enum problem_code authorize_factor_page(struct authorize *authorize)
{
    const struct oauth_session *session = &authorize->session;
    if (session->two_factors)
        return authorize_codes_due_page(authorize);
    return session->factor_id ? authorize_code_page(authorize, 200, ALERT_NONE, 0, false)
                              : set_up_page(authorize, 200, ALERT_NONE, 0);
}

/* What a guess came to, when it was not the right one. */
static enum problem_code refused(struct authorize *authorize, enum problem_code code,
                                 int64_t wait_s, bool recovery)
{
    int status = code == PROBLEM_login_throttled ? 429 : 403;
    enum login_alert alert = code == PROBLEM_login_throttled ? ALERT_THROTTLED : ALERT_CODE;
    if (code == PROBLEM_wrong_login || code == PROBLEM_login_throttled)
        return authorize->session.factor_id && !authorize->session.two_factors
                   ? authorize_code_page(authorize, status, alert, wait_s, recovery)
                   : set_up_page(authorize, status, alert, wait_s);
    if (code == PROBLEM_invalid_grant) /* logged out, or set up in another window */
        return authorize_login_page(authorize, 403, ALERT_EXPIRED, 0, SPAN_NONE);
    return problem_texts[code].status == 503 || code == PROBLEM_internal
               ? authorize_unavailable_page(authorize, BUSY_WAIT_S)
               : code;
}

static enum problem_code set_up(struct authorize *authorize, struct span typed)
{
    struct factor_login login = login_of(authorize);
    struct recovery_codes codes;
    int64_t wait_s = 0;
    enum problem_code code = factor_set_up(&authorize->oauth, &login, typed, &codes, &wait_s);
    return code ? refused(authorize, code, wait_s, false) : authorize_codes_page(authorize, &codes);
}

static enum problem_code codes_renew(struct authorize *authorize)
{
    struct factor_login login = login_of(authorize);
    struct recovery_codes codes;
    enum problem_code code = factor_codes_renew(&authorize->oauth, &login, &codes);
    return code ? refused(authorize, code, 0, false) : authorize_codes_page(authorize, &codes);
}

bool authorize_factor_action(struct span action)
{
    static const char *const names[] = {"code",  "recovery", "set_up", "confirm",
                                        "codes", "kept",     "later"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (span_is(action, names[i]))
            return true;
    return false;
}

/* What needs the second factor to be shown before, where there is one. */
static enum problem_code change(struct authorize *authorize, const struct authorize_form *form)
{
    if (authorize->session.factor_id && !authorize->session.two_factors)
        return authorize_factor_page(authorize);
    return span_is(form->action, "set_up")    ? set_up_page(authorize, 200, ALERT_NONE, 0)
           : span_is(form->action, "confirm") ? set_up(authorize, form->code)
                                              : codes_renew(authorize);
}

enum problem_code authorize_factor_form(struct authorize *authorize,
                                        const struct authorize_form *form, bool *ret_proceed)
{
    struct factor_login login = login_of(authorize);
    bool recovery = span_is(form->action, "recovery");
    enum problem_code code = PROBLEM_NONE;
    int64_t wait_s = 0;
    *ret_proceed = false;
    if (span_is(form->action, "code"))
        code = factor_enter(&authorize->oauth, &login, form->code, &wait_s);
    else if (recovery)
        code = factor_recover(&authorize->oauth, &login, form->recovery, &wait_s);
    else if (span_is(form->action, "kept"))
        code = factor_codes_keep(&authorize->oauth, &login);
    else if (!span_is(form->action, "later"))
        return change(authorize, form);
    *ret_proceed = code == PROBLEM_NONE;
    return code ? refused(authorize, code, wait_s, recovery) : PROBLEM_NONE;
}
