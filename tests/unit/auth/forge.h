/* For tests: signs whatever it is told to, as an attacker or as a careless issuer would. Knows
 * nothing of auth/token.c, so that a fault there cannot hide itself here. */
#ifndef TEST_FORGE_H
#define TEST_FORGE_H

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/base/arena.h"
#include "api/base/digest.h"
#include "auth/keys.h"

static inline void forge_check(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "cannot %s\n", what);
        abort();
    }
}

static inline EVP_PKEY *forge_key(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    forge_check(key != NULL, "read a key");
    return key;
}

static inline struct span forge_input(struct arena *arena, const char *header, const char *payload)
{
    struct span h = base64url_encode(arena, header, strlen(header));
    struct span p = base64url_encode(arena, payload, strlen(payload));
    return span_of(arena_printf(arena, "%.*s.%.*s", SPAN_ARG(h), SPAN_ARG(p)));
}

static inline struct span forge_join(struct arena *arena, struct span input, const void *signature,
                                     size_t len)
{
    struct span s = base64url_encode(arena, signature, len);
    return span_of(arena_printf(arena, "%.*s.%.*s", SPAN_ARG(input), SPAN_ARG(s)));
}

/* The two numbers of an ECDSA signature side by side, RFC 7518 3.4. */
static inline struct span forge_ecdsa(struct arena *arena, EVP_PKEY *key, const EVP_MD *md,
                                      int number_bytes, struct span input)
{
    unsigned char der[256], raw[192];
    size_t len = sizeof der;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    forge_check(
        EVP_DigestSignInit(context, NULL, md, NULL, key) == 1 &&
            EVP_DigestSign(context, der, &len, (const unsigned char *)input.ptr, input.len) == 1,
        "sign");
    EVP_MD_CTX_free(context);
    const unsigned char *at = der;
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &at, (long)len);
    forge_check(signature &&
                    BN_bn2binpad(ECDSA_SIG_get0_r(signature), raw, number_bytes) == number_bytes &&
                    BN_bn2binpad(ECDSA_SIG_get0_s(signature), raw + number_bytes, number_bytes) ==
                        number_bytes,
                "unpack a signature");
    ECDSA_SIG_free(signature);
    return forge_join(arena, input, raw, 2 * (size_t)number_bytes);
}

static inline struct span forge_es256(struct arena *arena, const struct es256_key *key,
                                      const char *header, const char *payload)
{
    EVP_PKEY *pkey = forge_key(key->private_pem);
    struct span token = forge_ecdsa(arena, pkey, EVP_sha256(), 32,
                                    forge_input(arena, header, payload));
    EVP_PKEY_free(pkey);
    return token;
}

static inline struct span forge_hs256(struct arena *arena, const char *secret, const char *header,
                                      const char *payload)
{
    struct span input = forge_input(arena, header, payload);
    unsigned char mac[32];
    unsigned int len = 0;
    HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)input.ptr, input.len,
         mac, &len);
    return forge_join(arena, input, mac, len);
}

/* A fresh directory, and one with a fresh key in it. */
static inline char *forge_directory(void)
{
    char *path = memory_copy("/tmp/auth_test_XXXXXX");
    forge_check(mkdtemp(path) != NULL, "make a directory");
    return path;
}

static inline void forge_directory_remove(char *path)
{
    struct arena *arena = arena_new(256);
    forge_check(system(arena_printf(arena, "rm -rf '%s'", path)) == 0, "remove a directory");
    arena_free(arena);
    free(path);
}

static inline struct key_ring *forge_ring(void)
{
    char *directory = forge_directory();
    forge_check(key_create(directory, stderr), "make a key");
    struct key_ring *ring = key_ring_load(directory, stderr);
    forge_check(ring != NULL, "load a key");
    forge_directory_remove(directory);
    return ring;
}

#endif
