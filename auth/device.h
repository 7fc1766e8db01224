/* The browser's name for itself: a cookie that says nothing but a random number, which the service has signed. Which accounts were opened
 * in it only the database knows. */
#ifndef AUTH_DEVICE_H
#define AUTH_DEVICE_H

#include "auth/oauth.h"

#define DEVICE_ID_LENGTH 22                              /* 128 random bits in base64url */
#define DEVICE_COOKIE_LENGTH (DEVICE_ID_LENGTH + 1 + 43) /* the id, a dot, HMAC-SHA256 */

/* The id in a cookie of ours, else SPAN_NONE. Problems: those of the database, when the key is not known yet. */
enum problem_code device_read(const struct oauth_call *call, struct span cookie,
                              struct span *ret_device);
/* A cookie, in the arena: for that device, or, SPAN_NONE, for one that gets its id here, in *device. */
enum problem_code device_cookie(const struct oauth_call *call, struct span *device,
                                struct span *ret_cookie);
/* Somebody has logged in with that device, completely. Until the password becomes another, guesses from elsewhere do not matter to
 * that account in it. */
enum problem_code device_remember(const struct oauth_call *call, const char *user_id,
                                  struct span device);

#endif
