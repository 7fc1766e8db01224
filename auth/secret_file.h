/* Files that only their owner may read: keys of the key directory. */
#ifndef AUTH_SECRET_FILE_H
#define AUTH_SECRET_FILE_H

#include <stdbool.h>
#include <stdio.h>

#include "api/base/span.h"

/* Makes `directory` (0700) unless it is there. False with the reason on `errors`. */
bool secret_directory_make(const char *directory, FILE *errors);

/* Writes `directory`/`name` (0600): whole or not at all, and of two makers one wins. Where root makes it, it belongs to whom the
 * directory belongs. What was there already stays as it is and is told by *ret_there. False with the reason on `errors`. */
bool secret_file_make(const char *directory, const char *name, struct span content, bool *ret_there,
                      FILE *errors);

#endif
