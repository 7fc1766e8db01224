/* The memory of standings. Rule: an entry answers only for the version and the day it was read at,
 * so a suspension or an assignment's last day needs no deleting. */
#include "auth/standing.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "auth/token.h"

#define SHARDS 32
#define WAYS 4

struct entry {
    char subject[STANDING_SUBJECT_MAX_BYTES + 1]; /* "": empty */
    char day[11];
    bool active;
    uint64_t version;
    struct assignment *assignments; /* one block, its texts behind the array */
    size_t assignment_count;
    const char *limit; /* in the same block */
    int64_t rate_per_minute;
    uint32_t own;
};
struct shard {
    pthread_rwlock_t lock;
    unsigned next; /* the way that is replaced next */
    struct entry *entries;
};
struct standing_cache {
    size_t sets;
    struct shard shards[SHARDS];
};

uint32_t standing_scopes(const struct standing *standing)
{
    uint32_t scopes = standing->active ? standing->own : 0;
    if (standing->active)
        for (size_t i = 0; i < standing->assignment_count; i++)
            scopes |= standing->assignments[i].scopes;
    return scopes;
}

struct standing_cache *standing_cache_new(size_t entries)
{
    struct standing_cache *cache = memory_alloc(sizeof *cache);
    cache->sets = (entries + SHARDS * WAYS - 1) / (SHARDS * WAYS);
    if (cache->sets == 0)
        cache->sets = 1;
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_rwlock_init(&cache->shards[i].lock, NULL);
        cache->shards[i].entries = memory_alloc(cache->sets * WAYS * sizeof(struct entry));
    }
    return cache;
}

void standing_cache_free(struct standing_cache *cache)
{
    if (!cache)
        return;
    for (size_t i = 0; i < SHARDS; i++) {
        for (size_t j = 0; j < cache->sets * WAYS; j++)
            free(cache->shards[i].entries[j].assignments);
        free(cache->shards[i].entries);
        pthread_rwlock_destroy(&cache->shards[i].lock);
    }
    free(cache);
}

static struct entry *set_of(struct standing_cache *cache, const char *subject,
                            struct shard **ret_shard)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a; subjects are made by us */
    for (const char *at = subject; *at; at++)
        hash = (hash ^ (unsigned char)*at) * UINT64_C(1099511628211);
    hash ^= hash >> 32; /* its low bits alone follow little but the last characters */
    hash *= UINT64_C(0xd6e8feb86659fd93);
    *ret_shard = &cache->shards[(hash >> 32) % SHARDS];
    return (*ret_shard)->entries + (hash >> 40) % cache->sets * WAYS;
}

static const char *text_copy(struct arena *arena, const char *text)
{
    return text ? arena_cstr(arena, span_of(text)) : NULL;
}

bool standing_cache_find(struct standing_cache *cache, struct arena *arena, const char *subject,
                         uint64_t version, const char *day, struct standing *ret_standing)
{
    struct shard *shard;
    const struct entry *set = set_of(cache, subject, &shard);
    bool found = false;
    pthread_rwlock_rdlock(&shard->lock);
    for (size_t i = 0; i < WAYS && !found; i++) {
        const struct entry *entry = &set[i];
        if (entry->version != version || strcmp(entry->subject, subject) != 0 ||
            strcmp(entry->day, day) != 0)
            continue;
        struct assignment *copy = arena_alloc(arena, (entry->assignment_count + 1) * sizeof *copy);
        for (size_t j = 0; j < entry->assignment_count; j++) {
            copy[j] = entry->assignments[j];
            copy[j].role = text_copy(arena, copy[j].role);
            copy[j].region = text_copy(arena, copy[j].region);
            copy[j].library_id = text_copy(arena, copy[j].library_id);
        }
        *ret_standing = (struct standing){entry->active,           copy,
                                          entry->assignment_count, text_copy(arena, entry->limit),
                                          entry->rate_per_minute,  entry->own};
        found = true;
    }
    pthread_rwlock_unlock(&shard->lock);
    return found;
}

static size_t text_size(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

static const char *text_put(char **end, const char *text)
{
    if (!text)
        return NULL;
    char *start = *end;
    *end = stpcpy(start, text) + 1;
    return start;
}

static struct assignment *assignments_copy(const struct standing *standing, const char **ret_limit)
{
    size_t count = standing->assignment_count, bytes = count * sizeof(struct assignment);
    bytes += text_size(standing->limit);
    for (size_t i = 0; i < count; i++) {
        const struct assignment *one = &standing->assignments[i];
        bytes += text_size(one->role) + text_size(one->region) + text_size(one->library_id);
    }
    struct assignment *copy = memory_alloc(bytes + 1);
    char *end = (char *)(copy + count);
    for (size_t i = 0; i < count; i++) {
        copy[i] = standing->assignments[i];
        copy[i].role = text_put(&end, copy[i].role);
        copy[i].region = text_put(&end, copy[i].region);
        copy[i].library_id = text_put(&end, copy[i].library_id);
    }
    *ret_limit = text_put(&end, standing->limit);
    return copy;
}

void standing_cache_store(struct standing_cache *cache, const char *subject, uint64_t version,
                          const char *day, const struct standing *standing)
{
    struct entry fresh = {.active = standing->active,
                          .version = version,
                          .assignment_count = standing->assignment_count,
                          .own = standing->own,
                          .rate_per_minute = standing->rate_per_minute};
    assert(strlen(subject) < sizeof fresh.subject && strlen(day) < sizeof fresh.day);
    strcpy(fresh.subject, subject);
    strcpy(fresh.day, day);
    fresh.assignments = assignments_copy(standing, &fresh.limit);

    struct shard *shard;
    struct entry *set = set_of(cache, subject, &shard);
    pthread_rwlock_wrlock(&shard->lock);
    struct entry *place = NULL;
    for (size_t i = 0; i < WAYS && !place; i++)
        if (strcmp(set[i].subject, subject) == 0 || set[i].subject[0] == '\0')
            place = &set[i];
    if (!place)
        place = &set[shard->next++ % WAYS];
    struct assignment *old = place->assignments;
    *place = fresh;
    pthread_rwlock_unlock(&shard->lock);
    free(old);
}
