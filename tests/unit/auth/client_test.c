/* Secrets of clients. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/base/digest.h"
#include "auth/client.h"

static void test_verify(void **state)
{
    (void)state;
    struct client_secrets secrets = {.count = 0};
    char old[SECRET_LENGTH + 1], fresh[SECRET_LENGTH + 1], foreign[SECRET_LENGTH + 1];
    unsigned char unused[32];
    secret_make(SECRET_CLIENT, old, secrets.hashes[0]);
    secret_make(SECRET_CLIENT, fresh, secrets.hashes[1]);
    secret_make(SECRET_CLIENT, foreign, unused);
    assert_false(
        client_secret_verify(span_of(old), &secrets)); /* beyond count: an unknown client */
    secrets.count = 1;
    assert_true(client_secret_verify(span_of(old), &secrets));
    assert_false(client_secret_verify(span_of(fresh), &secrets));
    secrets.count = 2; /* two at once, while one replaces the other */
    assert_true(client_secret_verify(span_of(old), &secrets));
    assert_true(client_secret_verify(span_of(fresh), &secrets));
    assert_false(client_secret_verify(span_of(foreign), &secrets));
    assert_false(client_secret_verify(SPAN(""), &secrets));
    assert_false(client_secret_verify(SPAN_NONE, &secrets));
    assert_false(client_secret_verify((struct span){old, SECRET_LENGTH - 1}, &secrets));
    assert_false(client_secret_verify((struct span){old, SECRET_LENGTH + 1}, &secrets));
    char large[SECRET_MAX_BYTES + 2];
    memset(large, 'a', sizeof large);
    large[SECRET_MAX_BYTES + 1] = '\0';
    digest_sha256(span_of(large), secrets.hashes[0]);
    assert_false(
        client_secret_verify(span_of(large), &secrets)); /* too large to be one, matching or not */
}

/* What stands in for an impossible secret must not open an entry of its own. */
static void test_no_master_key(void **state)
{
    (void)state;
    struct client_secrets secrets = {.count = CLIENT_SECRETS_MAX};
    digest_sha256(SPAN("-"), secrets.hashes[0]);
    digest_sha256(SPAN(""), secrets.hashes[1]);
    assert_false(client_secret_verify(SPAN(""), &secrets));
    assert_false(client_secret_verify(SPAN_NONE, &secrets));
}

static void test_hash_text(void **state)
{
    (void)state;
    unsigned char hash[32], back[32];
    char text[65];
    digest_sha256(SPAN("abc"), hash);
    client_hash_write(hash, text); /* FIPS 180-4 */
    assert_string_equal(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_true(client_hash_read(span_of(text), back));
    assert_memory_equal(hash, back, 32);
    memset(back, 0, sizeof back);
    assert_true(client_hash_read(
        SPAN("\\xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"), back));
    assert_memory_equal(hash, back, 32);
    assert_false(client_hash_read(SPAN("\\x"), back));
    assert_false(client_hash_read(SPAN(""), back));
    assert_false(client_hash_read(SPAN_NONE, back));
    assert_false(client_hash_read((struct span){text, 63}, back));
    text[10] = 'g';
    assert_false(client_hash_read(span_of(text), back));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_verify),
                                       cmocka_unit_test(test_no_master_key),
                                       cmocka_unit_test(test_hash_text)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
