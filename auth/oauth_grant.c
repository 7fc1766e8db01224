/* The app's side: codes become grants, refresh tokens turn over, tokens are revoked and looked at. Rule: what a token says is
 * asked of the database at each use, in the transaction that changes it, so that two at once cannot both win. */
#include "auth/oauth.h"

#include <stdlib.h>

#include "api/base/clock.h"
#include "api/base/digest.h"
#include "api/base/log.h"
#include "api/base/uuid.h"
#include "auth/ask.h"
#include "auth/client.h"
#include "auth/door.h"
#include "auth/scope.h"

#define VERIFIER_MIN 43 /* RFC 7636 4.1 */
#define VERIFIER_MAX 128

static struct span seconds(struct arena *arena, long count)
{
    return span_of(arena_printf(arena, "%ld", count));
}

/* One statement, as the client; own changes count at once in this process. */
static enum problem_code write_as(const struct oauth_call *call, const char *client_id,
                                  const char *statement, const struct ask *parameters, size_t count,
                                  struct rows **ret_rows)
{
    struct write_context context = {.actor = span_of(client_id),
                                    .client = span_of(client_id),
                                    .request_id = call->request_id,
                                    .operation = call->operation};
    struct table_set changed = {{0}};
    enum problem_code problem = ask_write(call->auth->pool, call->arena, &context, statement,
                                          parameters, count, call->deadline_ms, ret_rows, &changed,
                                          NULL);
    if (problem == PROBLEM_NONE && call->auth->watch)
        watch_committed(call->auth->watch, &changed);
    return problem;
}

enum problem_code oauth_key_read(const struct oauth_call *call,
                                 unsigned char ret_key[REFRESH_KEY_BYTES])
{
    struct auth *auth = call->auth;
    pthread_mutex_lock(&auth->refresh_lock);
    enum problem_code problem = PROBLEM_NONE;
    if (!auth->refresh_key_known) {
        struct rows *rows;
        problem = ask_read(auth->pool, call->arena, "oauth_key", NULL, 0, call->deadline_ms, &rows);
        const char *key = problem == PROBLEM_NONE ? ask_cell(call->arena, rows, "key") : NULL;
        auth->refresh_key_known = key && client_hash_read(span_of(key), auth->refresh_key);
        rows_free(rows);
        if (problem == PROBLEM_NONE && !auth->refresh_key_known)
            problem = PROBLEM_internal;
    }
    memcpy(ret_key, auth->refresh_key, REFRESH_KEY_BYTES);
    pthread_mutex_unlock(&auth->refresh_lock);
    return problem;
}

enum problem_code auth_key_derive(struct auth *auth, struct arena *arena, struct span purpose,
                                  int64_t deadline_ms, unsigned char ret_key[AUTH_KEY_BYTES])
{
    const struct oauth_call call = {.auth = auth, .arena = arena, .deadline_ms = deadline_ms};
    unsigned char key[REFRESH_KEY_BYTES];
    enum problem_code problem = oauth_key_read(&call, key);
    if (problem == PROBLEM_NONE)
        digest_hmac_sha256((struct span){(const char *)key, sizeof key},
                           span_of(arena_printf(arena, "key\n%.*s", SPAN_ARG(purpose))), ret_key);
    return problem;
}

static enum problem_code refused(const struct oauth_client *client, const char *what,
                                 const char *outcome)
{
    log_security(LOG_WARNING, "grant_refused", LOG_C("what", what),
                 LOG_C("reason", outcome ? outcome : "malformed"), LOG_C("client", client->id));
    return outcome && strcmp(outcome, "scope") == 0 ? PROBLEM_invalid_scope : PROBLEM_invalid_grant;
}

static int64_t number(const char *text)
{
    return text ? strtoll(text, NULL, 10) : 0;
}

static struct token_login login_read(struct arena *arena, const struct rows *rows)
{
    return (struct token_login){number(ask_cell(arena, rows, "auth_time")),
                                login_methods_read(span_of(ask_cell(arena, rows, "amr")))};
}

/* ---- client_credentials --------------------------------------------------------------------- */

/* What is asked must be allowed, all of it; nothing asked means all that is allowed (RFC 6749 3.3).
 * Without an assignment in force nothing is allowed, reading what is published included: a role
 * grants that too. */
static bool scopes_grant(struct span asked, uint32_t allowed, uint32_t *ret_granted)
{
    uint32_t granted = allowed;
    if (asked.len > 0 && !scope_parse(asked, true, &granted))
        return false;
    if (granted == 0 || (granted & ~allowed) != 0)
        return false;
    *ret_granted = granted;
    return true;
}

enum problem_code oauth_client_credentials(const struct oauth_call *call,
                                           const struct oauth_client *client, struct span scope,
                                           struct oauth_tokens *ret_tokens)
{
    uint32_t granted;
    if (!scopes_grant(scope, client->held, &granted)) {
        log_security(LOG_INFO, "scope_refused", LOG_C("client", client->id));
        return PROBLEM_invalid_scope;
    }
    struct oauth_tokens tokens = {.scope = scope_text(call->arena, granted)};
    enum problem_code problem = door_token_issue(call->auth, call->arena, client->id, client->id,
                                                 NULL, NULL, tokens.scope, &tokens.access_token);
    if (problem == PROBLEM_NONE)
        *ret_tokens = tokens;
    return problem;
}

/* ---- codes ---------------------------------------------------------------------------------- */

static bool verifier_good(struct span verifier)
{
    if (verifier.len < VERIFIER_MIN || verifier.len > VERIFIER_MAX)
        return false;
    return subject_characters(verifier);
}

static struct span challenge_of(struct arena *arena, struct span verifier)
{
    unsigned char hash[32];
    digest_sha256(verifier, hash);
    return base64url_encode(arena, hash, sizeof hash);
}

enum problem_code oauth_code_exchange(const struct oauth_call *call,
                                      const struct oauth_client *client, struct span code,
                                      struct span redirect_uri, struct span verifier,
                                      struct oauth_tokens *ret_tokens)
{
    unsigned char key[REFRESH_KEY_BYTES];
    enum problem_code problem = oauth_key_read(call, key);
    if (problem != PROBLEM_NONE)
        return problem;
    struct refresh_token fresh;
    uuid_v7(fresh.grant_id);
    random_bytes(fresh.secret, sizeof fresh.secret);
    struct oauth_tokens tokens = {
        .refresh_token = refresh_token_text(call->arena, key, &fresh),
    };
    const struct ask parameters[] = {
        {"code.hash", digest_sha256_hex(call->arena, code)},
        {"client.id", span_of(client->id)},
        {"code.redirect_uri", redirect_uri},
        /* a verifier of the wrong form fits no challenge; a used code is told from it all the same */
        {"code.challenge",
         verifier_good(verifier) ? challenge_of(call->arena, verifier) : SPAN("")},
        {"grant.id", span_of(fresh.grant_id)},
        {"refresh.hash", digest_sha256_hex(call->arena, tokens.refresh_token)},
        {"refresh.idle", seconds(call->arena, OAUTH_REFRESH_IDLE_S)},
        {"refresh.longest", seconds(call->arena, OAUTH_REFRESH_LONGEST_S)},
    };
    struct rows *rows;
    problem = write_as(call, client->id, "oauth_code_redeem", parameters,
                       sizeof parameters / sizeof *parameters, &rows);
    if (problem != PROBLEM_NONE)
        return problem;
    const char *outcome = ask_cell(call->arena, rows, "outcome");
    const char *user_id = ask_cell(call->arena, rows, "user_id");
    const struct token_login login = login_read(call->arena, rows);
    tokens.scope = span_of(ask_cell(call->arena, rows, "scopes"));
    rows_free(rows);
    if (!outcome || strcmp(outcome, "issued") != 0)
        return refused(client, "code", outcome);
    problem = door_token_issue(call->auth, call->arena, user_id, client->id, fresh.grant_id, &login,
                               tokens.scope, &tokens.access_token);
    if (problem == PROBLEM_NONE)
        *ret_tokens = tokens;
    return problem;
}

/* ---- refresh -------------------------------------------------------------------------------- */

/* The scopes asked for, in the contract's own names; absent when nothing is asked. False when one is unknown. */
static bool scopes_asked(struct arena *arena, struct span scope, struct span *ret_text)
{
    uint32_t asked;
    *ret_text = SPAN_NONE;
    if (scope.len == 0)
        return true;
    if (!scope_parse(scope, true, &asked))
        return false;
    *ret_text = scope_text(arena, asked);
    return true;
}

struct turn { /* what the database says of one use */
    const char *outcome, *user_id, *scopes, *sealed;
    struct token_login login; /* the one that the grant began with, however often it is refreshed */
};

static enum problem_code refresh_use(const struct oauth_call *call,
                                     const struct oauth_client *client,
                                     const struct refresh_token *token, struct span presented,
                                     struct span scopes, const struct refresh_token *fresh,
                                     const unsigned char key[REFRESH_KEY_BYTES],
                                     struct turn *ret_turn)
{
    unsigned char sealed[REFRESH_SECRET_BYTES];
    char sealed_text[65];
    refresh_token_seal(presented, fresh->secret, sealed);
    client_hash_write(sealed, sealed_text);
    const struct ask parameters[] = {
        {"grant.id", span_of(token->grant_id)},
        {"refresh.presented", digest_sha256_hex(call->arena, presented)},
        {"client.id", span_of(client->id)},
        {"grant.scopes", scopes},
        {"refresh.hash",
         digest_sha256_hex(call->arena, refresh_token_text(call->arena, key, fresh))},
        {"refresh.sealed", span_of(sealed_text)},
        {"refresh.idle", seconds(call->arena, OAUTH_REFRESH_IDLE_S)},
        {"refresh.racing", seconds(call->arena, OAUTH_REFRESH_RACING_S)},
        {"login.address", call->address},
    };
    struct rows *rows;
    enum problem_code problem = write_as(call, client->id, "oauth_refresh_use", parameters,
                                         sizeof parameters / sizeof *parameters, &rows);
    if (problem != PROBLEM_NONE)
        return problem;
    *ret_turn = (struct turn){ask_cell(call->arena, rows, "outcome"),
                              ask_cell(call->arena, rows, "user_id"),
                              ask_cell(call->arena, rows, "scopes"),
                              ask_cell(call->arena, rows, "sealed"), login_read(call->arena, rows)};
    rows_free(rows);
    return PROBLEM_NONE;
}

/* The successor that the first use of this token got: our own, or the one that another request brought. */
static bool successor(const struct oauth_call *call, struct span presented,
                      const struct refresh_token *token, const unsigned char key[REFRESH_KEY_BYTES],
                      const char *sealed_text, struct span *ret_text)
{
    unsigned char sealed[REFRESH_SECRET_BYTES];
    struct refresh_token next = *token;
    if (!sealed_text || !client_hash_read(span_of(sealed_text), sealed))
        return false;
    refresh_token_seal(presented, sealed, next.secret);
    *ret_text = refresh_token_text(call->arena, key, &next);
    return true;
}

enum problem_code oauth_refresh(const struct oauth_call *call, const struct oauth_client *client,
                                struct span refresh_token, struct span scope,
                                struct oauth_tokens *ret_tokens)
{
    unsigned char key[REFRESH_KEY_BYTES];
    enum problem_code problem = oauth_key_read(call, key);
    if (problem != PROBLEM_NONE)
        return problem;
    struct refresh_token token, fresh;
    struct span scopes;
    if (!refresh_token_read(key, refresh_token, &token))
        return refused(client, "refresh", NULL);
    if (!scopes_asked(call->arena, scope, &scopes))
        return refused(client, "refresh", "scope");
    fresh = token;
    random_bytes(fresh.secret, sizeof fresh.secret);
    struct turn turn;
    problem = refresh_use(call, client, &token, refresh_token, scopes, &fresh, key, &turn);
    if (problem != PROBLEM_NONE)
        return problem;
    bool good = turn.outcome &&
                (strcmp(turn.outcome, "issued") == 0 || strcmp(turn.outcome, "again") == 0);
    struct oauth_tokens tokens = {.scope = span_of(turn.scopes)};
    if (!good)
        return refused(client, "refresh", turn.outcome);
    if (!successor(call, refresh_token, &token, key, turn.sealed, &tokens.refresh_token))
        return PROBLEM_internal;
    problem = door_token_issue(call->auth, call->arena, turn.user_id, client->id, token.grant_id,
                               &turn.login, tokens.scope, &tokens.access_token);
    if (problem == PROBLEM_NONE)
        *ret_tokens = tokens;
    return problem;
}

/* ---- revoke --------------------------------------------------------------------------------- */

enum problem_code oauth_revoke(const struct oauth_call *call, const struct oauth_client *client,
                               struct span token)
{
    unsigned char key[REFRESH_KEY_BYTES];
    struct refresh_token refresh;
    struct token_claims claims;
    struct rows *rows;
    enum problem_code problem = oauth_key_read(call, key);
    if (problem != PROBLEM_NONE)
        return problem;
    if (refresh_token_read(key, token, &refresh)) {
        const struct ask parameters[] = {{"grant.id", span_of(refresh.grant_id)},
                                         {"client.id", span_of(client->id)}};
        problem = write_as(call, client->id, "oauth_refresh_revoke", parameters, 2, &rows);
        if (problem != PROBLEM_NONE)
            return problem;
        const char *revoked = ask_cell(call->arena, rows, "revoked");
        rows_free(rows);
        return revoked && strcmp(revoked, "f") == 0 ? refused(client, "revoke", "client")
                                                    : PROBLEM_NONE;
    }
    if (refresh_token_claims(token) || !door_token_read(call->auth, call->arena, token, &claims))
        return PROBLEM_NONE; /* none of ours: as good as revoked (RFC 7009 2.2) */
    if (strcmp(claims.client_id, client->id) != 0)
        return refused(client, "revoke", "client");
    if (!uuid_valid(span_of(claims.id)))
        return PROBLEM_NONE;
    const struct ask parameters[] = {{"token.id", span_of(claims.id)}};
    problem = write_as(call, client->id, "oauth_token_revoke", parameters, 1, &rows);
    rows_free(rows);
    return problem;
}

/* ---- introspect ----------------------------------------------------------------------------- */

/* Its own tokens, and everybody's for who administers. */
static bool may_see(const struct oauth_client *client, const char *owner)
{
    return strcmp(owner, client->id) == 0 || (client->held & scope_bit(SPAN("admin")));
}

static enum problem_code username_read(const struct oauth_call *call, const char *user_id,
                                       const char **ret_username)
{
    struct rows *rows;
    const struct ask parameters[] = {{"user.id", span_of(user_id)}};
    enum problem_code problem = ask_read(call->auth->pool, call->arena, "oauth_username",
                                         parameters, 1, call->deadline_ms, &rows);
    if (problem == PROBLEM_NONE)
        *ret_username = ask_cell(call->arena, rows, "username");
    rows_free(rows);
    return problem;
}

static enum problem_code describe_access(const struct oauth_call *call, struct span token,
                                         struct oauth_description *ret_description)
{
    struct token_claims claims;
    struct principal principal;
    if (!door_token_read(call->auth, call->arena, token, &claims))
        return PROBLEM_invalid_token;
    enum problem_code problem = door_admit(call->auth, call->arena, &claims, call->deadline_ms,
                                           &principal);
    if (problem != PROBLEM_NONE)
        return problem;
    struct oauth_description description = {
        .active = true,
        .subject = claims.subject,
        .client_id = claims.client_id,
        .id = claims.id,
        .session = claims.session,
        .scope = scope_text(call->arena, principal.scopes).ptr,
        .issued_s = claims.issued_s,
        .expires_s = claims.expires_s,
        .login = claims.login,
    };
    if (principal.user_id)
        problem = username_read(call, principal.user_id, &description.username);
    if (problem == PROBLEM_NONE)
        *ret_description = description;
    return problem;
}

static enum problem_code describe_refresh(const struct oauth_call *call, struct span token,
                                          struct oauth_description *ret_description)
{
    unsigned char key[REFRESH_KEY_BYTES];
    struct refresh_token refresh;
    enum problem_code problem = oauth_key_read(call, key);
    if (problem != PROBLEM_NONE || !refresh_token_read(key, token, &refresh))
        return problem ? problem : PROBLEM_invalid_token;
    const struct ask parameters[] = {{"grant.id", span_of(refresh.grant_id)},
                                     {"refresh.presented", digest_sha256_hex(call->arena, token)}};
    struct rows *rows;
    problem = ask_read(call->auth->pool, call->arena, "oauth_refresh_show", parameters, 2,
                       call->deadline_ms, &rows);
    if (problem != PROBLEM_NONE)
        return problem;
    struct oauth_description description = {
        .active = rows_count(rows) == 1,
        .refresh = true,
        .subject = ask_cell(call->arena, rows, "user_id"),
        .client_id = ask_cell(call->arena, rows, "client_id"),
        .username = ask_cell(call->arena, rows, "username"),
        .session = arena_cstr(call->arena, span_of(refresh.grant_id)),
        .scope = ask_cell(call->arena, rows, "scopes"),
        .issued_s = number(ask_cell(call->arena, rows, "issued")),
        .expires_s = number(ask_cell(call->arena, rows, "expires")),
        .login = login_read(call->arena, rows),
    };
    rows_free(rows);
    if (!description.active)
        return PROBLEM_invalid_token;
    *ret_description = description;
    return PROBLEM_NONE;
}

enum problem_code oauth_introspect(const struct oauth_call *call, const struct oauth_client *client,
                                   struct span token, struct oauth_description *ret_description)
{
    struct oauth_description description = {.active = false};
    enum problem_code problem = refresh_token_claims(token)
                                    ? describe_refresh(call, token, &description)
                                    : describe_access(call, token, &description);
    if (problem == PROBLEM_invalid_token ||
        (problem == PROBLEM_NONE && !may_see(client, description.client_id))) {
        description = (struct oauth_description){.active = false};
        problem = PROBLEM_NONE;
    }
    if (problem == PROBLEM_NONE)
        *ret_description = description;
    return problem;
}
