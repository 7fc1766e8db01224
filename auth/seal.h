/* Texts at rest that only who has the key can read: XSalsa20 and Poly1305 (libsodium's secretbox), with a fresh nonce before
 * each. What was changed, or sealed with another key, does not open. */
#ifndef AUTH_SEAL_H
#define AUTH_SEAL_H

#include "api/base/arena.h"

#define SEAL_KEY_BYTES 32

struct span seal_close(struct arena *arena, const unsigned char key[SEAL_KEY_BYTES],
                       struct span plain);
bool seal_open(struct arena *arena, const unsigned char key[SEAL_KEY_BYTES], struct span sealed,
               struct span *ret_plain);

#endif
