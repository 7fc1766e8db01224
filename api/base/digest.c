/* SHA-256, base64 and randomness. Decoding is strict, the unused low bits of the last character
 * included: one value has one text, so a signature or a cursor cannot be respelled. */
#include "api/base/digest.h"

#include <assert.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

static const char alphabet_url[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Fetched once: an implicit fetch at every hash takes a lock in OpenSSL 3. Lives as long as the
 * process. */
static EVP_MD *sha256;
static pthread_once_t sha256_once = PTHREAD_ONCE_INIT;

static void sha256_fetch(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (!sha256)
        abort();
}

void digest_sha256(struct span data, unsigned char ret_hash[32])
{
    pthread_once(&sha256_once, sha256_fetch);
    unsigned int len = 0;
    if (EVP_Digest(data.len ? data.ptr : "", data.len, ret_hash, &len, sha256, NULL) != 1 ||
        len != 32)
        abort();
}

void digest_hmac_sha256(struct span key, struct span data, unsigned char ret_mac[32])
{
    unsigned int len = 0;
    if (!HMAC(EVP_sha256(), key.ptr, (int)key.len, (const unsigned char *)data.ptr, data.len,
              ret_mac, &len) ||
        len != 32)
        abort();
}

static size_t encode(const unsigned char *data, size_t len, char *ret_text)
{
    size_t at = 0;
    uint32_t bits = 0;
    unsigned held = 0;
    for (size_t i = 0; i < len; i++) {
        bits = (bits << 8) | data[i];
        for (held += 8; held >= 6; held -= 6)
            ret_text[at++] = alphabet_url[(bits >> (held - 6)) & 63];
    }
    if (held)
        ret_text[at++] = alphabet_url[(bits << (6 - held)) & 63];
    return at;
}

struct span digest_sha256_hex(struct arena *arena, struct span data)
{
    unsigned char hash[32];
    char *text = arena_alloc(arena, 2 * sizeof hash);
    digest_sha256(data, hash);
    hex_encode(hash, sizeof hash, text);
    return (struct span){text, 2 * sizeof hash};
}

void digest_tag(struct span data, char ret_tag[23])
{
    unsigned char hash[32];
    digest_sha256(data, hash);
    size_t len = encode(hash, 16, ret_tag);
    assert(len == 22);
    ret_tag[len] = '\0';
}

struct span base64url_encode(struct arena *arena, const void *data, size_t len)
{
    char *text = arena_alloc(arena, len / 3 * 4 + 5);
    return (struct span){text, encode(data, len, text)};
}

static int sextet(char c, char c62, char c63)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == c62 ? 62 : c == c63 ? 63 : -1;
}

static bool decode(struct arena *arena, struct span text, char c62, char c63, struct span *ret_data)
{
    if (text.len % 4 == 1)
        return false;
    char *data = arena_alloc(arena, text.len / 4 * 3 + 3);
    size_t at = 0;
    uint32_t bits = 0;
    unsigned held = 0;
    for (size_t i = 0; i < text.len; i++) {
        int six = sextet(text.ptr[i], c62, c63);
        if (six < 0)
            return false;
        bits = (bits << 6) | (uint32_t)six;
        held += 6;
        if (held >= 8) {
            held -= 8;
            data[at++] = (char)((bits >> held) & 0xFF);
        }
    }
    if (bits & ((1U << held) - 1))
        return false;
    *ret_data = (struct span){data, at};
    return true;
}

bool base64url_decode(struct arena *arena, struct span text, struct span *ret_data)
{
    return decode(arena, text, '-', '_', ret_data);
}

bool base64_decode(struct arena *arena, struct span text, struct span *ret_data)
{
    if (text.len % 4 != 0)
        return false;
    for (int pad = 0; pad < 2 && text.len && text.ptr[text.len - 1] == '='; pad++)
        text.len--;
    return decode(arena, text, '+', '/', ret_data);
}

bool digest_equal(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}

void random_bytes(void *ret_bytes, size_t len)
{
    unsigned char *at = ret_bytes;
    while (len) {
        ssize_t got = getrandom(at, len, 0);
        if (got < 0) {
            if (errno == EINTR)
                continue;
            abort();
        }
        at += got;
        len -= (size_t)got;
    }
}

void hex_encode(const void *data, size_t len, char *ret_text)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < len; i++) {
        ret_text[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
        ret_text[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
}
