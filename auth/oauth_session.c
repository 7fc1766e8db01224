/* The browser's side: who is logged in at our page, and the codes that apps get from it. Rule: a cookie and a code exist in the
 * browser and as SHA-256 in the database, and nowhere else. */
#include "auth/oauth.h"

#include <stdlib.h>

#include "api/base/digest.h"
#include "api/base/log.h"
#include "auth/ask.h"
#include "auth/door.h"
#include "auth/scope.h"

static struct write_context context_of(const struct oauth_call *call, const char *actor,
                                       const char *client_id)
{
    return (struct write_context){.actor = span_of(actor),
                                  .client = span_of(client_id ? client_id : ""),
                                  .request_id = call->request_id,
                                  .operation = call->operation};
}

void oauth_cookie_make(char ret_cookie[OAUTH_COOKIE_LENGTH + 1])
{
    unsigned char bytes[32];
    random_bytes(bytes, sizeof bytes);
    struct arena *arena = arena_new(256);
    struct span text = base64url_encode(arena, bytes, sizeof bytes);
    memcpy(ret_cookie, text.ptr, OAUTH_COOKIE_LENGTH);
    ret_cookie[OAUTH_COOKIE_LENGTH] = '\0';
    arena_free(arena);
}

static uint32_t scopes_read(const char *text)
{
    uint32_t scopes = 0;
    return text && text[0] && scope_parse(span_of(text), false, &scopes) ? scopes : 0;
}

static int64_t number(const char *text)
{
    return text ? strtoll(text, NULL, 10) : 0;
}

static bool flag(const char *text)
{
    return text && strcmp(text, "t") == 0;
}

enum problem_code oauth_session_find(const struct oauth_call *call, struct span cookie,
                                     const struct oauth_client *client,
                                     struct oauth_session *ret_session)
{
    struct oauth_session session = {.user_id = NULL};
    *ret_session = session;
    if (cookie.len != OAUTH_COOKIE_LENGTH)
        return PROBLEM_NONE;
    const struct ask parameters[] = {{"session.hash", digest_sha256_hex(call->arena, cookie)},
                                     {"client.id", span_of(client->id)}};
    struct rows *rows;
    enum problem_code problem = ask_read(call->auth->pool, call->arena, "login_session_find",
                                         parameters, 2, call->deadline_ms, &rows);
    if (problem != PROBLEM_NONE)
        return problem;
    session.user_id = ask_cell(call->arena, rows, "user_id");
    session.name = ask_cell(call->arena, rows, "name");
    session.username = ask_cell(call->arena, rows, "username");
    session.language = ask_cell(call->arena, rows, "language");
    session.consented = scopes_read(ask_cell(call->arena, rows, "consented"));
    session.age_s = number(ask_cell(call->arena, rows, "age"));
    session.two_factors = flag(ask_cell(call->arena, rows, "two_factors"));
    session.factor_id = ask_cell(call->arena, rows, "factor_id");
    session.factor_needed = flag(ask_cell(call->arena, rows, "needed"));
    session.codes_kept = flag(ask_cell(call->arena, rows, "codes_kept"));
    session.codes_left = number(ask_cell(call->arena, rows, "codes_left"));
    rows_free(rows);
    if (session.user_id) {
        struct standing standing;
        problem = door_standing(call->auth, call->arena, client->id, session.user_id,
                                call->deadline_ms, &standing);
        if (problem != PROBLEM_NONE)
            return problem;
        session.held = standing_scopes(&standing);
    }
    *ret_session = session;
    return PROBLEM_NONE;
}

enum problem_code oauth_session_begin(const struct oauth_call *call, const char *user_id,
                                      struct span cookie)
{
    struct write_context context = context_of(call, user_id, NULL);
    const struct ask parameters[] = {
        {"session.hash", digest_sha256_hex(call->arena, cookie)},
        {"user.id", span_of(user_id)},
        {"session.seconds", span_of(arena_printf(call->arena, "%d", OAUTH_SESSION_S))},
    };
    struct rows *rows;
    enum problem_code problem = ask_write(call->auth->pool, call->arena, &context,
                                          "login_session_begin", parameters, 3, call->deadline_ms,
                                          &rows, NULL, NULL);
    rows_free(rows);
    return problem;
}

enum problem_code oauth_session_end(const struct oauth_call *call, struct span cookie)
{
    struct write_context context = context_of(call, "login", NULL);
    const struct ask parameters[] = {{"session.hash", digest_sha256_hex(call->arena, cookie)}};
    struct rows *rows;
    enum problem_code problem = ask_write(call->auth->pool, call->arena, &context,
                                          "login_session_end", parameters, 1, call->deadline_ms,
                                          &rows, NULL, NULL);
    rows_free(rows);
    return problem;
}

enum problem_code oauth_code_issue(const struct oauth_call *call,
                                   const struct oauth_code_request *request, struct span *ret_code)
{
    char code[OAUTH_COOKIE_LENGTH + 1];
    oauth_cookie_make(code);
    struct write_context context = context_of(call, request->user_id, request->client->id);
    const struct ask parameters[] = {
        {"code.hash", digest_sha256_hex(call->arena, span_of(code))},
        {"session.hash", digest_sha256_hex(call->arena, request->cookie)},
        {"user.id", span_of(request->user_id)},
        {"client.id", span_of(request->client->id)},
        {"code.redirect_uri", request->redirect_uri},
        {"code.challenge", request->challenge},
        {"grant.scopes", scope_text(call->arena, request->scopes)},
        {"code.seconds", span_of(arena_printf(call->arena, "%d", OAUTH_CODE_S))},
        {"consent.remember", span_of(request->remember ? "true" : "false")},
        {"login.address", call->address},
    };
    struct rows *rows;
    enum problem_code problem = ask_write(
        call->auth->pool, call->arena, &context, "oauth_code_issue", parameters,
        sizeof parameters / sizeof *parameters, call->deadline_ms, &rows, NULL, NULL);
    if (problem != PROBLEM_NONE)
        return problem;
    const char *issued = ask_cell(call->arena, rows, "issued");
    rows_free(rows);
    if (!issued || strcmp(issued, "t") != 0)
        return PROBLEM_invalid_grant;
    log_security(LOG_INFO, "code_issued", LOG_C("user", request->user_id),
                 LOG_C("client", request->client->id));
    *ret_code = arena_copy(call->arena, span_of(code));
    return PROBLEM_NONE;
}
