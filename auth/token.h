/* Access tokens: JWT signed with ES256, the claims of RFC 9068. Nothing of a token is believed
 * before its signature is checked with the key that its kid names, and nothing after it but what we
 * read ourselves. */
#ifndef AUTH_TOKEN_H
#define AUTH_TOKEN_H

#include "api/base/arena.h"
#include "auth/amr.h"
#include "auth/keys.h"
#include <stdint.h>

#define TOKEN_MAX_BYTES 4096
#define TOKEN_LEEWAY_S 60 /* for nbf and iat: clocks of several servers differ */
#define SUBJECT_MAX_BYTES 64

struct token_rules { /* what tokens of this service look like */
    const struct key_ring *keys;
    const char *issuer, *audience;
};
struct token_claims { /* text in the arena it was read into */
    const char *subject, *client_id;
    uint32_t scopes; /* bits of contract_scopes; a scope unknown to this contract grants nothing */
    int64_t issued_s, expires_s;
    const char *session;      /* sid: the grant it was issued from, or NULL */
    const char *id;           /* jti */
    struct token_login login; /* of a user's token; else zero */
};

/* TOKEN_FAULT(name): why a token is refused, in the order of the checks. For log and tests; the
 * caller of the API learns `invalid_token` and no more. */
#define TOKEN_FAULTS(TOKEN_FAULT)                                                                  \
    TOKEN_FAULT(none)                                                                              \
    TOKEN_FAULT(size)   /* empty or longer than TOKEN_MAX_BYTES */                                 \
    TOKEN_FAULT(shape)  /* not three non-empty segments of canonical base64url without padding */  \
    TOKEN_FAULT(header) /* not exactly one each of alg, kid, typ, all strings; typ not JWT */      \
    TOKEN_FAULT(kid)    /* no key of ours */                                                       \
    TOKEN_FAULT(algorithm) /* not ES256 */                                                         \
    TOKEN_FAULT(signature)                                                                         \
    TOKEN_FAULT(claims) /* not a JSON object; a claim twice, missing, or of the wrong type */      \
    TOKEN_FAULT(issuer)                                                                            \
    TOKEN_FAULT(audience)                                                                          \
    TOKEN_FAULT(expired)                                                                           \
    TOKEN_FAULT(early) /* nbf or iat in the future */
enum token_fault {
#define TOKEN_FAULT(name) TOKEN_FAULT_##name,
    TOKEN_FAULTS(TOKEN_FAULT)
#undef TOKEN_FAULT
};
const char *token_fault_text(enum token_fault fault);

/* Verifies as of `now_s`. exp has no leeway: a token is dead from its exp on (RFC 7519 4.1.4). */
enum token_fault token_verify(const struct token_rules *rules, struct arena *arena,
                              struct span token, int64_t now_s, struct token_claims *ret_claims);

/* Signs with the ring's first key; jti is a fresh UUIDv7. `session` (sid) may be NULL, `scope` is
 * the text of the claim, `login` NULL for a client's own. In the arena. False when libjwt cannot sign, which is a fault of ours. */
bool token_issue(const struct token_rules *rules, struct arena *arena, const char *subject,
                 const char *client_id, const char *session, const struct token_login *login,
                 const char *scope, int64_t now_s, int64_t lifetime_s, struct span *ret_token);

/* What a subject or client id may look like: 1 to 64 of A-Z a-z 0-9 . _ ~ - */
bool subject_valid(struct span text);
bool subject_characters(struct span text); /* of any length: RFC 3986's unreserved ones */

#endif
