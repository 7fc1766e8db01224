/* The door. Rule: a request is let in only by a verified token AND a standing that is true now:
 * read from the database, or from memory while a fresh watch vouches that its tables have not
 * changed. */
#include "auth/auth.h"

#include <jansson.h>
#include <stdlib.h>

#include "api/base/clock.h"
#include "api/base/digest.h"
#include "api/base/log.h"
#include "api/base/uuid.h"
#include "auth/access.h"
#include "auth/api_key.h"
#include "auth/door.h"
#include "auth/key_files.h"
#include "auth/key_keeper.h"
#include "auth/revocation.h"
#include "auth/standing.h"
#include "auth/token_cache.h"

#define TOKEN_CACHE_ENTRIES 8192
#define STANDING_CACHE_ENTRIES 4096
#define DAY_SETTLES_S 60

struct auth *auth_new(const struct auth_options *options, FILE *errors)
{
    if (!options->issuer || !options->issuer[0] || !options->audience || !options->audience[0]) {
        fputs("issuer and audience of access tokens must not be empty\n", errors);
        return NULL;
    }
    struct key_keeper *keeper = key_keeper_new(options->key_directory, errors);
    if (!keeper)
        return NULL;
    json_object_seed(0); /* before threads parse at once */
    access_init();
    struct auth *auth = memory_alloc(sizeof *auth);
    auth->pool = options->pool;
    auth->watch = options->watch;
    auth->keeper = keeper;
    auth->keys = key_keeper_store(keeper);
    auth->issuer = memory_copy(options->issuer);
    auth->audience = memory_copy(options->audience);
    auth->key_directory = memory_copy(options->key_directory);
    auth->tokens = token_cache_new(TOKEN_CACHE_ENTRIES);
    auth->standings = standing_cache_new(STANDING_CACHE_ENTRIES);
    auth->api_keys = api_keys_new(options->pool, options->watch);
    auth->revocations = revocations_new(options->pool, options->watch);
    pthread_mutex_init(&auth->refresh_lock, NULL);
    auth->token_lifetime_s = options->token_lifetime_s;
    return auth;
}

void auth_free(struct auth *auth)
{
    if (!auth)
        return;
    token_cache_free(auth->tokens);
    standing_cache_free(auth->standings);
    api_keys_free(auth->api_keys);
    key_keeper_free(auth->keeper);
    revocations_free(auth->revocations);
    pthread_mutex_destroy(&auth->refresh_lock);
    free(auth->issuer);
    free(auth->audience);
    free(auth->key_directory);
    free(auth);
}

bool auth_reload_keys(struct auth *auth, FILE *errors)
{
    return key_keeper_reload(auth->keeper, errors);
}

bool auth_keep_keys(struct auth *auth, int64_t rotation_days, FILE *errors)
{
    return key_keeper_keep(auth->keeper, rotation_days, errors);
}

struct span auth_jwks(struct auth *auth, struct arena *arena)
{
    struct key_set *keys = key_store_hold(auth->keys);
    struct span jwks = arena_copy(arena, key_ring_jwks(keys->ring));
    key_store_release(keys);
    return jwks;
}

int64_t auth_token_lifetime_s(const struct auth *auth)
{
    return auth->token_lifetime_s;
}

/* ---- bearer --------------------------------------------------------------------------------- */

static struct token_rules rules_of(const struct auth *auth, const struct key_set *keys)
{
    return (struct token_rules){keys->ring, auth->issuer, auth->audience};
}

static enum token_fault token_look(struct auth *auth, struct arena *arena, struct span token,
                                   struct token_claims *ret_claims)
{
    unsigned char hash[32];
    digest_sha256(token, hash);
    int64_t now_s = clock_unix_s();
    struct key_set *keys = key_store_hold(auth->keys);
    struct token_rules rules = rules_of(auth, keys);
    enum token_fault fault = TOKEN_FAULT_none;
    if (!token_cache_find(auth->tokens, arena, hash, keys->generation, now_s, ret_claims)) {
        fault = token_verify(&rules, arena, token, now_s, ret_claims);
        if (fault == TOKEN_FAULT_none)
            token_cache_store(auth->tokens, hash, keys->generation, now_s, ret_claims);
    }
    key_store_release(keys);
    return fault;
}

/* Of an unknown key the directory is asked before anybody is refused: another process may have made it just now. */
bool door_token_read(struct auth *auth, struct arena *arena, struct span token,
                     struct token_claims *ret_claims)
{
    enum token_fault fault = TOKEN_FAULT_size;
    if (token.len > 0 && token.len <= TOKEN_MAX_BYTES) {
        fault = token_look(auth, arena, token, ret_claims);
        if (fault == TOKEN_FAULT_kid) {
            key_keeper_asked(auth->keeper);
            fault = token_look(auth, arena, token, ret_claims);
        }
    }
    if (fault != TOKEN_FAULT_none)
        log_security(LOG_INFO, "token_refused", LOG_C("reason", token_fault_text(fault)));
    return fault == TOKEN_FAULT_none;
}

/* Around midnight in Jakarta our day and the database's may differ by the skew of two clocks; what
 * was read for yesterday must not be remembered for today. */
static bool day_settled(int64_t now_s)
{
    return (now_s + 7 * 3600) % 86400 >= DAY_SETTLES_S;
}

/* The version is taken before the database is asked: what changes in between makes the entry
 * useless. */
enum problem_code door_standing(struct auth *auth, struct arena *arena, const char *client_id,
                                const char *user_id, int64_t deadline_ms,
                                struct standing *ret_standing)
{
    const char *key = user_id ? arena_printf(arena, "%s %s", client_id, user_id) : client_id;
    char day[11];
    uint64_t version = 0, shared = 0;
    size_t table_count;
    const uint16_t *tables = access_tables(user_id != NULL, &table_count);
    bool fresh = auth->watch && day_settled(clock_unix_s()) &&
                 watch_version(auth->watch, tables, table_count, &version, &shared);
    clock_today(day);
    enum problem_code problem = PROBLEM_NONE;
    if (!fresh || !standing_cache_find(auth->standings, arena, key, version, day, ret_standing)) {
        problem = access_standing(auth->pool, arena, client_id, user_id, deadline_ms, ret_standing);
        if (problem == PROBLEM_NONE && fresh)
            standing_cache_store(auth->standings, key, version, day, ret_standing);
    }
    return problem ? problem : access_limit(auth->pool, arena, deadline_ms, ret_standing);
}

/* What is given to nobody who logged in with a password alone is taken out of the standing: the scopes of it. */
static uint32_t factor_withhold(struct arena *arena, struct standing *standing)
{
    uint32_t withheld = 0;
    struct assignment *kept = arena_alloc(arena, (standing->assignment_count + 1) * sizeof *kept);
    size_t count = 0;
    for (size_t i = 0; i < standing->assignment_count; i++) {
        if (standing->assignments[i].needs_factor)
            withheld |= standing->assignments[i].scopes;
        else
            kept[count++] = standing->assignments[i];
    }
    standing->assignments = kept;
    standing->assignment_count = count;
    return withheld;
}

enum problem_code door_admit(struct auth *auth, struct arena *arena,
                             const struct token_claims *claims, int64_t deadline_ms,
                             struct principal *ret_principal)
{
    const char *reason = NULL;
    bool personal = strcmp(claims->subject, claims->client_id) != 0, revoked = false;
    if (personal && !uuid_valid(span_of(claims->subject))) /* no user of ours */
        reason = "subject";
    const char *user_id = personal ? claims->subject : NULL;
    struct standing standing;
    enum problem_code problem = PROBLEM_NONE;
    if (!reason)
        problem = revocations_find(auth->revocations, claims->session, claims->id, deadline_ms,
                                   &revoked);
    if (!reason && problem == PROBLEM_NONE && !revoked)
        problem = door_standing(auth, arena, claims->client_id, user_id, deadline_ms, &standing);
    if (problem != PROBLEM_NONE)
        return problem;
    if (!reason && (revoked || !standing.active))
        reason = revoked ? "revoked" : "standing";
    if (reason) {
        log_security(LOG_INFO, "token_refused", LOG_C("reason", reason),
                     LOG_C("client", claims->client_id));
        return PROBLEM_invalid_token;
    }
    uint32_t withheld = personal && !(claims->login.methods & AMR_MFA)
                            ? factor_withhold(arena, &standing)
                            : 0;
    *ret_principal = (struct principal){
        .subject = claims->subject,
        .client_id = claims->client_id,
        .user_id = user_id,
        .token_id = claims->id,
        .session = claims->session,
        .login = claims->login,
        .scopes = claims->scopes & standing_scopes(&standing),
        .withheld = claims->scopes & withheld,
        .expires_s = claims->expires_s,
        .assignments = standing.assignments,
        .assignment_count = standing.assignment_count,
        .rate_per_minute = standing.rate_per_minute,
    };
    return PROBLEM_NONE;
}

/* A key is its client, as far as the key's own scopes allow. */
static enum problem_code api_key_bearer(struct auth *auth, struct arena *arena, struct span text,
                                        int64_t deadline_ms, struct principal *ret_principal)
{
    struct api_key key;
    struct standing standing;
    enum problem_code problem = api_keys_find(auth->api_keys, arena, text, deadline_ms, &key);
    if (problem != PROBLEM_NONE)
        return problem;
    const char *client_id = arena_cstr(arena, span_of(key.client_id));
    problem = door_standing(auth, arena, client_id, NULL, deadline_ms, &standing);
    if (problem != PROBLEM_NONE)
        return problem;
    if (!standing.active) {
        log_security(LOG_INFO, "api_key_refused", LOG_C("reason", "standing"),
                     LOG_C("client", client_id));
        return PROBLEM_invalid_token;
    }
    *ret_principal = (struct principal){
        .subject = client_id,
        .client_id = client_id,
        .api_key_id = arena_cstr(arena, span_of(key.id)),
        .api_key_hash = (const unsigned char *)arena_copy(
                            arena, (struct span){(const char *)key.hash, sizeof key.hash})
                            .ptr,
        .scopes = key.scopes & standing_scopes(&standing),
        .expires_s = key.expires_s,
        .assignments = standing.assignments,
        .assignment_count = standing.assignment_count,
        .rate_per_minute = standing.rate_per_minute,
    };
    return PROBLEM_NONE;
}

bool auth_recalls(struct auth *auth, struct span token)
{
    return !secret_claims(token, SECRET_API_KEY) || api_keys_recall(auth->api_keys, token);
}

/* ---- again ---------------------------------------------------------------------------------- */

static bool text_same(const char *one, const char *two)
{
    return one && two ? strcmp(one, two) == 0 : one == two;
}

/* Is what was held then held now, at the same place, and worth no less? */
static bool assignment_stands(const struct assignment *then, const struct standing *now)
{
    for (size_t i = 0; i < now->assignment_count; i++) {
        const struct assignment *one = &now->assignments[i];
        if (text_same(one->role, then->role) && text_same(one->region, then->region) &&
            text_same(one->library_id, then->library_id) && one->rank == then->rank &&
            (one->scopes & then->scopes) == then->scopes)
            return true;
    }
    return false;
}

static bool principal_stands(const struct principal *then, const struct standing *now)
{
    for (size_t i = 0; i < then->assignment_count; i++)
        if (!assignment_stands(&then->assignments[i], now))
            return false;
    return now->active && (standing_scopes(now) & then->scopes) == then->scopes;
}

static enum problem_code credential_again(struct auth *auth, struct arena *arena,
                                          const struct principal *principal, int64_t deadline_ms)
{
    struct api_key key;
    bool revoked = false;
    if (principal->api_key_id)
        return api_keys_find_hash(auth->api_keys, arena, principal->api_key_hash, deadline_ms,
                                  &key);
    enum problem_code problem = revocations_find(auth->revocations, principal->session,
                                                 principal->token_id, deadline_ms, &revoked);
    return revoked ? PROBLEM_invalid_token : problem;
}

enum problem_code auth_again(struct auth *auth, const struct principal *principal,
                             int64_t deadline_ms)
{
    struct arena *arena = arena_new(4096);
    struct standing standing;
    enum problem_code problem = credential_again(auth, arena, principal, deadline_ms);
    if (problem == PROBLEM_NONE)
        problem = door_standing(auth, arena, principal->client_id, principal->user_id, deadline_ms,
                                &standing);
    if (problem == PROBLEM_NONE && !principal_stands(principal, &standing))
        problem = PROBLEM_invalid_token;
    arena_free(arena);
    return problem;
}

bool auth_write_uses(struct auth *auth, int64_t deadline_ms)
{
    return api_keys_write_uses(auth->api_keys, deadline_ms);
}

enum problem_code auth_bearer(struct auth *auth, struct arena *arena, struct span token,
                              int64_t deadline_ms, struct principal *ret_principal)
{
    struct token_claims claims;
    if (secret_claims(token, SECRET_API_KEY))
        return api_key_bearer(auth, arena, token, deadline_ms, ret_principal);
    if (!door_token_read(auth, arena, token, &claims))
        return PROBLEM_invalid_token;
    return door_admit(auth, arena, &claims, deadline_ms, ret_principal);
}

/* ---- issue ---------------------------------------------------------------------------------- */

enum problem_code door_token_issue(struct auth *auth, struct arena *arena, const char *subject,
                                   const char *client_id, const char *session,
                                   const struct token_login *login, struct span scope,
                                   struct span *ret_token)
{
    struct key_set *keys = key_store_hold(auth->keys);
    struct token_rules rules = rules_of(auth, keys);
    bool issued = token_issue(&rules, arena, subject, client_id, session, login,
                              arena_cstr(arena, scope), clock_unix_s(), auth->token_lifetime_s,
                              ret_token);
    key_store_release(keys);
    if (!issued)
        log_event(LOG_ERROR, "token_not_signed", LOG_C("client", client_id));
    return issued ? PROBLEM_NONE : PROBLEM_internal;
}
