/* Brings the reference data into a database: an edition of the regions and the facts that public
 * documents tell. What was loaded before is left as it is; a region is retired, never deleted. */
#ifndef DB_LOAD_H
#define DB_LOAD_H

#include <stdbool.h>
#include <stdio.h>

struct load_options {
    const char *owner_url; /* libpq URL of the owner; its schema is the one migrate_run() made */
    const char *directory; /* the reference folder; NULL: the one known at build time */
    /* A folder with another edition's CSV files, plain or gzipped, and its file EDITION.
     * NULL: the reference folder's own edition, and then the facts too. */
    const char *edition_directory;
};

/* Everything in one transaction: after a failure nothing has changed. An edition that is there already
 * costs nothing. Progress, what needs a person, and faults go to `out`, a line each. */
bool load_reference(const struct load_options *options, FILE *out);

#endif
