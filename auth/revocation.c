/* Revoked grants and tokens: a sorted list, read anew when its table has changed. Rule: the version is taken before the
 * database is asked, so a list is never younger in name than in truth. Access tokens live an hour at most, so it is short. */
#include "auth/revocation.h"

#include <pthread.h>
#include <stdlib.h>

#include "auth/ask.h"

#define ID_LENGTH 36 /* of a uuid as text; lower case both here and in our tokens */

struct list {
    uint64_t version;
    size_t count;
    char (*ids)[ID_LENGTH]; /* sorted */
};
struct revocations {
    struct pool *pool;
    struct watch *watch;
    const struct statement *statement;
    pthread_rwlock_t lock;
    pthread_mutex_t reading; /* one thread reads the database, the others wait for its list */
    bool filled;
    struct list list;
};

struct revocations *revocations_new(struct pool *pool, struct watch *watch)
{
    struct revocations *revocations = memory_alloc(sizeof *revocations);
    revocations->pool = pool;
    revocations->watch = watch;
    revocations->statement = contract_statement("oauth_revocations");
    if (!revocations->statement)
        abort(); /* a fault of the build */
    pthread_rwlock_init(&revocations->lock, NULL);
    pthread_mutex_init(&revocations->reading, NULL);
    return revocations;
}

void revocations_free(struct revocations *revocations)
{
    if (!revocations)
        return;
    free(revocations->list.ids);
    pthread_rwlock_destroy(&revocations->lock);
    pthread_mutex_destroy(&revocations->reading);
    free(revocations);
}

static int order(const void *a, const void *b)
{
    return memcmp(a, b, ID_LENGTH);
}

static bool list_holds(const struct list *list, const char *id)
{
    return id && strlen(id) == ID_LENGTH && list->count > 0 &&
           bsearch(id, list->ids, list->count, ID_LENGTH, order);
}

static enum problem_code list_read(struct revocations *revocations, int64_t deadline_ms,
                                   struct list *ret_list)
{
    struct arena *arena = arena_new(4096);
    struct rows *rows;
    enum problem_code problem = ask_read(revocations->pool, arena, "oauth_revocations", NULL, 0,
                                         deadline_ms, &rows);
    if (problem == PROBLEM_NONE) {
        size_t count = rows_count(rows);
        struct list list = {.ids = memory_alloc(count * ID_LENGTH + 1)};
        for (size_t i = 0; i < count; i++) {
            struct span id;
            if (rows_cell(rows, i, 0, &id) && id.len == ID_LENGTH)
                memcpy(list.ids[list.count++], id.ptr, ID_LENGTH);
        }
        qsort(list.ids, list.count, ID_LENGTH, order);
        *ret_list = list;
    }
    rows_free(rows);
    arena_free(arena);
    return problem;
}

/* False when the list that is remembered is not of this version. */
static bool remembered(struct revocations *revocations, uint64_t version, const char *session,
                       const char *id, bool *ret_revoked)
{
    pthread_rwlock_rdlock(&revocations->lock);
    bool current = revocations->filled && revocations->list.version == version;
    if (current)
        *ret_revoked = list_holds(&revocations->list, session) ||
                       list_holds(&revocations->list, id);
    pthread_rwlock_unlock(&revocations->lock);
    return current;
}

static void remember(struct revocations *revocations, const struct list *fresh)
{
    pthread_rwlock_wrlock(&revocations->lock);
    free(revocations->list.ids);
    revocations->list = *fresh;
    revocations->filled = true;
    pthread_rwlock_unlock(&revocations->lock);
}

static bool version_of(struct revocations *revocations, uint64_t *ret_version)
{
    uint64_t shared;
    return revocations->watch &&
           watch_version(revocations->watch, revocations->statement->tables,
                         revocations->statement->table_count, ret_version, &shared);
}

/* Reads the database and keeps the list when it has a version to be known by. */
static enum problem_code read_and_find(struct revocations *revocations, bool fresh,
                                       uint64_t version, const char *session, const char *id,
                                       int64_t deadline_ms, bool *ret_revoked)
{
    struct list list;
    enum problem_code problem = list_read(revocations, deadline_ms, &list);
    if (problem != PROBLEM_NONE)
        return problem;
    list.version = version;
    *ret_revoked = list_holds(&list, session) || list_holds(&list, id);
    if (fresh)
        remember(revocations, &list);
    else
        free(list.ids);
    return PROBLEM_NONE;
}

enum problem_code revocations_find(struct revocations *revocations, const char *session,
                                   const char *id, int64_t deadline_ms, bool *ret_revoked)
{
    uint64_t version = 0;
    if (!version_of(revocations, &version)) /* blind: nothing may be remembered */
        return read_and_find(revocations, false, 0, session, id, deadline_ms, ret_revoked);
    if (remembered(revocations, version, session, id, ret_revoked))
        return PROBLEM_NONE;
    pthread_mutex_lock(&revocations->reading);
    bool fresh = version_of(revocations, &version);
    enum problem_code problem = PROBLEM_NONE;
    if (!fresh || !remembered(revocations, version, session, id, ret_revoked))
        problem = read_and_find(revocations, fresh, version, session, id, deadline_ms, ret_revoked);
    pthread_mutex_unlock(&revocations->reading);
    return problem;
}
