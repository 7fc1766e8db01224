/* The table of handlers. Rule: a name here is an x-handler of the contract, and the reverse. */
#include "api/handlers/handlers.h"

static const struct handler handlers[] = {
    {"health_live", handle_health_live},
    {"health_ready", handle_health_ready},
    {"metrics", handle_metrics},
    {"openapi_json", handle_openapi_json},
    {"docs", handle_docs},
    {"docs_file", handle_docs_file},
    {"problem_list", handle_problem_list},
    {"problem_page", handle_problem_page},
    {"jwks", handle_jwks},
    {"oauth_metadata", handle_oauth_metadata},
    {"protected_resource", handle_protected_resource},
    {"security_txt", handle_security_txt},
    {"token", handle_token},
    {"me_can", handle_me_can},
    {"revoke", handle_revoke},
    {"introspect", handle_introspect},
    {"authorize", handle_authorize},
    {"authorize_form", handle_authorize_form},
    {"account_password", handle_account_password},
    {"account_password_set", handle_account_password_set},
};

/* Functions that run before an operation's statements, by the x-prepare of the contract. */
static const struct handler preparations[] = {
    {"client_secret", prepare_client_secret}, {"api_key", prepare_api_key},
    {"user_link", prepare_user_link},         {"my_password", prepare_my_password},
    {"my_account", prepare_my_account},       {NULL, NULL},
};

const struct handler *prepare_find(const char *name)
{
    for (const struct handler *at = preparations; at->name; at++)
        if (strcmp(at->name, name) == 0)
            return at;
    return NULL;
}

const struct handler *handler_find(const char *name)
{
    for (size_t i = 0; i < sizeof(handlers) / sizeof(*handlers); i++)
        if (strcmp(handlers[i].name, name) == 0)
            return &handlers[i];
    return NULL;
}
