/* The second factor of a person at the login pages: codes of an authenticator app (auth/totp.h), recovery codes, and setting both up.
 * A guess is counted in the database before it is compared. */
#ifndef AUTH_FACTOR_H
#define AUTH_FACTOR_H

#include "auth/oauth.h"
#include "auth/totp.h"

#define FACTOR_RECOVERY_CODES 10
#define FACTOR_RECOVERY_LENGTH 19 /* four groups of four letters of base 32: 80 bits */

struct factor_login { /* a browser's login, as oauth_session_find() gave it */
    const struct oauth_session *session;
    struct span cookie;
};

struct recovery_codes {
    char text[FACTOR_RECOVERY_CODES][FACTOR_RECOVERY_LENGTH + 1];
};

/* The secret that this login would set up: the same whenever the page is loaded, another one in every other login, and kept nowhere
 * before its first code was right. PROBLEM_internal without the key of the key directory. */
enum problem_code factor_offer(const struct oauth_call *call, const struct factor_login *login,
                               unsigned char ret_secret[TOTP_SECRET_BYTES]);

/* Each of these may answer: PROBLEM_wrong_login (wrong, too old, or used before); PROBLEM_login_throttled with the seconds to wait
 * in *ret_wait_s; PROBLEM_invalid_grant when the browser's login has ended or changed meanwhile; PROBLEM_internal without the key;
 * and problems of the database. After PROBLEM_NONE the login is one with two factors. */

/* A code of the offered secret: it is the account's from now on, in place of the one before. */
enum problem_code factor_set_up(const struct oauth_call *call, const struct factor_login *login,
                                struct span code, struct recovery_codes *ret_codes,
                                int64_t *ret_wait_s);
enum problem_code factor_enter(const struct oauth_call *call, const struct factor_login *login,
                               struct span code, int64_t *ret_wait_s);
/* A recovery code, however it is grouped and in whichever case; each works once. */
enum problem_code factor_recover(const struct oauth_call *call, const struct factor_login *login,
                                 struct span code, int64_t *ret_wait_s);

/* Ten new recovery codes; all from before are void. */
enum problem_code factor_codes_renew(const struct oauth_call *call,
                                     const struct factor_login *login,
                                     struct recovery_codes *ret_codes);
/* The person says that they are kept: until then every login makes new ones. */
enum problem_code factor_codes_keep(const struct oauth_call *call,
                                    const struct factor_login *login);

#endif
