/* Verified tokens: sets of a few ways under sharded locks. Rule: nothing gets in that
 * token_verify() has not accepted, and nothing comes out after its exp. */
#include "auth/token_cache.h"

#include <pthread.h>
#include <stdlib.h>

#define SHARDS 64
#define WAYS 8

struct entry {
    unsigned char hash[32];
    int64_t stored_s, until_s; /* until_s 0: empty */
    int64_t issued_s, expires_s;
    uint64_t generation; /* of the keys that verified it */
    uint32_t scopes;
    struct token_login login;
    char subject[SUBJECT_MAX_BYTES + 1], client_id[SUBJECT_MAX_BYTES + 1];
    char session[SUBJECT_MAX_BYTES + 1], id[SUBJECT_MAX_BYTES + 1]; /* "": none */
};
struct shard {
    pthread_rwlock_t lock;
    struct entry *entries; /* sets of WAYS */
};
struct token_cache {
    size_t sets; /* of a shard */
    struct shard shards[SHARDS];
};

struct token_cache *token_cache_new(size_t entries)
{
    struct token_cache *cache = memory_alloc(sizeof *cache);
    cache->sets = (entries + SHARDS * WAYS - 1) / (SHARDS * WAYS);
    if (cache->sets == 0)
        cache->sets = 1;
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_rwlock_init(&cache->shards[i].lock, NULL);
        cache->shards[i].entries = memory_alloc(cache->sets * WAYS * sizeof(struct entry));
    }
    return cache;
}

void token_cache_free(struct token_cache *cache)
{
    if (!cache)
        return;
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_rwlock_destroy(&cache->shards[i].lock);
        free(cache->shards[i].entries);
    }
    free(cache);
}

/* The hash is uniform and nobody without a key of ours can choose it: its bytes place it. */
static struct entry *set_of(struct token_cache *cache, const unsigned char hash[32],
                            struct shard **ret_shard)
{
    struct shard *shard = &cache->shards[hash[0] % SHARDS];
    size_t set = ((size_t)hash[1] << 16 | (size_t)hash[2] << 8 | hash[3]) % cache->sets;
    *ret_shard = shard;
    return shard->entries + set * WAYS;
}

static bool holds(const struct entry *entry, int64_t now_s)
{
    return now_s >= entry->stored_s && now_s < entry->until_s;
}

bool token_cache_find(struct token_cache *cache, struct arena *arena, const unsigned char hash[32],
                      uint64_t generation, int64_t now_s, struct token_claims *ret_claims)
{
    struct shard *shard;
    const struct entry *set = set_of(cache, hash, &shard);
    bool found = false;
    pthread_rwlock_rdlock(&shard->lock);
    for (size_t i = 0; i < WAYS && !found; i++) {
        const struct entry *entry = &set[i];
        if (memcmp(entry->hash, hash, sizeof entry->hash) != 0 || !holds(entry, now_s) ||
            entry->generation != generation)
            continue;
        *ret_claims = (struct token_claims){
            .subject = arena_cstr(arena, span_of(entry->subject)),
            .client_id = arena_cstr(arena, span_of(entry->client_id)),
            .scopes = entry->scopes,
            .login = entry->login,
            .issued_s = entry->issued_s,
            .expires_s = entry->expires_s,
            .session = entry->session[0] ? arena_cstr(arena, span_of(entry->session)) : NULL,
            .id = entry->id[0] ? arena_cstr(arena, span_of(entry->id)) : NULL,
        };
        found = true;
    }
    pthread_rwlock_unlock(&shard->lock);
    return found;
}

/* False when it does not fit: then nothing is remembered. Absent is "". */
static bool text_put(char place[SUBJECT_MAX_BYTES + 1], const char *text)
{
    size_t len = text ? strlen(text) : 0;
    if (len > SUBJECT_MAX_BYTES)
        return false;
    memcpy(place, text ? text : "", len + 1);
    return true;
}

void token_cache_store(struct token_cache *cache, const unsigned char hash[32], uint64_t generation,
                       int64_t now_s, const struct token_claims *claims)
{
    struct entry fresh = {.stored_s = now_s,
                          .issued_s = claims->issued_s,
                          .expires_s = claims->expires_s,
                          .generation = generation,
                          .scopes = claims->scopes,
                          .login = claims->login};
    memcpy(fresh.hash, hash, sizeof fresh.hash);
    if (now_s >= claims->expires_s || !text_put(fresh.subject, claims->subject) ||
        !text_put(fresh.client_id, claims->client_id) ||
        !text_put(fresh.session, claims->session) || !text_put(fresh.id, claims->id))
        return;
    int64_t longest_s = now_s + TOKEN_CACHE_S;
    fresh.until_s = claims->expires_s < longest_s ? claims->expires_s : longest_s;

    struct shard *shard;
    struct entry *set = set_of(cache, hash, &shard);
    pthread_rwlock_wrlock(&shard->lock);
    struct entry *place = &set[0];
    for (size_t i = 0; i < WAYS;
         i++) { /* the same token's own place, else the one that ends first */
        if (memcmp(set[i].hash, hash, sizeof fresh.hash) == 0) {
            place = &set[i];
            break;
        }
        if (set[i].until_s < place->until_s)
            place = &set[i];
    }
    *place = fresh;
    pthread_rwlock_unlock(&shard->lock);
}
