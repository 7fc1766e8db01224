/* Secrets of clients. Rule: a secret is printed once and never stored, logged or compared but by
 * hash. */
#include "auth/client.h"

#include "api/base/digest.h"

bool client_secret_verify(struct span secret, const struct client_secrets *secrets)
{
    unsigned char hash[32];
    bool possible = secret.len > 0 && secret.len <= SECRET_MAX_BYTES;
    digest_sha256(possible ? secret : SPAN("-"), hash);
    unsigned matches = 0;
    for (size_t i = 0; i < CLIENT_SECRETS_MAX; i++)
        matches |= (unsigned)digest_equal(hash, secrets->hashes[i], sizeof hash) &
                   (unsigned)(i < secrets->count);
    return possible & (matches != 0);
}

static int nibble(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool client_hash_read(struct span text, unsigned char ret_hash[32])
{
    if (span_starts(text, "\\x")) /* as PostgreSQL writes a bytea */
        text = (struct span){text.ptr + 2, text.len - 2};
    if (text.len != 64)
        return false;
    for (size_t i = 0; i < 32; i++) {
        int high = nibble(text.ptr[2 * i]), low = nibble(text.ptr[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        ret_hash[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

void client_hash_write(const unsigned char hash[32], char ret_text[65])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < 32; i++) {
        ret_text[2 * i] = digits[hash[i] >> 4];
        ret_text[2 * i + 1] = digits[hash[i] & 15];
    }
    ret_text[64] = '\0';
}
