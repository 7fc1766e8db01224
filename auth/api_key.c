/* See api_key.h. Rule: what is remembered answers only for the version of the table it was read at, and never beyond the key's own
 * end; the text of a key is nowhere, its hash alone. */
#include "auth/api_key.h"

#include <pthread.h>
#include <stdlib.h>

#include "api/base/clock.h"
#include "api/base/digest.h"
#include "api/base/log.h"
#include "auth/access.h"
#include "auth/scope.h"

#define SETS 256
#define WAYS 4
#define LOCKS 16
#define USES_MAX                                                                                   \
    1024 /* remembered between two writes; a key beyond them is remembered at its next use */

struct entry {
    unsigned char hash[32];
    bool filled;
    uint64_t version;
    struct api_key key;
    char used_on[11]; /* the day whose use is written or waits to be */
};
struct api_keys {
    struct pool *pool;
    struct watch *watch;
    pthread_mutex_t locks[LOCKS]; /* of the sets, in turns */
    unsigned next[SETS];          /* the way that is replaced next */
    struct entry entries[SETS][WAYS];
    pthread_mutex_t uses_lock;
    char uses[USES_MAX][37];
    size_t use_count;
};

struct api_keys *api_keys_new(struct pool *pool, struct watch *watch)
{
    struct api_keys *keys = memory_alloc(sizeof *keys);
    keys->pool = pool;
    keys->watch = watch;
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_init(&keys->locks[i], NULL);
    pthread_mutex_init(&keys->uses_lock, NULL);
    return keys;
}

void api_keys_free(struct api_keys *keys)
{
    if (!keys)
        return;
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_destroy(&keys->locks[i]);
    pthread_mutex_destroy(&keys->uses_lock);
    free(keys);
}

/* ---- uses ----------------------------------------------------------------------------------- */

static bool use_add(struct api_keys *keys, const char *id)
{
    pthread_mutex_lock(&keys->uses_lock);
    bool room = keys->use_count < USES_MAX;
    if (room)
        memcpy(keys->uses[keys->use_count++], id, sizeof keys->uses[0]);
    pthread_mutex_unlock(&keys->uses_lock);
    return room;
}

/* The first use of a day is remembered; the others cost a comparison. */
static void use_note(struct api_keys *keys, struct entry *entry)
{
    char day[11];
    clock_today(day);
    if (strcmp(entry->used_on, day) != 0 && use_add(keys, entry->key.id))
        memcpy(entry->used_on, day, sizeof day);
}

/* What waits, as an array literal; uuids need no quotes. */
static const char *uses_literal(struct api_keys *keys, struct arena *arena, size_t *ret_count)
{
    pthread_mutex_lock(&keys->uses_lock);
    size_t count = keys->use_count;
    char *literal = arena_alloc(arena, count * 37 + 2), *end = literal;
    for (size_t i = 0; i < count; i++) {
        *end++ = i ? ',' : '{';
        end = stpcpy(end, keys->uses[i]);
    }
    *end++ = '}';
    *end = '\0';
    pthread_mutex_unlock(&keys->uses_lock);
    *ret_count = count;
    return literal;
}

static void uses_drop(struct api_keys *keys, size_t count)
{
    pthread_mutex_lock(&keys->uses_lock);
    keys->use_count -= count;
    memmove(keys->uses, keys->uses[count], keys->use_count * sizeof keys->uses[0]);
    pthread_mutex_unlock(&keys->uses_lock);
}

static enum problem_code uses_write(struct api_keys *keys, const struct value *values,
                                    int64_t deadline_ms)
{
    const struct write_context context = {.actor = SPAN("system"),
                                          .client = SPAN_NONE,
                                          .request_id = SPAN_NONE,
                                          .operation = SPAN("write_api_key_uses")};
    struct query_step step = {access_statement(ACCESS_api_key_used), values, false};
    struct table_set changed = {{0}};
    struct query_failure failure = {.code = PROBLEM_NONE};
    struct rows *rows = NULL;
    struct connection *connection;
    enum problem_code problem = pool_lend(keys->pool, deadline_ms, &connection);
    if (problem != PROBLEM_NONE)
        return problem;
    problem = query_write(connection, &context, &step, 1, deadline_ms, &rows, &changed, &failure);
    rows_free(rows);
    if (problem == PROBLEM_NONE)
        problem = query_commit(connection, deadline_ms, &failure);
    pool_return(keys->pool, connection);
    if (problem == PROBLEM_NONE && keys->watch)
        watch_committed(keys->watch, &changed);
    return problem;
}

bool api_keys_write_uses(struct api_keys *keys, int64_t deadline_ms)
{
    size_t count;
    struct arena *arena = arena_new(4096);
    const char *literal = uses_literal(keys, arena, &count);
    enum problem_code problem = PROBLEM_NONE;
    if (count > 0) {
        struct value *values = access_values(arena);
        access_bind(values, ACCESS_API_KEY_IDS, span_of(literal), arena);
        problem = uses_write(keys, values, deadline_ms);
    }
    if (problem == PROBLEM_NONE)
        uses_drop(keys, count);
    arena_free(arena);
    return problem == PROBLEM_NONE;
}

/* ---- looking -------------------------------------------------------------------------------- */

static size_t set_of(const unsigned char hash[32])
{
    return hash[0] % SETS; /* the hash of random bits: its bytes are as random */
}

/* Under the lock of its set; or NULL. */
static struct entry *entry_find(struct api_keys *keys, const unsigned char hash[32])
{
    for (size_t i = 0; i < WAYS; i++) {
        struct entry *entry = &keys->entries[set_of(hash)][i];
        if (entry->filled && memcmp(entry->hash, hash, sizeof entry->hash) == 0)
            return entry;
    }
    return NULL;
}

static bool remembered(struct api_keys *keys, const unsigned char hash[32], uint64_t version,
                       struct api_key *ret_key)
{
    pthread_mutex_t *lock = &keys->locks[set_of(hash) % LOCKS];
    pthread_mutex_lock(lock);
    struct entry *entry = entry_find(keys, hash);
    bool found = entry && entry->version == version;
    if (found) {
        *ret_key = entry->key;
        use_note(keys, entry);
    }
    pthread_mutex_unlock(lock);
    return found;
}

static void forget(struct api_keys *keys, const unsigned char hash[32])
{
    pthread_mutex_t *lock = &keys->locks[set_of(hash) % LOCKS];
    pthread_mutex_lock(lock);
    struct entry *entry = entry_find(keys, hash);
    if (entry)
        *entry = (struct entry){.filled = false};
    pthread_mutex_unlock(lock);
}

/* The day of its use stays with the key when only the version is another. */
static void remember(struct api_keys *keys, const unsigned char hash[32], uint64_t version,
                     const struct api_key *key)
{
    size_t set = set_of(hash);
    pthread_mutex_lock(&keys->locks[set % LOCKS]);
    struct entry *place = entry_find(keys, hash);
    if (!place) {
        place = &keys->entries[set][keys->next[set]++ % WAYS];
        *place = (struct entry){.filled = true};
        memcpy(place->hash, hash, sizeof place->hash);
    }
    place->version = version;
    place->key = *key;
    use_note(keys, place);
    pthread_mutex_unlock(&keys->locks[set % LOCKS]);
}

static enum problem_code refused(const char *reason)
{
    log_security(LOG_INFO, "api_key_refused", LOG_C("reason", reason));
    return PROBLEM_invalid_token;
}

bool api_keys_recall(struct api_keys *keys, struct span text)
{
    unsigned char hash[32];
    if (!secret_sound(text, SECRET_API_KEY))
        return true; /* refused at once */
    digest_sha256(text, hash);
    pthread_mutex_t *lock = &keys->locks[set_of(hash) % LOCKS];
    pthread_mutex_lock(lock);
    bool found = entry_find(keys, hash) != NULL;
    pthread_mutex_unlock(lock);
    return found;
}

enum problem_code api_keys_find(struct api_keys *keys, struct arena *arena, struct span text,
                                int64_t deadline_ms, struct api_key *ret_key)
{
    unsigned char hash[32];
    if (!secret_sound(text, SECRET_API_KEY))
        return refused("malformed");
    digest_sha256(text, hash);
    return api_keys_find_hash(keys, arena, hash, deadline_ms, ret_key);
}

enum problem_code api_keys_find_hash(struct api_keys *keys, struct arena *arena,
                                     const unsigned char hash[32], int64_t deadline_ms,
                                     struct api_key *ret_key)
{
    uint64_t version = 0, shared = 0;
    const struct statement *statement = access_statement(ACCESS_find_api_key);
    bool fresh = keys->watch && watch_version(keys->watch, statement->tables,
                                              statement->table_count, &version, &shared);
    struct api_key key = {.id = ""};
    if (!fresh || !remembered(keys, hash, version, &key)) {
        enum problem_code problem = access_api_key(keys->pool, arena, hash, deadline_ms, &key);
        if (problem != PROBLEM_NONE)
            return problem;
        if (key.id[0])
            remember(keys, hash, version, &key); /* unknown ones would push out known ones */
        else
            forget(keys, hash);
    }
    if (!key.id[0])
        return refused("unknown");
    if (clock_unix_s() >= key.expires_s)
        return refused("expired");
    *ret_key = key;
    memcpy(ret_key->hash, hash, sizeof ret_key->hash);
    return PROBLEM_NONE;
}
