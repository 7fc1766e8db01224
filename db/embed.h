/* Private to migrate: the files of db/migrations and db/functions as db/embed.py compiled them
 * in. */
#ifndef DB_EMBED_H
#define DB_EMBED_H

#include <stddef.h>

struct embedded_file {
    const char *name; /* "0001_create_audit.sql" */
    const char *text;
    const char *checksum; /* SHA-256 of the text, hexadecimal */
};
extern const struct embedded_file
    embedded_migrations[]; /* by name, which is the order they run in */
extern const size_t embedded_migration_count;
extern const struct embedded_file
    embedded_functions[]; /* by name; those that begin with "base" come first */
extern const size_t embedded_function_count;
extern const char embedded_functions_checksum[]; /* over all of them */

#endif
