/* Logging in. Rule: the attempt is counted before the password is compared, and taken back when it was right; what is refused before
 * that is not taken back from the networks that it came from;
 * neither names nor passwords nor addresses are logged. */
#include "auth/login.h"

#include <stdlib.h>

#include "api/base/log.h"
#include "api/base/text.h"
#include "api/base/utf8.h"
#include "auth/ask.h"
#include "auth/network.h"
#include "auth/password.h"

#define USERNAME_MAX_BYTES 120

static const struct write_context by_nobody = {.actor = {"login", 5}, .operation = {"login", 5}};

#define PARAMETERS 3

static void release(struct pool *pool, struct arena *arena, const struct ask *parameters,
                    const char *right, int64_t deadline_ms)
{
    const struct ask all[] = {
        parameters[0], parameters[1], parameters[2], {"login.right", span_of(right)}};
    struct rows *rows;
    /* When it fails the attempt stays counted, and time forgives it. */
    (void)ask_write(pool, arena, &by_nobody, "login_release", all, PARAMETERS + 1, deadline_ms,
                    &rows, NULL, NULL);
    rows_free(rows);
}

static enum lane lane_of(const char *name)
{
    return name && strcmp(name, "known") == 0   ? LANE_KNOWN
           : name && strcmp(name, "quiet") == 0 ? LANE_QUIET
                                                : LANE_OTHER;
}

static enum problem_code throttled(int64_t wait_s, int64_t *ret_wait_s)
{
    *ret_wait_s = wait_s;
    log_security(LOG_WARNING, "login_throttled", LOG_I("wait_s", wait_s));
    return PROBLEM_login_throttled;
}

/* What the database says of an attempt that may go on. */
struct attempt {
    struct login_user user;
    const char *hash;
    struct turn turn;
};

/* Counts the attempt. Only who may be known is asked about while the own network has to wait. */
static enum problem_code attempt_begin(struct pool *pool, struct arena *arena,
                                       const struct login_request *request,
                                       const struct ask *parameters, int64_t deadline_ms,
                                       struct attempt *ret_attempt, int64_t *ret_wait_s)
{
    struct rows *rows;
    int64_t rest_s = request->device.len ? 0 : network_rest_s(request->address);
    if (rest_s > 0)
        return throttled(rest_s, ret_wait_s);
    enum problem_code problem = ask_write(pool, arena, &by_nobody, "login_attempt", parameters,
                                          PARAMETERS, deadline_ms, &rows, NULL, NULL);
    if (problem != PROBLEM_NONE)
        return problem;
    *ret_attempt = (struct attempt){.user = {ask_cell(arena, rows, "user_id"),
                                             ask_cell(arena, rows, "name"),
                                             ask_cell(arena, rows, "language")},
                                    .hash = ask_cell(arena, rows, "hash"),
                                    .turn = {lane_of(ask_cell(arena, rows, "lane")),
                                             network_crowd(request->address), deadline_ms, 0}};
    if (ret_attempt->turn.lane == LANE_KNOWN && !ret_attempt->user.id)
        ret_attempt->turn.lane = LANE_OTHER; /* an account that nobody may log in to */
    if (ret_attempt->turn.lane == LANE_KNOWN)
        ret_attempt->turn.account = turn_account(ret_attempt->user.id);
    const char *wait = ask_cell(arena, rows, "wait_s"), *bits = ask_cell(arena, rows, "wait_bits");
    rows_free(rows);
    int64_t wait_s = wait ? strtoll(wait, NULL, 10) : 0;
    if (wait_s <= 0)
        return PROBLEM_NONE;
    if (bits)
        network_rest(request->address, (int)strtol(bits, NULL, 10), wait_s);
    return throttled(wait_s, ret_wait_s);
}

enum problem_code auth_login(struct pool *pool, struct arena *arena,
                             const struct login_request *request, int64_t deadline_ms,
                             struct login_user *ret_user, int64_t *ret_wait_s)
{
    struct span username = request->username;
    struct attempt attempt;
    bool right = false;
    if (!username.len || username.len > USERNAME_MAX_BYTES || !utf8_valid(username) ||
        memchr(username.ptr, '\0', username.len))
        username = SPAN("-"); /* no account has that name: counted and compared all the same */
    username = text_clean(arena, TEXT_CODE, username);
    const struct ask parameters[PARAMETERS] = {{"login.username", username},
                                               {"login.address", span_of(request->address)},
                                               {"login.device", request->device}};
    enum problem_code problem = attempt_begin(pool, arena, request, parameters, deadline_ms,
                                              &attempt, ret_wait_s);
    if (problem != PROBLEM_NONE)
        return problem;
    problem = password_verify(request->password, attempt.hash, &attempt.turn, &right);
    if (problem != PROBLEM_NONE || right)
        release(pool, arena, parameters, right ? "true" : "false", deadline_ms);
    if (problem != PROBLEM_NONE)
        return problem;
    const char *id = attempt.user.id;
    if (!right) {
        log_security(LOG_WARNING, "login_refused", LOG_C("user", id ? id : "unknown"));
        return PROBLEM_wrong_login;
    }
    log_security(LOG_INFO, "login", LOG_C("user", id));
    *ret_user = attempt.user;
    return PROBLEM_NONE;
}
