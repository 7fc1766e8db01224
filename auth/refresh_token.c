/* Refresh tokens. Rule: the mark is compared in constant time, and a token's secret is never stored but masked by the token
 * before it, which nobody stores. */
#include "auth/refresh_token.h"

#include "api/base/digest.h"
#include "api/base/uuid.h"

#define PREFIX "tpbis_r_"
#define GRANT_BYTES 16
#define MARK_BYTES 16
#define TOKEN_BYTES (GRANT_BYTES + REFRESH_SECRET_BYTES + MARK_BYTES)
#define TEXT_LENGTH (sizeof PREFIX - 1 + 86)

static int nibble(char c)
{
    return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

static void uuid_pack(const char text[37], unsigned char ret_bytes[GRANT_BYTES])
{
    for (size_t i = 0, at = 0; i < GRANT_BYTES; i++, at += 2) {
        at += text[at] == '-';
        ret_bytes[i] = (unsigned char)(nibble(text[at]) << 4 | nibble(text[at + 1]));
    }
}

static void uuid_unpack(const unsigned char bytes[GRANT_BYTES], char ret_text[37])
{
    char digits[2 * GRANT_BYTES];
    hex_encode(bytes, GRANT_BYTES, digits);
    for (size_t i = 0, at = 0; i < sizeof digits; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20)
            ret_text[at++] = '-';
        ret_text[at++] = digits[i];
    }
    ret_text[36] = '\0';
}

static void mark(const unsigned char key[REFRESH_KEY_BYTES], const unsigned char *bytes,
                 unsigned char ret_mac[32])
{
    digest_hmac_sha256((struct span){(const char *)key, REFRESH_KEY_BYTES},
                       (struct span){(const char *)bytes, GRANT_BYTES + REFRESH_SECRET_BYTES},
                       ret_mac);
}

struct span refresh_token_text(struct arena *arena, const unsigned char key[REFRESH_KEY_BYTES],
                               const struct refresh_token *token)
{
    unsigned char bytes[TOKEN_BYTES], mac[32];
    uuid_pack(token->grant_id, bytes);
    memcpy(bytes + GRANT_BYTES, token->secret, REFRESH_SECRET_BYTES);
    mark(key, bytes, mac);
    memcpy(bytes + GRANT_BYTES + REFRESH_SECRET_BYTES, mac, MARK_BYTES);
    struct span text = base64url_encode(arena, bytes, sizeof bytes);
    return span_of(arena_printf(arena, PREFIX "%.*s", SPAN_ARG(text)));
}

bool refresh_token_claims(struct span text)
{
    return span_starts(text, PREFIX);
}

bool refresh_token_read(const unsigned char key[REFRESH_KEY_BYTES], struct span text,
                        struct refresh_token *ret_token)
{
    if (text.len != TEXT_LENGTH || !refresh_token_claims(text))
        return false;
    struct arena *arena = arena_new(512);
    struct span body = {text.ptr + sizeof PREFIX - 1, text.len - (sizeof PREFIX - 1)}, data;
    unsigned char mac[32];
    bool ours = base64url_decode(arena, body, &data) && data.len == TOKEN_BYTES;
    if (ours) {
        const unsigned char *bytes = (const unsigned char *)data.ptr;
        mark(key, bytes, mac);
        ours = digest_equal(mac, bytes + GRANT_BYTES + REFRESH_SECRET_BYTES, MARK_BYTES);
        uuid_unpack(bytes, ret_token->grant_id);
        memcpy(ret_token->secret, bytes + GRANT_BYTES, REFRESH_SECRET_BYTES);
    }
    arena_free(arena);
    return ours;
}

void refresh_token_seal(struct span before, const unsigned char secret[REFRESH_SECRET_BYTES],
                        unsigned char ret_sealed[REFRESH_SECRET_BYTES])
{
    unsigned char mask[32];
    digest_hmac_sha256(before, SPAN("the secret of the successor"), mask);
    for (size_t i = 0; i < REFRESH_SECRET_BYTES; i++)
        ret_sealed[i] = secret[i] ^ mask[i];
}
