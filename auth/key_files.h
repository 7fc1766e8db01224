/* The life of a signing key, in the directory alone: its name says from when on it signs, so that every process that reads the directory
 * knows by its own clock which key is next, which signs, and which only verifies. Nothing is ever switched over, and so no two processes
 * can do it at different moments. Whoever changes the directory holds its lock file. */
#ifndef AUTH_KEY_FILES_H
#define AUTH_KEY_FILES_H

#include <stdbool.h>

#include "auth/keys.h"

#define JWKS_MAX_AGE_S 300 /* how long others may keep the published keys */
#define KEY_LEAD_S                                                                                 \
    900 /* how long a key is published before it signs, unless told: a few such times */
#define KEY_TRAIL_S                                                                                \
    7200 /* how long it verifies after it last signed: the longest life of a token (one hour), and as much again */

enum key_state {
    KEY_NEXT,     /* published, signs later */
    KEY_CURRENT,  /* signs */
    KEY_PREVIOUS, /* verifies what it signed */
    KEY_DEAD      /* nothing it signed is alive: may go */
};
enum key_state key_state(const struct key_ring *ring, const struct es256_key *key, int64_t now_s);
const char *key_state_text(enum key_state state);

/* Makes a key that signs `lead_s` from now on, and removes the dead ones. Refused while one is next already. */
bool key_rotate(const char *directory, int64_t lead_s, int64_t now_s, FILE *errors);

/* The same after `days` of the newest key, else nothing. *ret_changed: whether something was made or removed. */
bool key_rotate_due(const char *directory, int64_t days, int64_t now_s, bool *ret_changed,
                    FILE *errors);

/* Removes a key. One whose tokens may be alive, only with `force`: they are refused from then on. The last one stays. */
bool key_retire(const char *directory, const char *id, bool force, int64_t now_s, FILE *errors);

bool key_list(const char *directory, int64_t now_s, FILE *out, FILE *errors);

/* Changes when a key file comes, goes, or is written. False when the directory cannot be read. */
bool key_fingerprint(const char *directory, unsigned char ret_hash[32]);

#endif
