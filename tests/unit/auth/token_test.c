/* Every attack of RFC 8725 and of libjwt's known weaknesses on shape, header and signature, each
 * refused, and for the reason meant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>

#include "auth/scope.h"
#include "tests/unit/auth/token_cases.h"

/* ---- what is good --------------------------------------------------------------------------- */

static void test_good(void **state)
{
    (void)state;
    struct token_claims claims;
    struct span token = signed_with(header_of("ES256"), payload_of(good));
    assert_int_equal(token_verify(&rules, arena, token, NOW, &claims), TOKEN_FAULT_none);
    assert_string_equal(claims.subject, "c1");
    assert_string_equal(claims.client_id, "c1");
    assert_int_equal(claims.scopes,
                     scope_bit(SPAN("published:read")) | scope_bit(SPAN("libraries:write")));
    assert_true(claims.issued_s == 1699999990 && claims.expires_s == 1700000600);
}

static void test_issue(void **state)
{
    (void)state;
    struct span token;
    struct token_claims claims;
    assert_true(
        token_issue(&rules, arena, "u1", "c9", "s1", NULL, "published:read", NOW, 600, &token));
    assert_int_equal(token_verify(&rules, arena, token, NOW, &claims), TOKEN_FAULT_none);
    assert_string_equal(claims.session, "s1");
    assert_int_equal(strlen(claims.id), 36);
    assert_true(
        token_issue(&rules, arena, "c9", "c9", NULL, NULL, "published:read", NOW, 600, &token));
    assert_int_equal(token_verify(&rules, arena, token, NOW, &claims), TOKEN_FAULT_none);
    assert_null(claims.session);
    assert_string_equal(claims.subject, "c9");
    assert_true(claims.issued_s == NOW && claims.expires_s == NOW + 600);

    const char *dot = memchr(token.ptr, '.', token.len);
    struct span header, payload;
    assert_true(
        base64url_decode(arena, (struct span){token.ptr, (size_t)(dot - token.ptr)}, &header));
    const char *end = memchr(dot + 1, '.', token.len - (size_t)(dot + 1 - token.ptr));
    assert_true(base64url_decode(arena, (struct span){dot + 1, (size_t)(end - dot - 1)}, &payload));
    json_t *json = json_loadb(header.ptr, header.len, JSON_REJECT_DUPLICATES, NULL);
    assert_string_equal(json_string_value(json_object_get(json, "typ")), "JWT");
    assert_string_equal(json_string_value(json_object_get(json, "alg")), "ES256");
    assert_string_equal(json_string_value(json_object_get(json, "kid")), kid());
    json_decref(json);
    json = json_loadb(payload.ptr, payload.len, JSON_REJECT_DUPLICATES, NULL);
    static const char *const rfc9068[] = {"iss",       "exp", "aud", "sub",
                                          "client_id", "iat", "jti", "scope"};
    for (size_t i = 0; i < sizeof rfc9068 / sizeof *rfc9068; i++)
        assert_non_null(json_object_get(json, rfc9068[i]));
    assert_int_equal(strlen(json_string_value(json_object_get(json, "jti"))), 36);
    json_decref(json);
}

static void test_every_key_of_the_ring(void **state)
{
    (void)state;
    char *directory = forge_directory();
    const struct key_ring *const sources[] = {ring, other_ring};
    for (int i = 0; i < 2; i++) {
        FILE *file = fopen(arena_printf(arena, "%s/%d.pem", directory, i), "w");
        assert_int_equal(fchmod(fileno(file), 0600), 0);
        fputs(key_ring_signer(sources[i], 0)->private_pem, file);
        fclose(file);
    }
    struct key_ring *both = key_ring_load(directory, stderr);
    assert_non_null(both);
    forge_directory_remove(directory);
    struct token_rules wide = {both, ISSUER, AUDIENCE};
    const struct token_rules one_each[] = {{ring, ISSUER, AUDIENCE},
                                           {other_ring, ISSUER, AUDIENCE}};
    for (int i = 0; i < 2; i++) { /* a rotated key still verifies what it signed */
        struct span token;
        struct token_claims claims;
        assert_true(token_issue(&one_each[i], arena, "c1", "c1", NULL, NULL, "published:read", NOW,
                                600, &token));
        assert_int_equal(token_verify(&wide, arena, token, NOW, &claims), TOKEN_FAULT_none);
    }
    key_ring_free(both);
}

/* ---- shape ---------------------------------------------------------------------------------- */

static void test_shape(void **state)
{
    (void)state;
    struct span token = signed_with(header_of("ES256"), payload_of(good));
    const char *text = arena_cstr(arena, token);
    const char *first = strchr(text, '.'), *second = strrchr(text, '.');

    expect(TOKEN_FAULT_size, SPAN(""));
    expect(TOKEN_FAULT_size, SPAN_NONE);
    expect(TOKEN_FAULT_shape, SPAN("."));
    expect(TOKEN_FAULT_shape, SPAN(".."));
    expect(TOKEN_FAULT_shape, SPAN("..."));
    expect(TOKEN_FAULT_shape, SPAN("garbage"));
    expect(TOKEN_FAULT_shape, SPAN("Bearer"));
    expect(TOKEN_FAULT_shape, (struct span){text, (size_t)(second - text)});     /* two segments */
    expect(TOKEN_FAULT_shape, (struct span){text, (size_t)(second - text) + 1}); /* empty third */
    expect(TOKEN_FAULT_shape, span_of(first));                                   /* empty first */
    expect(TOKEN_FAULT_shape,
           span_of(arena_printf(arena, "%.*s.%s", (int)(first - text), text, second))); /* second */
    expect(TOKEN_FAULT_shape, span_of(arena_printf(arena, "%s.abcd", text)));           /* four */
    expect(TOKEN_FAULT_shape, span_of(arena_printf(arena, ".%s", text)));
    expect(TOKEN_FAULT_shape, span_of(arena_printf(arena, "%s.", text)));
    expect(TOKEN_FAULT_shape, span_of(arena_printf(arena, "%s==", text))); /* padding */
    expect(TOKEN_FAULT_shape, span_of(arena_printf(arena, " %s", text)));
    expect(TOKEN_FAULT_shape, span_of(arena_printf(arena, "%s\n", text)));

    static const char foreign[] = {'+', '/', '=', ' ', '%', '\0', '\n', '\x80', '~', ','};
    for (size_t i = 0; i < sizeof foreign; i++)
        for (int segment = 0; segment < 3; segment++) {
            char *bad = arena_cstr(arena, token);
            size_t place = segment == 0   ? 3
                           : segment == 1 ? (size_t)(first - text) + 3
                                          : (size_t)(second - text) + 3;
            bad[place] = foreign[i];
            expect(TOKEN_FAULT_shape, (struct span){bad, token.len});
        }
}

static void test_oversize(void **state)
{
    (void)state;
    char *padding = arena_alloc(arena, 8192);
    memset(padding, 'a', 4096);
    struct claims_text text = good;
    text.more = arena_printf(arena, ",\"more\":\"%s\"", padding);
    expect_claims(TOKEN_FAULT_size, text);
    padding[2000] = '\0'; /* large, but within the limit */
    text.more = arena_printf(arena, ",\"more\":\"%s\"", padding);
    expect_claims(TOKEN_FAULT_none, text);
    char *dots = arena_alloc(arena, 8192);
    memset(dots, '.', 4097);
    expect(TOKEN_FAULT_size, span_of(dots));
    dots[4096] = '\0';
    expect(TOKEN_FAULT_shape, span_of(dots));
}

/* ---- header --------------------------------------------------------------------------------- */

static void test_algorithm(void **state)
{
    (void)state;
    static const char *const others[] = {"none",  "None",  "NONE",  "nOnE",   "HS256", "hs256",
                                         "HS384", "HS512", "RS256", "ES384",  "ES512", "PS256",
                                         "EdDSA", "es256", "Es256", "ES256 ", "",      "ES2567"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        expect_header(TOKEN_FAULT_algorithm, header_of(others[i]));
}

static void test_algorithm_none(void **state)
{
    (void)state;
    struct span input = forge_input(arena, header_of("none"), payload_of(good));
    expect(TOKEN_FAULT_shape, span_of(arena_printf(arena, "%.*s.", SPAN_ARG(input))));
    expect(TOKEN_FAULT_algorithm, forge_join(arena, input, "x", 1));
}

static void test_public_key_as_secret(void **state)
{
    (void)state;
    const char *pem = key_ring_signer(ring, 0)->public_pem;
    expect(TOKEN_FAULT_algorithm, forge_hs256(arena, pem, header_of("HS256"), payload_of(good)));
    expect(TOKEN_FAULT_signature, forge_hs256(arena, pem, header_of("ES256"), payload_of(good)));
}

static void test_other_curve(void **state)
{
    (void)state;
    EVP_PKEY *p384 = EVP_EC_gen("P-384");
    struct span input = forge_input(arena, header_of("ES384"), payload_of(good));
    expect(TOKEN_FAULT_algorithm, forge_ecdsa(arena, p384, EVP_sha384(), 48, input));
    input = forge_input(arena, header_of("ES256"), payload_of(good));
    expect(TOKEN_FAULT_signature, forge_ecdsa(arena, p384, EVP_sha384(), 48, input));
    EVP_PKEY_free(p384);
}

static void test_kid(void **state)
{
    (void)state;
    expect_header(TOKEN_FAULT_header, "{\"alg\":\"ES256\",\"typ\":\"JWT\"}");
    expect_header(TOKEN_FAULT_kid, "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"\"}");
    expect_header(TOKEN_FAULT_kid, "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"unknown\"}");
    expect_header(TOKEN_FAULT_kid,
                  "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"../../dev/null\"}");
    expect_header(TOKEN_FAULT_kid,
                  arena_printf(arena, "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"%s\"}",
                               key_ring_signer(other_ring, 0)->id));
    static const char *const values[] = {"1", "null", "true", "[\"%s\"]", "{\"kid\":\"%s\"}"};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        expect_header(
            TOKEN_FAULT_header,
            arena_printf(arena, "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":%s}", values[i]));
    /* a foreign key under our kid, and our key's content signed by it */
    expect(TOKEN_FAULT_signature, forge_es256(arena, key_ring_signer(other_ring, 0),
                                              header_of("ES256"), payload_of(good)));
}

static void test_header_content(void **state)
{
    (void)state;
    const char *id = kid();
    const char *const bad[] = {
        arena_printf(arena, "{\"alg\":\"ES256\",\"kid\":\"%s\"}",
                     id), /* typ missing, other, of another type */
        arena_printf(arena, "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"at+jwt\"}", id),
        arena_printf(arena, "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"jwt\"}", id),
        arena_printf(arena, "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":[\"JWT\"]}", id),
        arena_printf(arena, "{\"kid\":\"%s\",\"typ\":\"JWT\"}",
                     id), /* alg missing, of another type, twice */
        arena_printf(arena, "{\"alg\":256,\"kid\":\"%s\",\"typ\":\"JWT\"}", id),
        arena_printf(arena, "{\"alg\":[\"ES256\"],\"kid\":\"%s\",\"typ\":\"JWT\"}", id),
        arena_printf(arena, "{\"alg\":\"none\",\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"JWT\"}",
                     id),
        arena_printf(arena, "{\"alg\":\"ES256\",\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"JWT\"}",
                     id),
        arena_printf(arena, "{\"alg\":\"ES256\",\"kid\":\"x\",\"kid\":\"%s\",\"typ\":\"JWT\"}", id),
        arena_printf(arena, "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"JWT\",\"crit\":[\"exp\"]}",
                     id),
        arena_printf(arena, "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"JWT\",\"crit\":[]}", id),
        arena_printf(arena, "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"JWT\",\"b64\":false}", id),
        arena_printf(
            arena, "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"JWT\",\"jku\":\"http://x/\"}", id),
        arena_printf(arena,
                     "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"JWT\",\"jwk\":{\"kty\":\"EC\"}}",
                     id),
        arena_printf(
            arena, "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"JWT\",\"x5u\":\"http://x/\"}", id),
        arena_printf(arena,
                     "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"JWT\",\"enc\":\"A128GCM\"}", id),
        arena_printf(arena, "{\"header\":{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"JWT\"}}",
                     id), /* nested */
        arena_printf(arena, "[{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"JWT\"}]", id),
        arena_printf(arena, "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"JWT\"}{}", id),
        arena_printf(arena, "{\"alg\":\"ES256\",\"kid\":\"%s\\u0000\",\"typ\":\"JWT\"}", id),
        arena_printf(arena, "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"JWT\",}", id),
        arena_printf(arena, "\xEF\xBB\xBF{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"JWT\"}", id),
        "garbage",
        "{}",
        "[]",
        "null",
        "\"ES256\"",
        "1",
        "{",
        "\xff\xfe",
        "{\"alg\"",
        "{\"alg\":\"\xc3\x28\"}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        expect_header(TOKEN_FAULT_header, bad[i]);
    char *deep = arena_alloc(arena,
                             512); /* more than any limit of a parser, less than the one of size */
    memset(deep, '[', 500);
    expect_header(TOKEN_FAULT_header, deep);
    expect_header(
        TOKEN_FAULT_header,
        arena_printf(arena, "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"JWT\"%500s}", id, ""));
}

/* ---- signature ------------------------------------------------------------------------------ */

static void test_tampered(void **state)
{
    (void)state;
    struct span token = signed_with(header_of("ES256"), payload_of(good));
    const char *text = arena_cstr(arena, token);
    size_t start = (size_t)(strrchr(text, '.') - text) + 1;
    for (size_t i = start; i < token.len;
         i++) { /* every character of the signature, the last one included */
        char *bad = arena_cstr(arena, token);
        bad[i] = bad[i] == 'A' ? 'Q' : 'A';
        expect(TOKEN_FAULT_signature, (struct span){bad, token.len});
    }
    char *respelled = arena_cstr(arena,
                                 token); /* the spare bits of the last character: the same bytes */
    respelled[token.len - 1] = (char)(respelled[token.len - 1] + 1);
    expect(TOKEN_FAULT_shape, (struct span){respelled, token.len});

    struct claims_text more = good;
    more.scope = "\"scope\":\"admin\",";
    struct span input = forge_input(arena, header_of("ES256"), payload_of(more));
    expect(TOKEN_FAULT_signature,
           span_of(arena_printf(arena, "%.*s.%s", SPAN_ARG(input), text + start)));

    unsigned char zeros[64] = {0}; /* r = s = 0, CVE-2022-21449 */
    input = forge_input(arena, header_of("ES256"), payload_of(good));
    expect(TOKEN_FAULT_signature, forge_join(arena, input, zeros, sizeof zeros));
    expect(TOKEN_FAULT_signature, forge_join(arena, input, zeros, 1));
    expect(TOKEN_FAULT_signature, forge_join(arena, input, zeros, 63));
    struct span raw;
    assert_true(base64url_decode(arena, span_of(text + start), &raw));
    char longer[65] = {0};
    memcpy(longer, raw.ptr, 64);
    expect(TOKEN_FAULT_signature, forge_join(arena, input, longer, sizeof longer));
}

/* One valid token, every bit flipped in turn: none of the results may pass. */
static void test_every_bit(void **state)
{
    (void)state;
    struct span token = signed_with(header_of("ES256"), payload_of(good));
    struct arena *scratch = arena_new(65536);
    for (size_t i = 0; i < token.len; i++) {
        for (int bit = 0; bit < 8; bit += 3) {
            char *bad = arena_cstr(scratch, token);
            bad[i] = (char)(bad[i] ^ 1 << bit);
            struct token_claims claims;
            assert_int_not_equal(
                token_verify(&rules, scratch, (struct span){bad, token.len}, NOW, &claims),
                TOKEN_FAULT_none);
            arena_reset(scratch);
        }
    }
    arena_free(scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_issue),
        cmocka_unit_test(test_every_key_of_the_ring),
        cmocka_unit_test(test_shape),
        cmocka_unit_test(test_oversize),
        cmocka_unit_test(test_algorithm),
        cmocka_unit_test(test_algorithm_none),
        cmocka_unit_test(test_public_key_as_secret),
        cmocka_unit_test(test_other_curve),
        cmocka_unit_test(test_kid),
        cmocka_unit_test(test_header_content),
        cmocka_unit_test(test_tampered),
        cmocka_unit_test(test_every_bit),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
