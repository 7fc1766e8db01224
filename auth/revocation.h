/* What was revoked before its time, remembered while the watch vouches that nothing was added. */
#ifndef AUTH_REVOCATION_H
#define AUTH_REVOCATION_H

#include "db/pool.h"
#include "db/watch.h"

struct revocations;
struct revocations *revocations_new(struct pool *pool, struct watch *watch); /* watch may be NULL */
void revocations_free(struct revocations *revocations);

/* Is one of the two revoked: a grant (sid, may be NULL) or an access token (jti, may be NULL)? Ids that are no uuid are
 * none of ours, and not revoked. Problems: those of reading the database. */
enum problem_code revocations_find(struct revocations *revocations, const char *session,
                                   const char *id, int64_t deadline_ms, bool *ret_revoked);

#endif
