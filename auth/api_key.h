/* API keys of simple pullers: a bearer that is looked up, not verified. What is known of a key is remembered while the table of
 * keys stands still; that it was used is written beside the requests, at most once a day. Safe for any number of threads. */
#ifndef AUTH_API_KEY_H
#define AUTH_API_KEY_H

#include "auth/principal.h"
#include "auth/secret.h"
#include "auth/token.h"

struct api_key {
    char id[37];
    char client_id[SUBJECT_MAX_BYTES + 1];
    unsigned char hash[32]; /* SHA-256 of its text */
    uint32_t scopes;
    int64_t expires_s; /* INT64_MAX: never */
};

struct api_keys;
struct api_keys *api_keys_new(struct pool *pool,
                              struct watch *watch); /* borrows; the watch may be NULL */
void api_keys_free(struct api_keys *keys);

/* Who a key belongs to. One that is not whole is refused without asking the database.
 * Problems: PROBLEM_invalid_token; those of reading. */
enum problem_code api_keys_find(struct api_keys *keys, struct arena *arena, struct span text,
                                int64_t deadline_ms, struct api_key *ret_key);
/* The same for the SHA-256 of a key's text. */
enum problem_code api_keys_find_hash(struct api_keys *keys, struct arena *arena,
                                     const unsigned char hash[32], int64_t deadline_ms,
                                     struct api_key *ret_key);

/* Is it one that was good when the database was last asked, or one that is refused without asking? */
bool api_keys_recall(struct api_keys *keys, struct span text);

/* Writes which keys were used since it was last asked. False, and nothing is forgotten, when the database would not. */
bool api_keys_write_uses(struct api_keys *keys, int64_t deadline_ms);

#endif
