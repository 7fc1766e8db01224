/* The file that TPBIS_SETTINGS_FILE names: NAME=value lines, as systemd's EnvironmentFile has them. */
#ifndef BASE_SETTINGS_FILE_H
#define BASE_SETTINGS_FILE_H

#include "api/base/arena.h"
#include <stdio.h>

struct settings_line {
    const char *name, *value;
    size_t number; /* counted from 1 */
};
struct settings_file {
    const char *path;
    bool open_to_all; /* others than owner and group may read it: no place for a secret */
    struct settings_line *lines;
    size_t count;
};

/* Reads all of it into the arena. A line is empty, a comment (# or ;), or NAME=value, the value perhaps in
 * a pair of double or single quotes; white space around it does not count. Every fault goes to `errors` as
 * "PATH:LINE: ...", and with any the answer is false. */
bool settings_file_read(struct arena *arena, const char *path, struct settings_file *ret_file,
                        FILE *errors);

#endif
