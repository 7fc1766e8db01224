/* How and when a person logged in, as tokens tell it (RFC 9068 2.2.1, RFC 8176, RFC 9470). */
#ifndef AUTH_AMR_H
#define AUTH_AMR_H

#include "api/base/arena.h"
#include <stdint.h>

enum { AMR_PWD = 1, AMR_OTP = 2, AMR_MFA = 4 }; /* RFC 8176 */
#define ACR_PASSWORD "urn:tpbis:acr:password"
#define ACR_SECOND_FACTOR "urn:tpbis:acr:second-factor"
struct token_login {
    int64_t at_s;     /* auth_time, Unix time; 0: not told */
    unsigned methods; /* amr */
};
const char *login_acr(const struct token_login *login);
/* The methods as amr has them, ["pwd","otp"]; and read from their names with blanks between: an unknown one means nothing. */
const char *login_methods_json(struct arena *arena, unsigned methods);
unsigned login_methods_read(struct span text);

#endif
