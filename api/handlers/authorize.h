/* GET and POST /oauth2/authorize: what its files share. */
#ifndef API_HANDLERS_AUTHORIZE_H
#define API_HANDLERS_AUTHORIZE_H

#include "api/call.h"
#include "auth/factor.h"

enum prompt { PROMPT_NONE = 1, PROMPT_LOGIN = 2, PROMPT_CONSENT = 4 };

struct authorize {
    struct call *call;
    struct oauth_call oauth;
    enum language language;
    /* the request, from the query (RFC 6749 4.1.1, 7636 4.3); absent when not sent or without a value */
    struct span client_id, redirect_uri, response_type, response_mode, scope, state, challenge,
        challenge_method, resource, prompt_text, max_age, request, request_uri, ui_locales,
        login_hint, acr_values;
    bool repeated;          /* a parameter came twice */
    bool identity_repeated; /* one of those that say where a refusal may be sent */
    struct oauth_client client;
    const char *form_target; /* where forms may lead beside here: the app, as a source of CSP */
    uint32_t asked;          /* scopes; 0 when none were named */
    unsigned prompt;
    bool second_factor_asked; /* acr_values: of those we know, the app's first choice */
    int64_t max_age_s;        /* -1: not told */
    struct span
        cookie; /* as sent, or the fresh one that this answer sets; OAUTH_COOKIE_LENGTH or empty */
    struct oauth_session session;
};

/* What is wrong with a request. The page says it when nobody knows where to send it, else the app learns it. */
enum authorize_fault {
    AUTHORIZE_GOOD,
    AUTHORIZE_CLIENT,    /* page: no such client, or a suspended one */
    AUTHORIZE_REDIRECT,  /* page: not an address of that client's */
    AUTHORIZE_MALFORMED, /* page: the query cannot be read */
    AUTHORIZE_REFUSED    /* to the app: *ret_error and *ret_why */
};
enum problem_code authorize_read(struct authorize *authorize, enum authorize_fault *ret_fault,
                                 const char **ret_error, const char **ret_why);

/* 303 to the app (RFC 9700 4.12), with state and iss (RFC 9207) added. */
enum problem_code authorize_redirect(struct authorize *authorize, const char *name,
                                     struct span value, const char *why);

/* The scopes that this request means: what was asked, else the least, published:read. */
uint32_t authorize_scopes(const struct authorize *authorize);

/* ---- pages ---------------------------------------------------------------------------------- */

enum login_alert {
    ALERT_NONE,
    ALERT_WRONG,     /* name or password */
    ALERT_THROTTLED, /* with the seconds to wait */
    ALERT_BUSY,
    ALERT_EXPIRED, /* the form was too old, or cookies are off */
    ALERT_CODE,    /* of the second factor */
};
enum problem_code authorize_fault_page(struct authorize *authorize, enum authorize_fault fault);
enum problem_code authorize_login_page(struct authorize *authorize, int status,
                                       enum login_alert alert, int64_t wait_s,
                                       struct span username);
enum problem_code authorize_consent_page(struct authorize *authorize, enum login_alert alert);
/* The service cannot answer now. */
enum problem_code authorize_unavailable_page(struct authorize *authorize, int64_t wait_s);

/* What the hidden field of our forms holds: only who has the cookie, and for this very request. */
struct span authorize_form_token(const struct authorize *authorize);

/* Parts of pages. */
#define SAY(authorize, indonesian, english)                                                        \
    ((authorize)->language == LANGUAGE_EN ? (english) : (indonesian))
#define BODY(authorize) (&(authorize)->call->response.body)

const char *authorize_alert_words(struct authorize *authorize, enum login_alert alert,
                                  int64_t wait_s);
void authorize_form_open(struct authorize *authorize);
/* An input with its label; `attributes` is a literal of ours. */
void authorize_field(struct authorize *authorize, const char *name, const char *label,
                     const char *attributes, struct span value, bool invalid);
void authorize_footer(struct authorize *authorize);

/* ---- the second factor ------------------------------------------------------------------------ */

struct authorize_form { /* what a page sent; absent members are SPAN_NONE */
    struct span token, action, username, password, code, recovery;
};

/* Somebody is logged in: must something of the second factor be done before going on? Then this is its page. */
bool authorize_factor_due(const struct authorize *authorize);
enum problem_code authorize_factor_page(struct authorize *authorize);
/* Is it what a form of these pages does? */
bool authorize_factor_action(struct span action);
/* Does it, for somebody who is logged in. *ret_proceed: the caller goes on with the login as it is now; else this is the answer. */
enum problem_code authorize_factor_form(struct authorize *authorize,
                                        const struct authorize_form *form, bool *ret_proceed);

enum problem_code authorize_code_page(struct authorize *authorize, int status,
                                      enum login_alert alert, int64_t wait_s, bool recovery);
enum problem_code authorize_set_up_page(struct authorize *authorize,
                                        const unsigned char secret[TOTP_SECRET_BYTES], int status,
                                        enum login_alert alert, int64_t wait_s);
enum problem_code authorize_codes_page(struct authorize *authorize,
                                       const struct recovery_codes *codes);
enum problem_code authorize_codes_due_page(struct authorize *authorize);
/* Buttons within a form, for whoever wants to set it up, or anew. */
void authorize_factor_offer(struct authorize *authorize);

#endif
