/* One-time codes by time (RFC 6238) as authenticator apps have them: HMAC-SHA-1, steps of 30 seconds, six digits. */
#ifndef AUTH_TOTP_H
#define AUTH_TOTP_H

#include "api/base/arena.h"
#include <stdint.h>

#define TOTP_SECRET_BYTES 20 /* RFC 4226 4, R6 */
#define TOTP_STEP_S 30
#define TOTP_DIGITS 6
#define TOTP_WINDOW                                                                                \
    1 /* steps on either side: the telephone's clock is wrong, and people are slow */

/* Is `code` (nothing but six digits) that of a step near this moment? Which one: *ret_step, counted from 1970. Whether that step
 * was used before is for the caller to ask. */
bool totp_check(const unsigned char secret[TOTP_SECRET_BYTES], struct span code, int64_t now_s,
                int64_t *ret_step);

/* Base 32 (RFC 4648 6) in upper case without padding, in the arena. */
struct span totp_base32(struct arena *arena, const unsigned char *bytes, size_t len);

#endif
