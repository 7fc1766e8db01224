/* OAuth 2.1 (RFC 6749, 7636, 7009, 7662, 8252, 9700) without its HTTP: clients, the browser's login session, codes, grants and
 * refresh tokens. Every secret here is 256 random bits and is stored as SHA-256. */
#ifndef AUTH_OAUTH_H
#define AUTH_OAUTH_H

#include "auth/auth.h"

#define OAUTH_SESSION_S (15 * 60)             /* a browser stays logged in */
#define OAUTH_CODE_S 60                       /* a code may be exchanged */
#define OAUTH_REFRESH_IDLE_S (30 * 24 * 3600) /* a refresh token that nobody uses */
#define OAUTH_REFRESH_LONGEST_S (90 * 24 * 3600)
#define OAUTH_REFRESH_RACING_S                                                                     \
    1 /* requests of one app that race each other; what is later repeats */

struct oauth_call { /* in which request, for whom the audit asks */
    struct auth *auth;
    struct arena *arena;
    struct span request_id, operation;
    int64_t deadline_ms;
    struct span address; /* of the client or its browser, as call_address() has it */
};

/* ---- clients -------------------------------------------------------------------------------- */

struct oauth_client {
    const char *id, *name, *owner, *homepage; /* owner and homepage may be NULL */
    bool confidential, active;
    uint32_t allowed; /* scopes that it may ever have */
    uint32_t held;    /* those of its own standing, as of its authentication; 0 before */
    const char *const *redirect_uris;
    size_t redirect_uri_count;
};

/* *ret_client has id NULL when there is none of that id. Problems: those of the database. */
enum problem_code oauth_client_find(const struct oauth_call *call, struct span id,
                                    struct oauth_client *ret_client);

/* Is it one that the client registered: the same text, or, of a loopback address, the same but for the port (RFC 8252 7.3)? */
bool oauth_redirect_allowed(const struct oauth_client *client, struct span uri);

/* Who asks: a confidential client proves it by its secret, a public one says its name and has none (secret absent).
 * Problems: PROBLEM_invalid_client, and those of the database. */
enum problem_code oauth_client_authenticate(const struct oauth_call *call, struct span id,
                                            struct span secret, struct oauth_client *ret_client);

/* ---- the login session of a browser --------------------------------------------------------- */

#define OAUTH_COOKIE_LENGTH 43
struct oauth_session {
    const char *user_id, *name, *username, *language; /* user_id NULL: nobody is logged in */
    int64_t age_s;
    bool two_factors;      /* the second one was shown in this login */
    const char *factor_id; /* of the one that the account has, or NULL */
    bool factor_needed;    /* by what the user is charged with */
    bool codes_kept;       /* the recovery codes were shown, and the user has them */
    int64_t codes_left;
    uint32_t consented; /* what this client was once granted */
    uint32_t held;      /* what the user may do today through this client */
};
void oauth_cookie_make(char ret_cookie[OAUTH_COOKIE_LENGTH + 1]);
enum problem_code oauth_session_find(const struct oauth_call *call, struct span cookie,
                                     const struct oauth_client *client,
                                     struct oauth_session *ret_session);
enum problem_code oauth_session_begin(const struct oauth_call *call, const char *user_id,
                                      struct span cookie);
enum problem_code oauth_session_end(const struct oauth_call *call, struct span cookie);

/* ---- codes ---------------------------------------------------------------------------------- */

struct oauth_code_request {
    const struct oauth_client *client;
    const char *user_id;
    struct span cookie, redirect_uri, challenge;
    uint32_t scopes;
    bool remember; /* the user was asked, and agreed */
};
/* PROBLEM_invalid_grant when the session has ended meanwhile. */
enum problem_code oauth_code_issue(const struct oauth_call *call,
                                   const struct oauth_code_request *request, struct span *ret_code);

/* ---- tokens --------------------------------------------------------------------------------- */

struct oauth_tokens { /* in the arena */
    struct span access_token, scope;
    struct span refresh_token; /* absent for client_credentials */
};

/* All that is asked, within what is allowed; nothing asked means all of it. PROBLEM_invalid_scope. */
enum problem_code oauth_client_credentials(const struct oauth_call *call,
                                           const struct oauth_client *client, struct span scope,
                                           struct oauth_tokens *ret_tokens);
/* PROBLEM_invalid_grant; a second use of a code ends what the first one gave. redirect_uri may be absent (OAuth 2.1). */
enum problem_code oauth_code_exchange(const struct oauth_call *call,
                                      const struct oauth_client *client, struct span code,
                                      struct span redirect_uri, struct span verifier,
                                      struct oauth_tokens *ret_tokens);
/* PROBLEM_invalid_grant, PROBLEM_invalid_scope; an old token that somebody uses again ends the grant. */
enum problem_code oauth_refresh(const struct oauth_call *call, const struct oauth_client *client,
                                struct span refresh_token, struct span scope,
                                struct oauth_tokens *ret_tokens);

/* RFC 7009. Nothing wrong is found with a token that is not ours or not in force; PROBLEM_invalid_grant for another
 * client's. */
enum problem_code oauth_revoke(const struct oauth_call *call, const struct oauth_client *client,
                               struct span token);

struct oauth_description { /* RFC 7662 2.2; all absent when not active */
    bool active, refresh;
    const char *subject, *client_id, *username, *id, *session, *scope;
    int64_t issued_s, expires_s;
    struct token_login login; /* of a person's; else zero */
};
/* Of tokens of the asking client; of any, when its own standing has the scope admin. */
enum problem_code oauth_introspect(const struct oauth_call *call, const struct oauth_client *client,
                                   struct span token, struct oauth_description *ret_description);

#endif
