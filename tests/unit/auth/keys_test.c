/* Keys: the thumbprint, what may be loaded, and that a key anybody may read is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <jansson.h>
#include <openssl/rsa.h>
#include <pthread.h>

#include "auth/keys.h"
#include "tests/unit/auth/forge.h"

static struct arena *arena;
static char *directory, *errors_text;
static size_t errors_len;
static FILE *errors;

static int setup(void **state)
{
    (void)state;
    arena = arena_new(4096);
    directory = forge_directory();
    errors = open_memstream(&errors_text, &errors_len);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fclose(errors);
    free(errors_text);
    forge_directory_remove(directory);
    arena_free(arena);
    return 0;
}

static const char *path_of(const char *name)
{
    return arena_printf(arena, "%s/%s", directory, name);
}

static void put(const char *name, mode_t mode, const char *text)
{
    FILE *file = fopen(path_of(name), "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fchmod(fileno(file), mode), 0);
    fclose(file);
}

/* PKCS#8, or with `encrypted` under the pass phrase "secret". */
static const char *pem_of(EVP_PKEY *key, bool encrypted)
{
    assert_non_null(key);
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, key, encrypted ? EVP_aes_256_cbc() : NULL,
                                                   encrypted ? "secret" : NULL, encrypted ? 6 : 0,
                                                   NULL, NULL),
                     1);
    char *data = NULL;
    long len = BIO_get_mem_data(bio, &data);
    const char *text = arena_cstr(arena, (struct span){data, (size_t)len});
    BIO_free(bio);
    EVP_PKEY_free(key);
    return text;
}

static const char *fresh_pem(void)
{
    return pem_of(EVP_EC_gen("P-256"), false);
}

static void expect_refused(const char *why)
{
    assert_null(key_ring_load(directory, errors));
    fflush(errors);
    assert_non_null(strstr(errors_text, why));
}

static void test_thumbprint(void **state)
{
    (void)state;
    char id[KEY_ID_LENGTH + 1];
    /* RFC 9449 4.2 and 6.1: a P-256 key and its RFC 7638 thumbprint */
    key_thumbprint("l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
                   "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA", id);
    assert_string_equal(id, "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
    /* RFC 7517 A.1 */
    key_thumbprint("MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
                   "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM", id);
    assert_string_equal(id, "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s");
}

/* The key of RFC 7517 A.2, as PEM: coordinates and kid must come out as the RFC has them. */
static void test_known_key(void **state)
{
    (void)state;
    put("a.pem", 0600,
        "-----BEGIN PRIVATE KEY-----\n"
        "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg870MB6gfuTJ4HtUn\n"
        "UvYMyJpr5eUZNP4Bk43bVdj3eAGhRANCAAQwoEJM0hwpRIOKLXXJKzfnbqINnwCJ\n"
        "OjtO7oo8Cq/sPuBLZekkVtmIi1Kzeb371R7oae8fD8ZbZllpW2zOCBcj\n"
        "-----END PRIVATE KEY-----\n");
    struct key_ring *ring = key_ring_load(directory, stderr);
    assert_non_null(ring);
    const struct es256_key *key = key_ring_signer(ring, 0);
    assert_string_equal(key->x, "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4");
    assert_string_equal(key->y, "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM");
    assert_string_equal(key->id, "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s");
    key_ring_free(ring);
}

static void test_create(void **state)
{
    (void)state;
    const char *inner = path_of("new");
    assert_true(key_create(inner, errors));
    struct stat info;
    assert_int_equal(stat(inner, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    assert_int_equal(stat(path_of("new/es256.pem"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    struct key_ring *ring = key_ring_load(inner, errors);
    assert_non_null(ring);
    char id[KEY_ID_LENGTH + 1];
    strcpy(id, key_ring_signer(ring, 0)->id);
    key_ring_free(ring);

    assert_true(key_create(inner, errors)); /* again: the key stays */
    ring = key_ring_load(inner, errors);
    assert_string_equal(id, key_ring_signer(ring, 0)->id);
    key_ring_free(ring);
    struct dirent **entries;
    int count = scandir(inner, &entries, NULL, NULL);
    assert_int_equal(count, 3); /* ".", "..", the key: no draft left */
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);

    assert_false(key_create(path_of("no/such/parent"), errors));
    put("file", 0600, "");
    assert_false(key_create(path_of("file"), errors));
}

static void *create_thread(void *inner)
{
    return key_create(inner, stderr) ? inner : NULL;
}

static void test_create_at_once(void **state)
{
    (void)state;
    pthread_t threads[8];
    char *inner = arena_cstr(arena, span_of(path_of("new")));
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, create_thread, inner), 0);
    for (int i = 0; i < 8; i++) {
        void *result;
        pthread_join(threads[i], &result);
        assert_non_null(result);
    }
    struct key_ring *ring = key_ring_load(inner, stderr);
    assert_non_null(ring);
    const char *first = strstr(arena_cstr(arena, key_ring_jwks(ring)), "\"kid\"");
    assert_non_null(first);
    assert_null(strstr(first + 1, "\"kid\""));
    key_ring_free(ring);
}

static void test_readable_by_others(void **state)
{
    (void)state;
    static const mode_t modes[] = {0640, 0604, 0644, 0660, 0602, 0610, 0777};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        put("a.pem", modes[i], fresh_pem());
        expect_refused("others than its owner");
    }
    put("a.pem", 0400, fresh_pem());
    struct key_ring *ring = key_ring_load(directory, stderr);
    assert_non_null(ring);
    key_ring_free(ring);
    put("b.pem", 0644, fresh_pem()); /* one bad key beside a good one is still a fault */
    expect_refused("b.pem");
}

static void test_other_content(void **state)
{
    (void)state;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PUBKEY(bio, key);
    char *data = NULL;
    long len = BIO_get_mem_data(bio, &data);
    const char *public_pem = arena_cstr(arena, (struct span){data, (size_t)len});
    BIO_free(bio);
    const char *encrypted = pem_of(key, true);

    put("a.pem", 0600, public_pem);
    expect_refused("no unencrypted private key");
    put("a.pem", 0600, encrypted); /* and nobody is asked for the pass phrase */
    expect_refused("no unencrypted private key");
    put("a.pem", 0600, "");
    expect_refused("no unencrypted private key");
    put("a.pem", 0600, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    expect_refused("no unencrypted private key");
    put("a.pem", 0600, pem_of(EVP_EC_gen("P-384"), false));
    expect_refused("not a P-256 key");
    put("a.pem", 0600, pem_of(EVP_EC_gen("secp256k1"), false));
    expect_refused("not a P-256 key");
    put("a.pem", 0600, pem_of(EVP_RSA_gen(2048), false));
    expect_refused("not a P-256 key");
    char *large = arena_alloc(arena, 20001);
    memset(large, '\n', 20000);
    put("a.pem", 0600, large);
    expect_refused("too large");
    unlink(path_of("a.pem"));
    assert_int_equal(mkdir(path_of("a.pem"), 0700), 0);
    expect_refused("not a regular file");
    rmdir(path_of("a.pem"));
    assert_int_equal(mkfifo(path_of("a.pem"), 0600), 0); /* must not hang */
    expect_refused("not a regular file");
    unlink(path_of("a.pem"));
    assert_int_equal(symlink("/nowhere", path_of("a.pem")), 0);
    expect_refused("cannot be opened");
    unlink(path_of("a.pem"));
    expect_refused("holds no *.pem");
    put("a.pem.bak", 0644, "x"); /* not ours to judge */
    put(".a.pem", 0644, "x");
    expect_refused("holds no *.pem");
}

static void test_missing_directory(void **state)
{
    (void)state;
    assert_null(key_ring_load("/nowhere/at/all", errors));
    fflush(errors);
    assert_non_null(strstr(errors_text, "/nowhere/at/all"));
}

static void test_order_and_jwks(void **state)
{
    (void)state;
    /* neither the order they are made in, nor its reverse, is the order of their names */
    static const char *const names[] = {"c.pem", "a.pem", "e.pem", "b.pem", "d.pem"};
    const char *pems[5];
    for (size_t i = 0; i < 5; i++) {
        size_t place = (size_t)(names[i][0] - 'a');
        pems[place] = fresh_pem();
        put(names[i], 0600, pems[place]);
    }
    put("f.pem", 0600, pems[2]); /* the same key twice is one key */
    struct key_ring *ring = key_ring_load(directory, stderr);
    assert_non_null(ring);
    json_t *set = json_loadb(key_ring_jwks(ring).ptr, key_ring_jwks(ring).len,
                             JSON_REJECT_DUPLICATES, NULL);
    const json_t *keys = json_object_get(set, "keys");
    assert_int_equal(json_array_size(keys), 5);
    for (size_t i = 0; i < 5; i++) {
        const json_t *key = json_array_get(keys, i);
        assert_int_equal(json_object_size(key), 7); /* and so no private part */
        assert_null(json_object_get(key, "d"));
        assert_string_equal(json_string_value(json_object_get(key, "kty")), "EC");
        assert_string_equal(json_string_value(json_object_get(key, "crv")), "P-256");
        assert_string_equal(json_string_value(json_object_get(key, "alg")), "ES256");
        assert_string_equal(json_string_value(json_object_get(key, "use")), "sig");
        const char *id = json_string_value(json_object_get(key, "kid"));
        assert_non_null(key_ring_find(ring, span_of(id)));
        const struct es256_key *found = key_ring_find(ring, span_of(id));
        assert_string_equal(found->x, json_string_value(json_object_get(key, "x")));
        EVP_PKEY *loaded = forge_key(found->private_pem), *wanted = forge_key(pems[i]);
        assert_int_equal(EVP_PKEY_eq(loaded, wanted), 1);
        EVP_PKEY_free(loaded);
        EVP_PKEY_free(wanted);
        if (i == 0) /* "a" signs */
            assert_string_equal(id, key_ring_signer(ring, 0)->id);
    }
    assert_non_null(strstr(key_ring_signer(ring, 0)->public_pem, "PUBLIC KEY"));
    assert_null(key_ring_find(ring, SPAN("")));
    assert_null(key_ring_find(ring, SPAN_NONE));
    json_decref(set);
    key_ring_free(ring);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_thumbprint),        TEST(test_known_key),          TEST(test_create),
        TEST(test_create_at_once),    TEST(test_readable_by_others), TEST(test_other_content),
        TEST(test_missing_directory), TEST(test_order_and_jwks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
