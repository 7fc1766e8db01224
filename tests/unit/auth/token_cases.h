/* What the tests of tokens share: a good token in parts, each of which a test may spoil, and a
 * judge that asks for the reason too: a test that only asks "refused" passes when the forgery is
 * bad in some other way. Include cmocka.h first. */
#ifndef TEST_TOKEN_CASES_H
#define TEST_TOKEN_CASES_H

#include "auth/token.h"
#include "tests/unit/auth/forge.h"

#define NOW INT64_C(1700000000)
#define ISSUER "https://api.example.test"
#define AUDIENCE "tpbis-api"

/* The claims of a good token, each of which a test may replace; "" leaves it out. */
struct claims_text {
    const char *iss, *aud, *sub, *client_id, *scope, *jti, *iat, *exp, *more;
};
static const struct claims_text good = {"\"iss\":\"" ISSUER "\",",
                                        "\"aud\":\"" AUDIENCE "\",",
                                        "\"sub\":\"c1\",",
                                        "\"client_id\":\"c1\",",
                                        "\"scope\":\"published:read libraries:write\",",
                                        "\"jti\":\"j\",",
                                        "\"iat\":1699999990,",
                                        "\"exp\":1700000600",
                                        ""};

static struct key_ring *ring, *other_ring;
static struct token_rules rules;
static struct arena *arena;

static inline int setup(void **state)
{
    (void)state;
    ring = forge_ring();
    other_ring = forge_ring();
    rules = (struct token_rules){ring, ISSUER, AUDIENCE};
    arena = arena_new(65536);
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    key_ring_free(ring);
    key_ring_free(other_ring);
    return 0;
}

static inline const char *kid(void)
{
    return key_ring_signer(ring, 0)->id;
}

static inline const char *payload_of(struct claims_text text)
{
    return arena_printf(arena, "{%s%s%s%s%s%s%s%s%s}", text.iss, text.aud, text.sub, text.client_id,
                        text.scope, text.jti, text.iat, text.exp, text.more);
}

static inline const char *header_of(const char *algorithm)
{
    return arena_printf(arena, "{\"alg\":\"%s\",\"kid\":\"%s\",\"typ\":\"JWT\"}", algorithm, kid());
}

static inline enum token_fault verify(struct span token)
{
    struct token_claims claims;
    return token_verify(&rules, arena, token, NOW, &claims);
}

static inline void expect(enum token_fault wanted, struct span token)
{
    enum token_fault got = verify(token);
    if (got != wanted)
        print_error("token %s: %s, not %s\n", arena_cstr(arena, token), token_fault_text(got),
                    token_fault_text(wanted));
    assert_int_equal(got, wanted);
}

/* Properly signed with our own key: only the content is wrong. */
static inline struct span signed_with(const char *header, const char *payload)
{
    return forge_es256(arena, key_ring_signer(ring, 0), header, payload);
}
static inline void expect_claims(enum token_fault wanted, struct claims_text text)
{
    expect(wanted, signed_with(header_of("ES256"), payload_of(text)));
}
static inline void expect_header(enum token_fault wanted, const char *header)
{
    expect(wanted, signed_with(header, payload_of(good)));
}

#endif
