/* See settings_file.h. Rule: a line is understood or named as a fault, never passed over; what a value
 * says is not repeated in a fault, for it may be a secret. */
#include "api/base/settings_file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_MAX_BYTES 65536
#define LINES_MAX 1024
#define NAME_BYTES "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

static struct span trimmed(struct span text)
{
    while (text.len && strchr(" \t\r", text.ptr[0]))
        text = (struct span){text.ptr + 1, text.len - 1};
    while (text.len && strchr(" \t\r", text.ptr[text.len - 1]))
        text.len--;
    return text;
}

/* Takes a pair of quotes off. False when a quote stands alone or inside, or where a backslash would
 * mean something else to systemd than to us. */
static bool unquote(struct span *value)
{
    char quote = value->len ? value->ptr[0] : '\0';
    if (quote == '"' || quote == '\'') {
        if (value->len < 2 || value->ptr[value->len - 1] != quote)
            return false;
        *value = (struct span){value->ptr + 1, value->len - 2};
    }
    for (size_t i = 0; i < value->len; i++)
        if (strchr("\"'\\", value->ptr[i]))
            return false;
    return true;
}

static const char *line_fault(struct span text, struct span *ret_name, struct span *ret_value)
{
    const char *equals = memchr(text.ptr, '=', text.len);
    if (!equals)
        return "is not NAME=value";
    size_t head = (size_t)(equals - text.ptr);
    struct span name = trimmed((struct span){text.ptr, head});
    struct span value = trimmed((struct span){equals + 1, text.len - head - 1});
    for (size_t i = 0; i < name.len; i++)
        if (!strchr(NAME_BYTES, name.ptr[i]))
            return "is not NAME=value with a name of A to Z, 0 to 9 and _";
    if (!name.len)
        return "has no name";
    if (!unquote(&value))
        return "has a quote or a backslash in its value; only a pair of quotes around it is known";
    *ret_name = name;
    *ret_value = value;
    return NULL;
}

static bool line_take(struct arena *arena, struct settings_file *file, struct span text,
                      size_t number, FILE *errors)
{
    struct span name, value;
    text = trimmed(text);
    if (!text.len || text.ptr[0] == '#' || text.ptr[0] == ';')
        return true;
    const char *fault = file->count == LINES_MAX ? "is one too many"
                                                 : line_fault(text, &name, &value);
    if (fault) {
        fprintf(errors, "%s:%zu: %s\n", file->path, number, fault);
        return false;
    }
    for (size_t i = 0; i < file->count; i++)
        if (span_is(name, file->lines[i].name)) {
            fprintf(errors, "%s:%zu: %.*s is set in line %zu already\n", file->path, number,
                    SPAN_ARG(name), file->lines[i].number);
            return false;
        }
    file->lines[file->count++] = (struct settings_line){arena_cstr(arena, name),
                                                        arena_cstr(arena, value), number};
    return true;
}

/* All bytes of the file with a NUL behind them, or NULL after having said why. */
static char *bytes_read(struct arena *arena, const char *path, bool *ret_open_to_all,
                        size_t *ret_len, FILE *errors)
{
    struct stat info;
    FILE *stream = fopen(path, "re");
    if (!stream) {
        fprintf(errors, "settings file %s: %s\n", path, strerror(errno));
        return NULL;
    }
    char *bytes = arena_alloc(arena, FILE_MAX_BYTES + 1);
    size_t len = fread(bytes, 1, FILE_MAX_BYTES + 1, stream);
    const char *fault = ferror(stream) || fstat(fileno(stream), &info) ? "cannot be read"
                        : len > FILE_MAX_BYTES                         ? "is too large"
                        : memchr(bytes, '\0', len)                     ? "holds a NUL byte"
                                                                       : NULL;
    fclose(stream);
    if (fault) {
        fprintf(errors, "settings file %s %s\n", path, fault);
        return NULL;
    }
    *ret_open_to_all = (info.st_mode & S_IROTH) != 0;
    *ret_len = len;
    return bytes;
}

bool settings_file_read(struct arena *arena, const char *path, struct settings_file *ret_file,
                        FILE *errors)
{
    struct settings_file file = {.path = path};
    size_t len, number = 0;
    const char *at = bytes_read(arena, path, &file.open_to_all, &len, errors);
    if (!at)
        return false;
    file.lines = arena_alloc(arena, LINES_MAX * sizeof *file.lines);
    bool good = true;
    for (const char *end = at + len; at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop)
            stop = end;
        struct span text = {at, (size_t)(stop - at)};
        good = line_take(arena, &file, text, ++number, errors) && good;
        at = stop + 1;
    }
    if (good)
        *ret_file = file;
    return good;
}
