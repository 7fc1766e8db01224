/* What a client, or a user through a client, is allowed as of one day: read from the database, remembered while its tables stand
 * still. An answer from memory is tagged with the version of those tables and the day; without a
 * fresh watch the caller does not ask here at all. Safe for any number of threads. */
#ifndef AUTH_STANDING_H
#define AUTH_STANDING_H

#include "auth/principal.h"

struct standing {
    bool active; /* client and user (if there is one) are known and may act */
    const struct assignment
        *assignments; /* in force that day; scopes already within the client's own limit */
    size_t assignment_count;
    const char *limit;       /* the region beyond which the client may not reach, or NULL; what is
                          assigned to regions is within it already, libraries are not */
    int64_t rate_per_minute; /* of the client that acts for itself; 0: as configured */
    uint32_t own;            /* scopes without an assignment: those of the account, of a user */
};

uint32_t standing_scopes(
    const struct standing *standing); /* the union, own ones too; 0 when not active */

struct standing_cache;
struct standing_cache *standing_cache_new(size_t entries);
void standing_cache_free(struct standing_cache *cache);
bool standing_cache_find(struct standing_cache *cache, struct arena *arena, const char *subject,
                         uint64_t version, const char *day, struct standing *ret_standing);
#define STANDING_SUBJECT_MAX_BYTES 129 /* a client, or a client and a user with a space between */
/* `version` and `day` are those taken before the database was read. Copies everything. */
void standing_cache_store(struct standing_cache *cache, const char *subject, uint64_t version,
                          const char *day, const struct standing *standing);

#endif
