/* The door: turns a bearer token into a principal. How tokens come to be is in auth/oauth.h. */
#ifndef AUTH_AUTH_H
#define AUTH_AUTH_H

#include "auth/principal.h"

struct auth;
struct auth_options {
    struct pool *pool;
    struct watch *watch;       /* may be NULL: then assignments are read at every request */
    const char *issuer;        /* the base URL; the metadata document says the same */
    const char *audience;      /* of access tokens */
    const char *key_directory; /* PEM files of ES256 private keys, see auth/keys.h */
    int64_t token_lifetime_s;  /* 600 */
};

/* NULL with a reason on `errors` when no usable key is there. */
struct auth *auth_new(const struct auth_options *options, FILE *errors);
void auth_free(struct auth *auth);

/* Reads the key directory again and puts its keys in force, all at once, while requests are
 * answered. With a fault the old keys stay, and the reasons go to `errors`. A token of a key that went is
 * invalid from here on. */
bool auth_reload_keys(struct auth *auth, FILE *errors);

/* To be called every few seconds: puts the keys in force that the directory has now, and, unless 0, makes the next key when the newest is
 * so many days old and removes those that have died. False with the reasons on `errors`. */
bool auth_keep_keys(struct auth *auth, int64_t rotation_days, FILE *errors);

/* Verifies the token, or looks up the API key, and reads who it stands for. The principal is in the arena; a connection is
 * lent only when the standing is not remembered.
 * Problems: PROBLEM_invalid_token; PROBLEM_busy, PROBLEM_database_unavailable, PROBLEM_timeout,
 * PROBLEM_internal when the standing cannot be read. */
enum problem_code auth_bearer(struct auth *auth, struct arena *arena, struct span token,
                              int64_t deadline_ms, struct principal *ret_principal);

/* Is it a token that a signature tells, or an API key that was good when the database was last asked? Of another API key nothing is known here. */
bool auth_recalls(struct auth *auth, struct span token);

/* May whoever was let in some time ago go on? That its access token has expired meanwhile does not matter; an API key's day does.
 * Problems: PROBLEM_invalid_token when client or user may not act any more, the login, token or API key was revoked, or one of the assignments held
 * then has ended or grants less; those of reading. */
enum problem_code auth_again(struct auth *auth, const struct principal *principal,
                             int64_t deadline_ms);

#define AUTH_KEY_BYTES 32
/* A key for one purpose, derived from the one that all processes of a database share and that outlives them. Problems: those of reading. */
enum problem_code auth_key_derive(struct auth *auth, struct arena *arena, struct span purpose,
                                  int64_t deadline_ms, unsigned char ret_key[AUTH_KEY_BYTES]);

/* Writes which API keys were used since it was last asked. False when the database would not; then it is written next time. */
bool auth_write_uses(struct auth *auth, int64_t deadline_ms);

struct span auth_jwks(struct auth *auth,
                      struct arena *arena); /* JSON (RFC 7517) of the keys in force */
int64_t auth_token_lifetime_s(const struct auth *auth);

/* Makes a client with an assignment; the secret is printed once and stored hashed. For the command
 * line. `url` is that of the owner. Fills ids and secret (in the arena), or says why not on
 * `errors`. A public client has no secret (*ret_secret is NULL), and needs no role: people use it. */
struct new_client {
    const char *name, *role, *region, *library_id;
};
struct client_details {                 /* each may be NULL */
    const char *type;                   /* public or confidential; confidential unless told */
    const char *redirect_uris, *scopes; /* JSON arrays of texts */
    const char *owner_name, *owner_email;
};
bool auth_client_create(const char *url, struct arena *arena, const struct new_client *wanted,
                        const struct client_details *details, const char **ret_client_id,
                        const char **ret_secret, FILE *errors);

/* Suspends the client for that reason, or reinstates it (NULL); a second time changes nothing. */
bool auth_client_status(const char *url, const char *client_id, const char *reason, FILE *errors);

#endif
