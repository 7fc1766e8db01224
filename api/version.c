/* A bounded map from a target to the ETag it last gave and the version of the tables it read then.
 * Rule: the version is taken BEFORE the query, so that a change during it makes the entry stale, never wrong. */
#include "api/version.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include "api/base/digest.h"
#include "api/negotiate.h"
#include "api/precondition.h"
#include "api/respond.h"

#define WAYS 4
#define LOCKS 64
#define TAG_MAX 64

struct entry {
    char key[23];
    char tag[TAG_MAX];
    uint64_t version, used;
};
struct version_cache {
    char build[23]; /* of what the contract and the statements say, see version_tag_stream() */
    size_t sets;
    struct entry *entries; /* [sets * WAYS] */
    pthread_mutex_t locks[LOCKS];
};

static void build_tag(char ret_tag[23])
{
    struct buffer text = {0};
    buffer_add(&text, contract_openapi_json, contract_openapi_json_len);
    for (uint16_t i = 0; i < contract_statement_count; i++)
        for (uint16_t j = 0; j < contract_statements[i].fragment_count; j++)
            buffer_add(&text, contract_statements[i].fragments[j].text,
                       contract_statements[i].fragments[j].len);
    digest_tag((struct span){text.data, text.len}, ret_tag);
    buffer_free(&text);
}

struct version_cache *version_cache_new(size_t entries)
{
    struct version_cache *cache = memory_alloc(sizeof(*cache));
    build_tag(cache->build);
    cache->sets = entries / WAYS;
    if (cache->sets)
        cache->entries = memory_alloc(cache->sets * WAYS * sizeof(*cache->entries));
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_init(&cache->locks[i], NULL);
    return cache;
}

void version_cache_free(struct version_cache *cache)
{
    if (!cache)
        return;
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_destroy(&cache->locks[i]);
    free(cache->entries);
    free(cache);
}

static size_t set_of(const struct version_cache *cache, const char *key)
{
    uint64_t hash = 0;
    memcpy(&hash, key, sizeof(hash));
    hash *= 0x9e3779b97f4a7c15U;
    return (size_t)(hash >> 20) % cache->sets;
}

static bool entry_read(struct version_cache *cache, const char *key, uint64_t version,
                       char ret_tag[TAG_MAX])
{
    if (!cache->sets)
        return false;
    size_t set = set_of(cache, key);
    bool found = false;
    pthread_mutex_lock(&cache->locks[set % LOCKS]);
    for (size_t i = 0; i < WAYS && !found; i++) {
        struct entry *entry = &cache->entries[set * WAYS + i];
        if (entry->version == version && memcmp(entry->key, key, 22) == 0) {
            memcpy(ret_tag, entry->tag, TAG_MAX);
            entry->used++;
            found = true;
        }
    }
    pthread_mutex_unlock(&cache->locks[set % LOCKS]);
    return found;
}

/* The same key is replaced; else the least used way, and the others age. */
static void entry_write(struct version_cache *cache, const char *key, uint64_t version,
                        const char *tag)
{
    if (!cache->sets)
        return;
    size_t set = set_of(cache, key);
    struct entry *ways = &cache->entries[set * WAYS], *chosen = ways;
    pthread_mutex_lock(&cache->locks[set % LOCKS]);
    for (size_t i = 0; i < WAYS; i++) {
        ways[i].used /= 2;
        if (ways[i].used < chosen->used)
            chosen = &ways[i];
    }
    for (size_t i = 0; i < WAYS; i++)
        if (memcmp(ways[i].key, key, 22) == 0)
            chosen = &ways[i];
    memcpy(chosen->key, key, 23);
    snprintf(chosen->tag, TAG_MAX, "%s", tag);
    chosen->version = version;
    chosen->used = 2;
    pthread_mutex_unlock(&cache->locks[set % LOCKS]);
}

/* Everything the answer depends on besides the data, and, where `gzip` tells, besides its coding. */
static char *key_text(const struct call *call, bool gzip)
{
    bool personal = call->service->personal[call->operation->index];
    char *text = arena_printf(call->arena, "%s\n%.*s\n%d %d %d %s\n%s", call->operation->id,
                              SPAN_ARG(call->frame->target), call->media, call->language, gzip,
                              call->today, personal ? call->principal.subject : "");
    if (personal)
        text = arena_printf(call->arena, "%s\n%s", text, call->principal.client_id);
    for (size_t name = NAME_REACH; personal && name <= NAME_REACH_LIBRARIES; name++)
        text = arena_printf(call->arena, "%s\n%s", text,
                            call->values[name].state == VALUE_PRESENT ? call->values[name].text
                                                                      : "");
    return text;
}

static void key_make(struct call *call)
{
    digest_tag(span_of(key_text(call, call->accepts_gzip)), call->version_key);
}

static bool match(struct call *call, const char *tag)
{
    struct etags etags;
    struct span header = call_header_list(call, "If-None-Match");
    return header.ptr && etags_parse(header, &etags) && etags_match_quoted(&etags, tag);
}

/* The set of tables an answer without statements reads is empty: its version never moves. */
static void version_read(struct call *call)
{
    call->version_known = !call->operation->unwatched &&
                          watch_version(call->service->watch, call->operation->tables,
                                        call->operation->table_count, &call->version_local,
                                        &call->version_shared);
}

bool version_unchanged(struct call *call)
{
    char tag[TAG_MAX];
    version_read(call);
    key_make(call);
    if (!call->version_known || !call_header_list(call, "If-None-Match").ptr ||
        !entry_read(call->service->versions, call->version_key, call->version_local, tag) ||
        !precondition_reads(call, tag) || !match(call, tag))
        return false;
    response_header(call, "ETag", "%s", tag);
    return true;
}

const char *version_tag(struct call *call, struct span row_version)
{
    char hash[23];
    digest_tag(respond_plain(call), hash);
    char *tag = arena_printf(call->arena, "\"%.*s%s%s%s\"", SPAN_ARG(row_version),
                             row_version.len ? "." : "", hash,
                             respond_gzip_wanted(call) ? "-gz" : "");
    response_header(call, "ETag", "%s", tag);
    if (call->version_known && call->version_key[0])
        entry_write(call->service->versions, call->version_key, call->version_local, tag);
    return tag;
}

/* Of a body that is not there yet: what decides it, the version of this program included, so that a new
 * column is not hidden behind a 304. */
const char *version_tag_stream(struct call *call)
{
    if (!call->version_known || !call->version_shared)
        return NULL;
    char hash[23];
    char *text = arena_printf(call->arena, "%s\n%s\n%llu", call->service->versions->build,
                              key_text(call, false), (unsigned long long)call->version_shared);
    digest_tag(span_of(text), hash);
    char *tag = arena_printf(call->arena, "\"s.%s%s\"", hash, call->accepts_gzip ? "-gz" : "");
    response_header(call, "ETag", "%s", tag);
    entry_write(call->service->versions, call->version_key, call->version_local, tag);
    return tag;
}

enum problem_code version_judge(struct call *call, const char *tag)
{
    if (call->method != METHOD_GET)
        return PROBLEM_NONE;
    if (!precondition_reads(call, tag))
        return PROBLEM_precondition_failed;
    if (tag && match(call, tag))
        respond_not_modified(call);
    return PROBLEM_NONE;
}
