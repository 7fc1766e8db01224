/* The few operations that are C: named by x-handler in the contract. */
#ifndef API_HANDLERS_H
#define API_HANDLERS_H

#include "api/call.h"

struct handler {
    const char *name;
    enum problem_code (*run)(struct call *call);
};
const struct handler *handler_find(const char *name); /* NULL when there is none */

/* What runs before the statements of a write (x-prepare): it may read the body's values, lend a connection and return it,
 * bind names for the statements (call_bind) and add members to the answer (call_add). */
const struct handler *prepare_find(const char *name);

enum problem_code prepare_client_secret(struct call *call);
enum problem_code prepare_api_key(struct call *call);

/* A document made for this call: with ETag and gzip, never from memory. Its body is written already. */
enum problem_code machine_made(struct call *call, const char *content_type);

enum problem_code handle_health_live(struct call *call);
enum problem_code handle_health_ready(struct call *call);
enum problem_code handle_metrics(struct call *call);
enum problem_code handle_openapi_json(struct call *call);
enum problem_code handle_docs(struct call *call);
enum problem_code handle_docs_file(struct call *call);
enum problem_code handle_problem_list(struct call *call);
enum problem_code handle_problem_page(struct call *call);
enum problem_code handle_jwks(struct call *call);
enum problem_code handle_oauth_metadata(struct call *call);
enum problem_code handle_protected_resource(struct call *call);
enum problem_code handle_security_txt(struct call *call);
enum problem_code handle_token(struct call *call);
enum problem_code handle_me_can(struct call *call);
enum problem_code handle_revoke(struct call *call);
enum problem_code handle_introspect(struct call *call);
enum problem_code handle_authorize(struct call *call);
enum problem_code handle_authorize_form(struct call *call);
enum problem_code handle_account_password(struct call *call);
enum problem_code handle_account_password_set(struct call *call);
enum problem_code prepare_user_link(struct call *call);
enum problem_code prepare_my_password(struct call *call);
enum problem_code prepare_my_account(struct call *call);

#endif
