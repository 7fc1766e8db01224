/* Remembers verified tokens, by the SHA-256 of their text: a signature check costs some 400 us, a
 * look here less than one. Only success is remembered. Safe for any number of threads. */
#ifndef AUTH_TOKEN_CACHE_H
#define AUTH_TOKEN_CACHE_H

#include "auth/token.h"

#define TOKEN_CACHE_S 60 /* the longest a verdict is remembered */

struct token_cache;
struct token_cache *token_cache_new(size_t entries); /* rounded up; its memory never grows */
void token_cache_free(struct token_cache *cache);

/* True with the claims (text in the arena) while the verdict holds at now_s: until the earlier of
 * exp and TOKEN_CACHE_S after it was stored, and for the generation of keys that it was reached
 * with. A clock that went backward makes it a miss, not a longer life. */
bool token_cache_find(struct token_cache *cache, struct arena *arena, const unsigned char hash[32],
                      uint64_t generation, int64_t now_s, struct token_claims *ret_claims);
void token_cache_store(struct token_cache *cache, const unsigned char hash[32], uint64_t generation,
                       int64_t now_s, const struct token_claims *claims);

#endif
