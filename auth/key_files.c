/* See key_files.h. Rule: a key goes only when nothing that it signed can be alive, or when somebody says that it must. */
#include "auth/key_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "api/base/arena.h"
#include "api/base/buffer.h"
#include "api/base/digest.h"

#define DAY_S INT64_C(86400)

/* ---- states --------------------------------------------------------------------------------- */

/* When another key took over from this one; 0 while none has. */
static int64_t superseded_s(const struct key_ring *ring, const struct es256_key *key, int64_t now_s)
{
    for (size_t i = 0; i < key_ring_count(ring); i++) { /* in the order of their times */
        int64_t from_s = key_ring_at(ring, i)->signs_from_s;
        if (from_s > key->signs_from_s)
            return from_s <= now_s ? from_s : 0;
    }
    return 0;
}

enum key_state key_state(const struct key_ring *ring, const struct es256_key *key, int64_t now_s)
{
    if (key == key_ring_signer(ring, now_s))
        return KEY_CURRENT;
    if (key->signs_from_s > now_s)
        return KEY_NEXT;
    int64_t end_s = superseded_s(ring, key, now_s);
    return end_s && now_s >= end_s + KEY_TRAIL_S ? KEY_DEAD : KEY_PREVIOUS;
}

const char *key_state_text(enum key_state state)
{
    static const char *const names[] = {"next", "current", "previous", "dead"};
    return names[state];
}

static const struct es256_key *key_of_state(const struct key_ring *ring, enum key_state wanted,
                                            int64_t now_s)
{
    for (size_t i = 0; i < key_ring_count(ring); i++)
        if (key_state(ring, key_ring_at(ring, i), now_s) == wanted)
            return key_ring_at(ring, i);
    return NULL;
}

/* ---- changing the directory ----------------------------------------------------------------- */

/* Waits for whoever changes it now. -1 when it cannot be changed; the lock goes with the descriptor. */
static int lock_take(struct arena *arena, const char *directory, FILE *errors)
{
    const char *path = arena_printf(arena, "%s/.lock", directory);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct stat info;
    if (fd >= 0 && geteuid() == 0 && stat(directory, &info) == 0 && info.st_uid != 0)
        (void)!fchown(fd, info.st_uid, info.st_gid); /* else only root could rotate from now on */
    if (fd < 0 || flock(fd, LOCK_EX) != 0) {
        fprintf(errors, "key directory %s: %s\n", directory, strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}

static bool remove_file(struct arena *arena, const char *directory, const struct es256_key *key,
                        FILE *errors)
{
    const char *path = arena_printf(arena, "%s/%s", directory, key->file);
    if (unlink(path) == 0 || errno == ENOENT)
        return true;
    fprintf(errors, "key %s: %s\n", path, strerror(errno));
    return false;
}

static bool remove_dead(struct arena *arena, const char *directory, const struct key_ring *ring,
                        int64_t now_s, bool *ret_changed, FILE *errors)
{
    bool good = true;
    for (size_t i = 0; i < key_ring_count(ring); i++) {
        const struct es256_key *key = key_ring_at(ring, i);
        if (key_state(ring, key, now_s) != KEY_DEAD)
            continue;
        good = remove_file(arena, directory, key, errors) && good;
        *ret_changed = true;
    }
    return good;
}

static bool make_for(const char *directory, int64_t signs_from_s, FILE *errors)
{
    char name[64];
    time_t at = (time_t)signs_from_s;
    struct tm parts;
    gmtime_r(&at, &parts);
    strftime(name, sizeof name, "es256-%Y%m%dT%H%M%SZ.pem", &parts);
    return key_make(directory, name, errors);
}

/* The first moment from then on at which no key begins. */
static int64_t free_moment_s(const struct key_ring *ring, int64_t from_s)
{
    for (size_t i = 0; i < key_ring_count(ring); i++) /* in the order of their times */
        from_s += key_ring_at(ring, i)->signs_from_s == from_s;
    return from_s;
}

struct change { /* what is to be done under the lock */
    const char *directory;
    int64_t now_s, lead_s, days; /* days: 0 = now, whatever the age */
    FILE *errors;
};

static bool is_due(const struct key_ring *ring, const struct change *change)
{
    const struct es256_key *newest = key_ring_at(ring, key_ring_count(ring) - 1);
    int64_t since_s = newest->signs_from_s ? newest->signs_from_s : newest->made_s;
    return since_s + change->days * DAY_S <= change->now_s + change->lead_s;
}

static bool change_run(struct arena *arena, const struct change *change, bool *ret_changed)
{
    struct key_ring *ring = key_ring_load(change->directory, change->errors);
    if (!ring)
        return false;
    bool good = remove_dead(arena, change->directory, ring, change->now_s, ret_changed,
                            change->errors);
    const struct es256_key *next = key_of_state(ring, KEY_NEXT, change->now_s);
    if (good && !change->days && next && next->signs_from_s <= change->now_s + change->lead_s) {
        fprintf(change->errors, "key %s is next already\n", next->id);
        good = false;
    } else if (good && (!change->days || is_due(ring, change))) {
        int64_t from_s = free_moment_s(ring, change->now_s + change->lead_s);
        good = make_for(change->directory, from_s, change->errors);
        *ret_changed = true;
    }
    key_ring_free(ring);
    return good;
}

static bool changed(const struct change *change, bool *ret_changed)
{
    struct arena *arena = arena_new(4096);
    int lock = lock_take(arena, change->directory, change->errors);
    bool good = lock >= 0 && change_run(arena, change, ret_changed);
    if (lock >= 0)
        close(lock);
    arena_free(arena);
    return good;
}

bool key_rotate(const char *directory, int64_t lead_s, int64_t now_s, FILE *errors)
{
    bool unused = false;
    return changed(&(struct change){directory, now_s, lead_s, 0, errors}, &unused);
}

bool key_rotate_due(const char *directory, int64_t days, int64_t now_s, bool *ret_changed,
                    FILE *errors)
{
    *ret_changed = false;
    return changed(&(struct change){directory, now_s, KEY_LEAD_S, days, errors}, ret_changed);
}

/* ---- retiring and listing ------------------------------------------------------------------- */

static bool may_retire(const struct key_ring *ring, const struct es256_key *key, bool force,
                       int64_t now_s, FILE *errors)
{
    enum key_state state = key_state(ring, key, now_s);
    const char *why = key_ring_count(ring) == 1 ? "is the only one" : NULL;
    if (!why && !force && state == KEY_CURRENT)
        why = "signs; rotate first, or use --force: its tokens are refused then";
    if (!why && !force && state == KEY_PREVIOUS)
        why = "has signed tokens that may be alive; wait, or use --force: they are refused then";
    if (why)
        fprintf(errors, "key %s %s\n", key->id, why);
    return !why;
}

static bool retire(struct arena *arena, const char *directory, const char *id, bool force,
                   int64_t now_s, FILE *errors)
{
    struct key_ring *ring = key_ring_load(directory, errors);
    if (!ring)
        return false;
    const struct es256_key *key = key_ring_find(ring, span_of(id));
    if (!key)
        fprintf(errors, "there is no key %s\n", id);
    bool good = key && may_retire(ring, key, force, now_s, errors) &&
                remove_file(arena, directory, key, errors);
    key_ring_free(ring);
    return good;
}

bool key_retire(const char *directory, const char *id, bool force, int64_t now_s, FILE *errors)
{
    struct arena *arena = arena_new(4096);
    int lock = lock_take(arena, directory, errors);
    bool good = lock >= 0 && retire(arena, directory, id, force, now_s, errors);
    if (lock >= 0)
        close(lock);
    arena_free(arena);
    return good;
}

bool key_list(const char *directory, int64_t now_s, FILE *out, FILE *errors)
{
    struct key_ring *ring = key_ring_load(directory, errors);
    if (!ring)
        return false;
    for (size_t i = 0; i < key_ring_count(ring); i++) {
        const struct es256_key *key = key_ring_at(ring, i);
        char from[32] = "the beginning";
        time_t at = (time_t)key->signs_from_s;
        struct tm parts;
        if (at)
            strftime(from, sizeof from, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&at, &parts));
        fprintf(out, "%s\t%s\t%s\t%s\n", key->id, key_state_text(key_state(ring, key, now_s)), from,
                key->file);
    }
    key_ring_free(ring);
    return true;
}

bool key_fingerprint(const char *directory, unsigned char ret_hash[32])
{
    struct dirent **entries = NULL;
    int found = scandir(directory, &entries, NULL, alphasort);
    int folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct buffer text = {NULL, 0, 0};
    for (int i = 0; i < found; i++) {
        struct stat info;
        const char *name = entries[i]->d_name;
        if (name[0] != '.' && folder >= 0 && fstatat(folder, name, &info, 0) == 0)
            buffer_printf(&text, "%s/%" PRIu64 "/%" PRId64 ".%ld/%" PRId64 "/%o\n", name,
                          (uint64_t)info.st_ino, (int64_t)info.st_mtim.tv_sec, info.st_mtim.tv_nsec,
                          (int64_t)info.st_size, info.st_mode);
        free(entries[i]);
    }
    free(entries);
    if (folder >= 0)
        close(folder);
    digest_sha256((struct span){text.len ? text.data : "", text.len}, ret_hash);
    buffer_free(&text);
    return found >= 0 && folder >= 0;
}
