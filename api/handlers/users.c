/* Accounts of people: what their statements need from the service. Rule: a password leaves this file only as its hash. */
#include "api/base/log.h"
#include "api/handlers/handlers.h"
#include "auth/ask.h"
#include "auth/login.h"
#include "auth/password.h"

/* Where a one-time link leads, and whether it can go by mail. */
enum problem_code prepare_user_link(struct call *call)
{
    call_bind(call, "service.url", span_of(call->service->base_url));
    call_bind(call, "service.mail",
              *call->service->settings.smtp_url ? SPAN("true") : SPAN("false"));
    return PROBLEM_NONE;
}

static enum problem_code throttled(struct call *call, int64_t wait_s)
{
    call->retry_after_s = wait_s;
    return call_refuse(call, PROBLEM_login_throttled, "seconds",
                       span_of(arena_printf(call->arena, "%lld", (long long)wait_s)));
}

/* The name behind a token, for the password is asked as at the login, and counted there. */
static enum problem_code names_read(struct call *call, const char **ret_username,
                                    const char **ret_name)
{
    const struct ask parameter = {"user.id", span_of(call->principal.user_id)};
    struct rows *rows;
    enum problem_code code = ask_read(call->service->pool, call->arena, "user_names", &parameter, 1,
                                      call->deadline_ms, &rows);
    if (code)
        return code;
    *ret_username = ask_cell(call->arena, rows, "username");
    *ret_name = ask_cell(call->arena, rows, "name");
    rows_free(rows);
    return *ret_username ? PROBLEM_NONE : PROBLEM_invalid_token;
}

/* Where somebody is logged in already: other people's guesses do not matter there. */
static struct span login_device(struct call *call)
{
    const char *session = call->principal.session;
    return session ? span_of(arena_printf(call->arena, "grant:%s", session)) : SPAN_NONE;
}

/* The password of now, as `current_password` of the body has it. */
static enum problem_code password_ask(struct call *call, const char **ret_username,
                                      const char **ret_name)
{
    struct login_user user;
    int64_t wait_s = 0;
    enum problem_code code = names_read(call, ret_username, ret_name);
    if (code)
        return code;
    code = auth_login(call->service->pool, call->arena,
                      &(struct login_request){.username = span_of(*ret_username),
                                              .password = call_value(call, "current_password"),
                                              .address = call_address(call),
                                              .device = login_device(call)},
                      call->deadline_ms, &user, &wait_s);
    return code == PROBLEM_login_throttled ? throttled(call, wait_s) : code;
}

static enum problem_code fault_at(struct call *call, struct span pointer, enum fault_code fault,
                                  const char *argument)
{
    faults_add(&call->faults,
               (struct fault){.pointer = pointer, .code = fault, .argument = span_of(argument)});
    return PROBLEM_invalid_body;
}

/* Where mails and calls go decides who gets into an account next: whoever changes that shows the password, not a token alone.
 * A password that is shown is judged, whatever changes. */
enum problem_code prepare_my_account(struct call *call)
{
    const char *username, *name;
    if (call_given(call, "current_password"))
        return password_ask(call, &username, &name);
    if (call_given(call, "email") || call_given(call, "phone"))
        return fault_at(call, SPAN("/current_password"), FAULT_required, "");
    return PROBLEM_NONE;
}

/* The password of now is asked for, the new one is judged and hashed. */
enum problem_code prepare_my_password(struct call *call)
{
    struct span fresh = call_value(call, "new_password");
    const char *username, *name, *argument = "";
    char hash[PASSWORD_HASH_BYTES];
    enum problem_code code = password_ask(call, &username, &name);
    if (code)
        return code;
    enum fault_code fault = password_check(fresh, span_of(username), span_of(name), &argument);
    if (fault != FAULT_COUNT)
        return fault_at(call, SPAN("/new_password"), fault, argument);
    code = password_hash(fresh, call->principal.user_id, call->deadline_ms, hash);
    if (code)
        return code;
    call_bind(call, "password.hash", span_of(hash));
    return PROBLEM_NONE;
}
