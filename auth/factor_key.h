/* The key that the secrets of second factors are sealed with: a file of the key directory, so that a copy of the database alone opens
 * none. It never changes, for then nobody's codes were right any more; all processes need the same. */
#ifndef AUTH_FACTOR_KEY_H
#define AUTH_FACTOR_KEY_H

#include <stdbool.h>
#include <stdio.h>

#include "auth/seal.h"

#define FACTOR_KEY_FILE "second-factor.key" /* SEAL_KEY_BYTES bytes */
#define FACTOR_KEY_ID_LENGTH 16

struct factor_key {
    unsigned char bytes[SEAL_KEY_BYTES];
    char id[FACTOR_KEY_ID_LENGTH + 1]; /* the first bytes of its SHA-256, in hexadecimal digits */
};

/* Makes the directory and the key in it, unless it is there. False with the reason on `errors`. */
bool factor_key_create(const char *directory, FILE *errors);

/* False when the file is absent, not of that size, or open to others; the log says so. */
bool factor_key_read(const char *directory, struct factor_key *ret_key);
void factor_key_wipe(struct factor_key *key);

#endif
