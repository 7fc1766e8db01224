/* See key_keeper.h. Rule: a directory that cannot be read as a whole changes nothing; what is in force stays in force. */
#include "auth/key_keeper.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "api/base/arena.h"
#include "api/base/clock.h"
#include "api/base/log.h"
#include "auth/key_files.h"

#define ASKED_EVERY_MS 1000
#define SCHEDULE_EVERY_MS                                                                          \
    600000 /* a directory that cannot be written is tried, and complained of, so often */

struct key_keeper {
    char *directory;
    struct key_store *store;
    pthread_mutex_t lock;    /* of what follows, and of one reload at a time */
    unsigned char seen[32];  /* the fingerprint of what was last tried */
    struct timespec changed; /* of the directory, before it was last looked at */
    int64_t asked_ms, scheduled_ms;
};

/* Zero when there is no directory. */
static struct timespec changed_at(const char *directory)
{
    struct stat about;
    return stat(directory, &about) == 0 ? about.st_mtim : (struct timespec){0};
}

struct key_keeper *key_keeper_new(const char *directory, FILE *errors)
{
    unsigned char seen[32] = {0};
    key_fingerprint(directory,
                    seen); /* before the look: what changes in between is seen next time */
    struct key_ring *ring = key_ring_load(directory, errors);
    if (!ring)
        return NULL;
    struct key_keeper *keeper = memory_alloc(sizeof *keeper);
    keeper->directory = memory_copy(directory);
    keeper->store = key_store_new(ring);
    memcpy(keeper->seen, seen, sizeof seen);
    pthread_mutex_init(&keeper->lock, NULL);
    keeper->asked_ms = keeper->scheduled_ms = -SCHEDULE_EVERY_MS;
    return keeper;
}

void key_keeper_free(struct key_keeper *keeper)
{
    if (!keeper)
        return;
    key_store_free(keeper->store);
    pthread_mutex_destroy(&keeper->lock);
    free(keeper->directory);
    free(keeper);
}

struct key_store *key_keeper_store(struct key_keeper *keeper)
{
    return keeper->store;
}

/* Under the lock. */
static bool load(struct key_keeper *keeper, const unsigned char fingerprint[32], FILE *errors)
{
    memcpy(keeper->seen, fingerprint, sizeof keeper->seen);
    struct key_ring *fresh = key_ring_load(keeper->directory, errors);
    if (fresh)
        key_store_swap(keeper->store, fresh);
    return fresh != NULL;
}

bool key_keeper_reload(struct key_keeper *keeper, FILE *errors)
{
    unsigned char fingerprint[32];
    pthread_mutex_lock(&keeper->lock);
    key_fingerprint(keeper->directory, fingerprint);
    bool good = load(keeper, fingerprint, errors);
    pthread_mutex_unlock(&keeper->lock);
    return good;
}

/* Under the lock. */
static bool look(struct key_keeper *keeper, FILE *errors)
{
    unsigned char fingerprint[32];
    if (!key_fingerprint(keeper->directory, fingerprint)) {
        bool said = memcmp(fingerprint, keeper->seen, sizeof keeper->seen) == 0;
        memcpy(keeper->seen, fingerprint, sizeof keeper->seen);
        if (!said)
            fprintf(errors, "key directory %s cannot be read\n", keeper->directory);
        return said;
    }
    if (memcmp(fingerprint, keeper->seen, sizeof keeper->seen) == 0)
        return true;
    bool good = load(keeper, fingerprint, errors);
    if (good)
        log_event(LOG_INFO, "keys_reloaded", LOG_C("directory", keeper->directory));
    return good;
}

bool key_keeper_look(struct key_keeper *keeper, FILE *errors)
{
    pthread_mutex_lock(&keeper->lock);
    bool good = look(keeper, errors);
    pthread_mutex_unlock(&keeper->lock);
    return good;
}

void key_keeper_asked(struct key_keeper *keeper)
{
    char *complaint = NULL;
    size_t len = 0;
    int64_t now_ms = clock_monotonic_ms();
    struct timespec changed = changed_at(keeper->directory);
    pthread_mutex_lock(&keeper->lock);
    bool is_new = changed.tv_sec != keeper->changed.tv_sec ||
                  changed.tv_nsec != keeper->changed.tv_nsec;
    if (is_new || now_ms - keeper->asked_ms >= ASKED_EVERY_MS) {
        keeper->changed = changed;
        FILE *errors = open_memstream(&complaint, &len);
        keeper->asked_ms = now_ms;
        if (!look(keeper, errors)) {
            fflush(errors);
            log_event(LOG_ERROR, "keys_not_loaded", LOG_C("why", complaint));
        }
        fclose(errors);
        free(complaint);
    }
    pthread_mutex_unlock(&keeper->lock);
}

static bool schedule_due(struct key_keeper *keeper)
{
    int64_t now_ms = clock_monotonic_ms();
    pthread_mutex_lock(&keeper->lock);
    bool due = now_ms - keeper->scheduled_ms >= SCHEDULE_EVERY_MS;
    if (due)
        keeper->scheduled_ms = now_ms;
    pthread_mutex_unlock(&keeper->lock);
    return due;
}

bool key_keeper_keep(struct key_keeper *keeper, int64_t days, FILE *errors)
{
    bool good = true, changed = false;
    if (days > 0 && schedule_due(keeper))
        good = key_rotate_due(keeper->directory, days, clock_unix_s(), &changed, errors);
    if (changed)
        log_event(LOG_INFO, "keys_rotated", LOG_C("directory", keeper->directory));
    return key_keeper_look(keeper, errors) && good;
}
