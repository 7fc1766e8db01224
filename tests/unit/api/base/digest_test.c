/* Published vectors (FIPS 180-4, RFC 4648 section 10), strictness, and randomness that differs. */
#include "tests/unit/api/check.h"

#include "api/base/digest.h"

static void sha256_vectors(void **state)
{
    (void)state;
    static const struct {
        const char *text, *hex;
    } rows[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned char hash[32];
        char hex[65];
        digest_sha256(span_of(rows[i].text), hash);
        for (int k = 0; k < 32; k++)
            snprintf(hex + 2 * k, 3, "%02x", hash[k]);
        assert_string_equal(hex, rows[i].hex);
    }
}

static void tag_is_half_the_hash(void **state)
{
    (void)state;
    struct arena *arena = arena_new(256);
    unsigned char hash[32];
    char tag[23];
    struct span read;
    digest_sha256(SPAN("abc"), hash);
    digest_tag(SPAN("abc"), tag);
    assert_int_equal(strlen(tag), 22);
    assert_true(base64url_decode(arena, span_of(tag), &read));
    assert_int_equal(read.len, 16);
    assert_memory_equal(read.ptr, hash, 16);
    arena_free(arena);
}

/* RFC 4231 4.3. */
static void hmac_vector(void **state)
{
    (void)state;
    unsigned char mac[32];
    char hex[65] = "";
    digest_hmac_sha256(SPAN("Jefe"), SPAN("what do ya want for nothing?"), mac);
    hex_encode(mac, sizeof mac, hex);
    assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

static void base64_vectors(void **state)
{
    (void)state;
    static const struct {
        const char *plain, *padded, *url;
    } rows[] = {
        {"", "", ""},
        {"f", "Zg==", "Zg"},
        {"fo", "Zm8=", "Zm8"},
        {"foo", "Zm9v", "Zm9v"},
        {"foob", "Zm9vYg==", "Zm9vYg"},
        {"fooba", "Zm9vYmE=", "Zm9vYmE"},
        {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
        {"\xFB\xEF\xFF", "++//", "--__"},
    };
    struct arena *arena = arena_new(256);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct span read = SPAN_NONE;
        assert_span(base64url_encode(arena, rows[i].plain, strlen(rows[i].plain)), rows[i].url);
        assert_true(base64url_decode(arena, span_of(rows[i].url), &read));
        assert_span(read, rows[i].plain);
        assert_true(base64_decode(arena, span_of(rows[i].padded), &read));
        assert_span(read, rows[i].plain);
    }
    arena_free(arena);
}

static void base64_refusals(void **state)
{
    (void)state;
    static const char *const bad_url[] = {"A",    "AAAAA", "Zg==", "Zm9*",  "Zm 9v",
                                          "++//", "Zh",    "Zm9",  "Zm9v\n"};
    static const char *const bad_plain[] = {"Zg",   "Zg=",  "Z===",     "====",  "--__",
                                            "Zh==", "Zm9=", "Zg==Zg==", "Zm9v\n"};
    struct arena *arena = arena_new(256);
    struct span read = SPAN("unset");
    for (size_t i = 0; i < sizeof bad_url / sizeof *bad_url; i++)
        if (base64url_decode(arena, span_of(bad_url[i]), &read))
            fail_msg("base64url took %s", bad_url[i]);
    for (size_t i = 0; i < sizeof bad_plain / sizeof *bad_plain; i++)
        if (base64_decode(arena, span_of(bad_plain[i]), &read))
            fail_msg("base64 took %s", bad_plain[i]);
    assert_false(base64url_decode(arena, (struct span){"Zm\0v", 4}, &read));
    assert_span(read, "unset"); /* only set on success */
    arena_free(arena);
}

static void long_texts_read_back(void **state)
{
    (void)state;
    struct arena *arena = arena_new(256);
    unsigned char bytes[999];
    for (size_t len = 0; len <= sizeof bytes; len += 37) {
        struct span read;
        random_bytes(bytes, len);
        assert_true(base64url_decode(arena, base64url_encode(arena, bytes, len), &read));
        assert_int_equal(read.len, len);
        if (len)
            assert_memory_equal(read.ptr, bytes, len);
    }
    arena_free(arena);
}

static void compares_and_draws(void **state)
{
    (void)state;
    assert_true(digest_equal("abcd", "abcx", 3));
    assert_false(digest_equal("abcd", "abcx", 4));
    assert_true(digest_equal("a", "b", 0));
    unsigned char one[32] = {0}, other[32] = {0}, zero[32] = {0};
    random_bytes(one, sizeof one);
    random_bytes(other, sizeof other);
    assert_memory_not_equal(one, other, sizeof one);
    assert_memory_not_equal(one, zero, sizeof one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_vectors),       cmocka_unit_test(hmac_vector),
        cmocka_unit_test(tag_is_half_the_hash), cmocka_unit_test(base64_vectors),
        cmocka_unit_test(base64_refusals),      cmocka_unit_test(long_texts_read_back),
        cmocka_unit_test(compares_and_draws),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
