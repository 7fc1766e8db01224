/* What the endpoints of OAuth that apps call have in common: the form, the client's authentication, the form of refusals. */
#ifndef API_HANDLERS_OAUTH_FORM_H
#define API_HANDLERS_OAUTH_FORM_H

#include "api/call.h"
#include "auth/oauth.h"

struct oauth_form { /* absent when not sent, or sent without a value (RFC 6749 3.2) */
    struct span grant_type, code, redirect_uri, code_verifier, refresh_token, scope, token,
        resource, client_id, client_secret;
    bool repeated; /* a parameter came twice, or two ways of authenticating */
};

/* Reads the form and the client's credentials and proves them. Writes the refusal (RFC 6749 5.2) and returns false, or a
 * problem of the database in *ret_problem. The answer is no-store either way. */
bool oauth_form_open(struct call *call, struct oauth_form *ret_form,
                     struct oauth_client *ret_client, enum problem_code *ret_problem);

/* RFC 6749 5.2; always returns PROBLEM_NONE. */
enum problem_code oauth_refuse(struct call *call, int status, const char *error,
                               const char *description);

struct oauth_call oauth_call_of(struct call *call);

/* RFC 8707: is it this service? Absent is. */
bool oauth_resource_ours(const struct call *call, struct span resource);

#endif
