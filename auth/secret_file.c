/* Writing keys to files. Rule: at no moment is there half a file, or one that others may read. */
#include "auth/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/base/arena.h"

bool secret_directory_make(const char *directory, FILE *errors)
{
    if (mkdir(directory, 0700) == 0 || errno == EEXIST)
        return true;
    fprintf(errors, "key directory %s: %s\n", directory, strerror(errno));
    return false;
}

static bool write_all(int fd, const char *bytes, size_t len)
{
    while (len) {
        ssize_t done = write(fd, bytes, len);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        bytes += done;
        len -= (size_t)done;
    }
    return true;
}

/* A key that root makes (by hand, in a container) must be readable by the service, whose directory it is. */
static bool give_away(int fd, const char *directory)
{
    struct stat info;
    return geteuid() != 0 || stat(directory, &info) != 0 || info.st_uid == 0 ||
           fchown(fd, info.st_uid, info.st_gid) == 0;
}

/* Written beside the final name and linked: a crash leaves no half file. */
bool secret_file_make(const char *directory, const char *name, struct span content, bool *ret_there,
                      FILE *errors)
{
    struct arena *arena = arena_new(1024);
    const char *path = arena_printf(arena, "%s/%s", directory, name);
    char *draft = arena_printf(arena, "%s/.%s.XXXXXX", directory, name);
    int fd = mkstemp(draft); /* O_EXCL, mode 0600 */
    if (fd < 0) {
        fprintf(errors, "key %s: %s\n", draft, strerror(errno));
        arena_free(arena);
        return false;
    }
    bool good = fchmod(fd, 0600) == 0 && give_away(fd, directory) &&
                write_all(fd, content.ptr, content.len) && fsync(fd) == 0;
    good = close(fd) == 0 && good;
    bool linked = good && link(draft, path) == 0;
    *ret_there = good && !linked && errno == EEXIST;
    good = linked || *ret_there;
    if (!good)
        fprintf(errors, "key %s: %s\n", path, strerror(errno));
    unlink(draft);
    int parent = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent >= 0) {
        (void)fsync(parent);
        close(parent);
    }
    arena_free(arena);
    return good;
}
