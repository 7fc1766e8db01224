/* A bounded table of buckets, in sets under their own locks. Rule: what was spent is told exactly once, unless its bucket
 * had to make room. */
#include "api/bucket.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "api/base/arena.h"

#define WAYS 8
#define LOCKS 64
#define MINUTE_US 60000000

struct bucket {
    unsigned char key[BUCKET_KEY_BYTES];
    int64_t tokens, quota; /* quota 0: the place is free */
    int64_t spent;         /* since it was last told */
    int64_t at_us;         /* when `tokens` was true */
    int64_t used_us;       /* when it was last asked for */
};
struct buckets {
    size_t sets, next; /* next: where a collection goes on */
    struct bucket *list;
    pthread_mutex_t locks[LOCKS];
};

struct buckets *buckets_new(size_t entries)
{
    struct buckets *buckets = memory_alloc(sizeof(*buckets));
    buckets->sets = entries / WAYS + 1;
    buckets->list = memory_alloc(buckets->sets * WAYS * sizeof(*buckets->list));
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_init(&buckets->locks[i], NULL);
    return buckets;
}

void buckets_free(struct buckets *buckets)
{
    if (!buckets)
        return;
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_destroy(&buckets->locks[i]);
    free(buckets->list);
    free(buckets);
}

/* Locks the key's set. */
static size_t set_lock(struct buckets *buckets, const unsigned char *key)
{
    uint64_t hash; /* keys are hashes already */
    memcpy(&hash, key, sizeof(hash));
    size_t set = (size_t)(hash % buckets->sets);
    pthread_mutex_lock(&buckets->locks[set % LOCKS]);
    return set;
}

static void set_unlock(struct buckets *buckets, size_t set)
{
    pthread_mutex_unlock(&buckets->locks[set % LOCKS]);
}

static struct bucket *bucket_find(struct buckets *buckets, size_t set, const unsigned char *key)
{
    for (size_t i = 0; i < WAYS; i++) {
        struct bucket *bucket = &buckets->list[set * WAYS + i];
        if (bucket->quota && memcmp(bucket->key, key, BUCKET_KEY_BYTES) == 0)
            return bucket;
    }
    return NULL;
}

/* A free place, else that of the bucket longest not asked for; one that has nothing to tell, if there is one. */
static struct bucket *bucket_make(struct buckets *buckets, size_t set, const unsigned char *key,
                                  int64_t quota, int64_t now_us)
{
    struct bucket *chosen = &buckets->list[set * WAYS];
    for (size_t i = 1; i < WAYS && chosen->quota; i++) {
        struct bucket *bucket = &buckets->list[set * WAYS + i];
        if (!bucket->quota || (!bucket->spent && chosen->spent) ||
            (!bucket->spent == !chosen->spent && bucket->used_us < chosen->used_us))
            chosen = bucket;
    }
    *chosen = (struct bucket){.tokens = quota, .quota = quota, .at_us = now_us};
    memcpy(chosen->key, key, BUCKET_KEY_BYTES);
    return chosen;
}

static void bucket_fill(struct bucket *bucket, int64_t quota, int64_t now_us)
{
    int64_t passed_us = now_us - bucket->at_us;
    if (passed_us > 2 * (int64_t)MINUTE_US)
        passed_us = 2 * (int64_t)MINUTE_US; /* enough for any bucket, and no overflow */
    if (passed_us > 0) {
        int64_t more = passed_us * quota / MINUTE_US;
        bucket->tokens += more;
        bucket->at_us = now_us - (passed_us - more * MINUTE_US / quota); /* the rest counts later */
    }
    bucket->quota = quota;
    if (bucket->tokens > quota)
        bucket->tokens = quota;
}

bool bucket_take(struct buckets *buckets, const unsigned char key[BUCKET_KEY_BYTES], int64_t quota,
                 int64_t cost, int64_t now_us, struct bucket_level *ret_level)
{
    size_t set = set_lock(buckets, key);
    struct bucket *bucket = bucket_find(buckets, set, key);
    if (!bucket)
        bucket = bucket_make(buckets, set, key, quota, now_us);
    bucket->used_us = now_us;
    bucket_fill(bucket, quota, now_us);
    int64_t needed = cost < quota ? cost : quota;
    bool taken = bucket->tokens >= needed;
    if (taken) {
        bucket->tokens -= cost;
        bucket->spent += cost;
    }
    ret_level->left = bucket->tokens > 0 ? bucket->tokens : 0;
    ret_level->wait_us = taken ? 0 : ((needed - bucket->tokens) * MINUTE_US + quota - 1) / quota;
    set_unlock(buckets, set);
    return taken;
}

int64_t bucket_give(struct buckets *buckets, const unsigned char key[BUCKET_KEY_BYTES],
                    int64_t amount)
{
    size_t set = set_lock(buckets, key);
    struct bucket *bucket = bucket_find(buckets, set, key);
    int64_t left = 0;
    if (bucket) {
        bucket->tokens += amount;
        bucket->spent -= amount;
        if (bucket->tokens > bucket->quota)
            bucket->tokens = bucket->quota;
        left = bucket->tokens > 0 ? bucket->tokens : 0;
    }
    set_unlock(buckets, set);
    return left;
}

size_t buckets_collect(struct buckets *buckets, struct bucket_spent *ret_spent, size_t most)
{
    size_t count = 0;
    for (size_t i = 0; i < buckets->sets && count + WAYS <= most; i++) {
        size_t set = buckets->next;
        buckets->next = (set + 1) % buckets->sets;
        pthread_mutex_lock(&buckets->locks[set % LOCKS]);
        for (size_t way = 0; way < WAYS; way++) {
            struct bucket *bucket = &buckets->list[set * WAYS + way];
            if (!bucket->quota || !bucket->spent)
                continue;
            ret_spent[count] = (struct bucket_spent){.spent = bucket->spent,
                                                     .quota = bucket->quota};
            memcpy(ret_spent[count++].key, bucket->key, BUCKET_KEY_BYTES);
            bucket->spent = 0;
        }
        set_unlock(buckets, set);
    }
    return count;
}

void bucket_settle(struct buckets *buckets, const unsigned char key[BUCKET_KEY_BYTES],
                   int64_t tokens, int64_t now_us)
{
    size_t set = set_lock(buckets, key);
    struct bucket *bucket = bucket_find(buckets, set, key);
    if (bucket) {
        bucket->tokens = tokens - bucket->spent; /* of what was spent meanwhile nobody knows yet */
        bucket->at_us = now_us;
    }
    set_unlock(buckets, set);
}

void bucket_untold(struct buckets *buckets, const struct bucket_spent *spent)
{
    size_t set = set_lock(buckets, spent->key);
    struct bucket *bucket = bucket_find(buckets, set, spent->key);
    if (bucket)
        bucket->spent += spent->spent;
    set_unlock(buckets, set);
}
