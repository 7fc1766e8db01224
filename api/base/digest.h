/* Hashes and encodings. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "api/base/arena.h"
#include "api/base/span.h"
#include <stdint.h>

void digest_sha256(struct span data, unsigned char ret_hash[32]);
/* The same as 64 hexadecimal digits, which the database takes for bytes (`decode(..., 'hex')`). */
struct span digest_sha256_hex(struct arena *arena, struct span data);
void digest_hmac_sha256(struct span key, struct span data, unsigned char ret_mac[32]);
/* The first 16 bytes of SHA-256 as 22 characters of base64url: what ETags and cursors use. */
void digest_tag(struct span data, char ret_tag[23]);

void hex_encode(const void *data, size_t len,
                char *ret_text); /* 2 * len digits, lower case, no NUL */
struct span base64url_encode(struct arena *arena, const void *data, size_t len); /* no padding */
/* False when a character is not of the alphabet or the length is impossible. */
bool base64url_decode(struct arena *arena, struct span text, struct span *ret_data);
bool base64_decode(struct arena *arena, struct span text,
                   struct span *ret_data);                   /* RFC 4648 4, padded */
bool digest_equal(const void *a, const void *b, size_t len); /* constant time */
void random_bytes(void *ret_bytes, size_t len);

#endif
