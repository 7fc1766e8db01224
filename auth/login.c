/* Logging in. Rule: the attempt is counted before the password is compared, and taken back when it was right;
 * neither names nor passwords nor addresses are logged. */
#include "auth/login.h"

#include <stdlib.h>

#include "api/base/log.h"
#include "api/base/text.h"
#include "api/base/utf8.h"
#include "auth/ask.h"
#include "auth/password.h"

#define USERNAME_MAX_BYTES 120

static const struct write_context by_nobody = {.actor = {"login", 5}, .operation = {"login", 5}};

static void release(struct pool *pool, struct arena *arena, const struct ask *parameters,
                    const char *right, int64_t deadline_ms)
{
    const struct ask all[] = {parameters[0], parameters[1], {"login.right", span_of(right)}};
    struct rows *rows;
    /* When it fails the attempt stays counted, and time forgives it. */
    (void)ask_write(pool, arena, &by_nobody, "login_release", all, 3, deadline_ms, &rows, NULL,
                    NULL);
    rows_free(rows);
}

enum problem_code auth_login(struct pool *pool, struct arena *arena,
                             const struct login_request *request, int64_t deadline_ms,
                             struct login_user *ret_user, int64_t *ret_wait_s)
{
    struct span username = request->username;
    if (!username.len || username.len > USERNAME_MAX_BYTES || !utf8_valid(username) ||
        memchr(username.ptr, '\0', username.len))
        username = SPAN("-"); /* no account has that name: counted and compared all the same */
    username = text_clean(arena, TEXT_CODE, username);
    const struct ask parameters[] = {{"login.username", username},
                                     {"login.address", span_of(request->address)}};
    struct rows *rows;
    enum problem_code problem = ask_write(pool, arena, &by_nobody, "login_attempt", parameters, 2,
                                          deadline_ms, &rows, NULL, NULL);
    if (problem != PROBLEM_NONE)
        return problem;
    const char *wait = ask_cell(arena, rows, "wait_s"), *hash = ask_cell(arena, rows, "hash");
    struct login_user user = {ask_cell(arena, rows, "user_id"), ask_cell(arena, rows, "name"),
                              ask_cell(arena, rows, "language")};
    rows_free(rows);
    int64_t wait_s = wait ? strtoll(wait, NULL, 10) : 0;
    if (wait_s > 0) {
        *ret_wait_s = wait_s;
        log_security(LOG_WARNING, "login_throttled", LOG_I("wait_s", wait_s));
        return PROBLEM_login_throttled;
    }
    bool right = false;
    problem = password_verify(request->password, hash, deadline_ms, &right);
    if (problem != PROBLEM_NONE || right)
        release(pool, arena, parameters, right ? "true" : "false", deadline_ms);
    if (problem != PROBLEM_NONE)
        return problem;
    if (!right) {
        log_security(LOG_WARNING, "login_refused", LOG_C("user", user.id ? user.id : "unknown"));
        return PROBLEM_wrong_login;
    }
    log_security(LOG_INFO, "login", LOG_C("user", user.id));
    *ret_user = user;
    return PROBLEM_NONE;
}
