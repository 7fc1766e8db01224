/* Secrets that we make and others keep: 256 random bits behind a prefix that says whose they are, with a checksum at the end, so
 * that scanners of code find one that was published by mistake and a mistyped one needs no look into the database. Since nobody
 * guesses 256 bits, a plain SHA-256 of it is as hard to undo as the secret is to guess; a slow hash would only slow us. */
#ifndef AUTH_SECRET_H
#define AUTH_SECRET_H

#include "api/base/span.h"

enum secret_kind {
    SECRET_CLIENT = 's', /* tpbis_s_...: client_secret */
    SECRET_API_KEY = 'k' /* tpbis_k_...: a bearer of its own */
};
#define SECRET_PREFIX_LENGTH 8   /* tpbis_ and the kind between underscores */
#define SECRET_CHECKSUM_LENGTH 6 /* CRC-32 of all before it, base 62 */
#define SECRET_LENGTH (SECRET_PREFIX_LENGTH + 43 + SECRET_CHECKSUM_LENGTH)

void secret_make(enum secret_kind kind, char ret_secret[SECRET_LENGTH + 1],
                 unsigned char ret_hash[32]);

/* Does it claim to be one of that kind? Such a text is never a JWT, which begins with {"... in base64url. */
bool secret_claims(struct span text, enum secret_kind kind);
/* Is it whole: prefix, length, alphabet and checksum? Says nothing about whether it was ever given out. */
bool secret_sound(struct span text, enum secret_kind kind);

#endif
