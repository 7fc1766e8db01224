/* Making secrets and looking at their form. Rule: the text of a secret lives in the caller's memory alone; what is kept, logged or
 * compared is its hash. */
#include "auth/secret.h"

#include <openssl/crypto.h>
#include <stdint.h>
#include <string.h>

#include "api/base/arena.h"
#include "api/base/digest.h"

#define RANDOM_BYTES 32
#define RANDOM_LENGTH 43 /* of their base64url */

/* CRC-32 as of zlib and PNG (reflected 0xEDB88320): others can check a key offline. */
static uint32_t crc32_of(const char *text, size_t len)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < len; i++) {
        crc ^= (unsigned char)text[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xEDB88320) : 0);
    }
    return ~crc;
}

static void checksum_write(const char *text, size_t len, char ret_text[SECRET_CHECKSUM_LENGTH])
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    uint32_t rest = crc32_of(text, len);
    for (size_t i = SECRET_CHECKSUM_LENGTH; i-- > 0; rest /= 62)
        ret_text[i] = digits[rest % 62];
}

static void prefix_write(enum secret_kind kind, char ret_text[SECRET_PREFIX_LENGTH])
{
    memcpy(ret_text, "tpbis_?_", SECRET_PREFIX_LENGTH);
    ret_text[6] = (char)kind;
}

void secret_make(enum secret_kind kind, char ret_secret[SECRET_LENGTH + 1],
                 unsigned char ret_hash[32])
{
    unsigned char bytes[RANDOM_BYTES];
    struct arena *arena = arena_new(256);
    random_bytes(bytes, sizeof bytes);
    struct span text = base64url_encode(arena, bytes, sizeof bytes);
    prefix_write(kind, ret_secret);
    memcpy(ret_secret + SECRET_PREFIX_LENGTH, text.ptr, RANDOM_LENGTH);
    checksum_write(ret_secret, SECRET_LENGTH - SECRET_CHECKSUM_LENGTH,
                   ret_secret + SECRET_LENGTH - SECRET_CHECKSUM_LENGTH);
    ret_secret[SECRET_LENGTH] = '\0';
    digest_sha256((struct span){ret_secret, SECRET_LENGTH}, ret_hash);
    OPENSSL_cleanse(bytes, sizeof bytes);
    OPENSSL_cleanse((char *)text.ptr, text.len);
    arena_free(arena);
}

bool secret_claims(struct span text, enum secret_kind kind)
{
    char prefix[SECRET_PREFIX_LENGTH];
    prefix_write(kind, prefix);
    return text.len >= sizeof prefix && memcmp(text.ptr, prefix, sizeof prefix) == 0;
}

bool secret_sound(struct span text, enum secret_kind kind)
{
    char checksum[SECRET_CHECKSUM_LENGTH];
    if (text.len != SECRET_LENGTH || !secret_claims(text, kind))
        return false;
    for (size_t i = SECRET_PREFIX_LENGTH; i < text.len; i++) {
        char c = text.ptr[i];
        if ((c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '-' &&
            c != '_')
            return false;
    }
    checksum_write(text.ptr, SECRET_LENGTH - SECRET_CHECKSUM_LENGTH, checksum);
    return memcmp(text.ptr + SECRET_LENGTH - SECRET_CHECKSUM_LENGTH, checksum, sizeof checksum) ==
           0;
}
