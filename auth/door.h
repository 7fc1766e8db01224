/* What the files behind auth/auth.h share; not for other rooms. */
#ifndef AUTH_DOOR_H
#define AUTH_DOOR_H

#include <pthread.h>

#include "auth/auth.h"
#include "auth/refresh_token.h"
#include "auth/standing.h"
#include "auth/token.h"

struct auth {
    struct pool *pool;
    struct watch *watch;
    struct key_keeper *keeper;
    struct key_store *keys; /* the keeper's */
    char *issuer, *audience, *key_directory;
    struct token_cache *tokens;
    struct standing_cache *standings;
    struct revocations *revocations;
    struct api_keys *api_keys;
    int64_t token_lifetime_s;
    pthread_mutex_t refresh_lock; /* of the key below, read once from the database */
    bool refresh_key_known;
    unsigned char refresh_key[REFRESH_KEY_BYTES];
};

/* Verified, from memory or afresh; says nothing about revocation or standing. */
bool door_token_read(struct auth *auth, struct arena *arena, struct span token,
                     struct token_claims *ret_claims);

/* Everything that makes a verified token good now: its subject, what was revoked, and the standing.
 * PROBLEM_invalid_token when it is not; those of the database. */
enum problem_code door_admit(struct auth *auth, struct arena *arena,
                             const struct token_claims *claims, int64_t deadline_ms,
                             struct principal *ret_principal);

/* Of a client, or of a user through a client (user_id may be NULL). */
enum problem_code door_standing(struct auth *auth, struct arena *arena, const char *client_id,
                                const char *user_id, int64_t deadline_ms,
                                struct standing *ret_standing);

/* The key that all processes share: of refresh tokens and of device cookies, and the root of those for other purposes (auth_key_derive()). Read once. Problems: those of the database. */
struct oauth_call;
enum problem_code oauth_key_read(const struct oauth_call *call,
                                 unsigned char ret_key[REFRESH_KEY_BYTES]);

/* PROBLEM_internal when libjwt cannot sign. */
enum problem_code door_token_issue(struct auth *auth, struct arena *arena, const char *subject,
                                   const char *client_id, const char *session,
                                   const struct token_login *login, struct span scope,
                                   struct span *ret_token);

#endif
