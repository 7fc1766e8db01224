/* Properly signed tokens whose claims are wrong: each is refused, and for the reason meant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/auth/token_cases.h"

#define EXPECT_CLAIM(wanted, member, json)                                                         \
    do {                                                                                           \
        struct claims_text text_ = good;                                                           \
        text_.member = (json);                                                                     \
        expect_claims((wanted), text_);                                                            \
    } while (0)

static void test_expiry(void **state)
{
    (void)state;
    EXPECT_CLAIM(TOKEN_FAULT_expired, exp, "\"exp\":1699999999");
    EXPECT_CLAIM(TOKEN_FAULT_expired, exp,
                 "\"exp\":1700000000"); /* on its exp it is dead, without leeway */
    EXPECT_CLAIM(TOKEN_FAULT_none, exp, "\"exp\":1700000001");
    EXPECT_CLAIM(TOKEN_FAULT_expired, exp, "\"exp\":0");
    EXPECT_CLAIM(TOKEN_FAULT_claims, exp, "\"exp\":-1");
    EXPECT_CLAIM(TOKEN_FAULT_claims, exp, "\"exp\":\"1700000600\"");
    EXPECT_CLAIM(TOKEN_FAULT_claims, exp, "\"exp\":1700000600.0");
    EXPECT_CLAIM(TOKEN_FAULT_claims, exp, "\"exp\":1.7e9");
    EXPECT_CLAIM(TOKEN_FAULT_claims, exp, "\"exp\":null");
    EXPECT_CLAIM(TOKEN_FAULT_claims, exp, "\"exp\":true");
    EXPECT_CLAIM(TOKEN_FAULT_claims, exp, "\"exp\":[1700000600]");
    EXPECT_CLAIM(TOKEN_FAULT_signature, exp,
                 "\"exp\":99999999999999999999");         /* beyond int64 libjwt reads nothing */
    EXPECT_CLAIM(TOKEN_FAULT_claims, exp, "\"other\":1"); /* missing */
    EXPECT_CLAIM(TOKEN_FAULT_claims, exp, "\"Exp\":1700000600");
}

static void test_not_yet(void **state)
{
    (void)state;
    EXPECT_CLAIM(TOKEN_FAULT_none, more, ",\"nbf\":1700000060");
    EXPECT_CLAIM(TOKEN_FAULT_early, more, ",\"nbf\":1700000061");
    EXPECT_CLAIM(TOKEN_FAULT_early, more, ",\"nbf\":9223372036854775807");
    EXPECT_CLAIM(TOKEN_FAULT_claims, more, ",\"nbf\":\"1\"");
    EXPECT_CLAIM(TOKEN_FAULT_claims, more, ",\"nbf\":1.5");
    EXPECT_CLAIM(TOKEN_FAULT_claims, more, ",\"nbf\":null");
    EXPECT_CLAIM(TOKEN_FAULT_none, iat, "\"iat\":1700000060,");
    EXPECT_CLAIM(TOKEN_FAULT_early, iat, "\"iat\":1700000061,");
    EXPECT_CLAIM(TOKEN_FAULT_claims, iat, "\"iat\":\"1699999990\",");
    EXPECT_CLAIM(TOKEN_FAULT_claims, iat, "\"iat\":1699999990.5,");
    EXPECT_CLAIM(TOKEN_FAULT_claims, iat, "");
}

static void test_issuer_and_audience(void **state)
{
    (void)state;
    EXPECT_CLAIM(TOKEN_FAULT_issuer, iss, "\"iss\":\"https://evil.example.test\",");
    EXPECT_CLAIM(TOKEN_FAULT_issuer, iss, "\"iss\":\"" ISSUER "/\",");
    EXPECT_CLAIM(TOKEN_FAULT_issuer, iss, "\"iss\":\"\",");
    EXPECT_CLAIM(TOKEN_FAULT_issuer, iss, "\"iss\":[\"" ISSUER "\"],");
    EXPECT_CLAIM(TOKEN_FAULT_issuer, iss, "");
    EXPECT_CLAIM(TOKEN_FAULT_none, aud, "\"aud\":[\"x\",\"" AUDIENCE "\"],");
    EXPECT_CLAIM(TOKEN_FAULT_audience, aud, "\"aud\":\"other-api\",");
    EXPECT_CLAIM(TOKEN_FAULT_audience, aud, "\"aud\":\"TPBIS-API\",");
    EXPECT_CLAIM(TOKEN_FAULT_audience, aud, "\"aud\":[],");
    EXPECT_CLAIM(TOKEN_FAULT_audience, aud, "\"aud\":[\"x\"],");
    EXPECT_CLAIM(TOKEN_FAULT_audience, aud, "\"aud\":[\"" AUDIENCE "\",1],");
    EXPECT_CLAIM(TOKEN_FAULT_audience, aud, "\"aud\":[[\"" AUDIENCE "\"]],");
    EXPECT_CLAIM(TOKEN_FAULT_audience, aud, "\"aud\":{\"" AUDIENCE "\":1},");
    EXPECT_CLAIM(TOKEN_FAULT_audience, aud, "\"aud\":null,");
    EXPECT_CLAIM(TOKEN_FAULT_audience, aud, "");
}

static void test_subject_and_scope(void **state)
{
    (void)state;
    static const char *const values[] = {
        "1",           "null",
        "\"\"",        "\"a b\"",
        "\"a'b\"",     "[\"c1\"]",
        "\"\\u00e9\"", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        EXPECT_CLAIM(TOKEN_FAULT_claims, sub, arena_printf(arena, "\"sub\":%s,", values[i]));
        EXPECT_CLAIM(TOKEN_FAULT_claims, client_id,
                     arena_printf(arena, "\"client_id\":%s,", values[i]));
    }
    EXPECT_CLAIM(TOKEN_FAULT_claims, sub, "");
    EXPECT_CLAIM(TOKEN_FAULT_claims, client_id, "");
    EXPECT_CLAIM(TOKEN_FAULT_claims, jti, "");
    EXPECT_CLAIM(TOKEN_FAULT_claims, jti, "\"jti\":1,");
    EXPECT_CLAIM(TOKEN_FAULT_claims, scope, "");
    EXPECT_CLAIM(TOKEN_FAULT_claims, scope, "\"scope\":[\"published:read\"],");
    EXPECT_CLAIM(TOKEN_FAULT_claims, scope, "\"scope\":\"\",");
    EXPECT_CLAIM(TOKEN_FAULT_claims, scope, "\"scope\":\"published:read  admin\",");
    EXPECT_CLAIM(TOKEN_FAULT_none, scope, "\"scope\":\"published:read later:added\",");
}

static void test_payload(void **state)
{
    (void)state;
    EXPECT_CLAIM(TOKEN_FAULT_claims, more, ",\"exp\":1700000600"); /* twice, equal or not */
    EXPECT_CLAIM(TOKEN_FAULT_claims, more, ",\"sub\":\"c2\"");
    EXPECT_CLAIM(TOKEN_FAULT_claims, more, ",\"s\\u0075b\":\"c2\""); /* twice, one in disguise */
    EXPECT_CLAIM(TOKEN_FAULT_claims, more, ",\"scope\":\"admin\"");
    EXPECT_CLAIM(TOKEN_FAULT_claims, more, ",\"x\":{\"y\":1,\"y\":2}");
    EXPECT_CLAIM(TOKEN_FAULT_claims, more, ",\"x\":[[[[[[[[1]]]]]]]]");
    static const char *const bodies[] = {"garbage", "[]",  "null", "\"x\"", "1",
                                         "{",       "{}}", "{}",   "\xff"};
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        enum token_fault got = verify(signed_with(header_of("ES256"), bodies[i]));
        /* libjwt, too, refuses what is no JSON; either is a refusal before any claim is read */
        assert_true(got == TOKEN_FAULT_claims || got == TOKEN_FAULT_signature);
    }
    char *deep = arena_alloc(arena, 3000);
    memset(deep, '[', 2600);
    expect(TOKEN_FAULT_claims, signed_with(header_of("ES256"), deep));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expiry),
        cmocka_unit_test(test_not_yet),
        cmocka_unit_test(test_issuer_and_audience),
        cmocka_unit_test(test_subject_and_scope),
        cmocka_unit_test(test_payload),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
