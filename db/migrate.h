/* Brings a database to the schema this binary was built for. Migrations, functions and the list of
 * problem texts are compiled into the binary. */
#ifndef DB_MIGRATE_H
#define DB_MIGRATE_H

#include <stdbool.h>
#include <stdio.h>

/* Applies what is missing, each migration in its own transaction with lock_timeout, then replaces the
 * functions. `url` is that of the owner. Progress and faults go to `out`. Creates role `tpbis_api` if absent. */
bool migrate_run(const char *url, FILE *out);
/* `url` is that of the service's own role. 1 when the schema is the one this binary needs and the role owns nothing of
 * it, 0 when not (why goes to `out`), -1 when unreachable. */
int migrate_check(const char *url, FILE *out);

struct rows;
/* The same of rows already read: name and checksum of every row of schema_migration. */
bool migrate_matches(const struct rows *rows, FILE *out);

#endif
