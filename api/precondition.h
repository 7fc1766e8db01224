/* Conditions that a request sends (RFC 9110 13): each is evaluated, or the request is refused. */
#ifndef API_PRECONDITION_H
#define API_PRECONDITION_H

#include "api/call.h"

struct rows;

/* The gate before the database. Refuses what cannot be read (400), a condition of a write that changes no object with a
 * version or of a read whose answer has none, and every If-Unmodified-Since of a write without If-Match (400 condition_unsupported), and a missing If-Match where
 * the contract asks for one (428). Binds :if_match for gates that compare it themselves.
 *
 * RFC 9110 lets a condition be refused by 412 or by any other status that is no success (13.1.1), and asks that it be passed
 * over only where the method selects no representation (13.2.1). 412 says "read again and retry", which would never help
 * where there is nothing to compare; so that is 400. If-Modified-Since, and If-Range without Range, mean nothing here
 * (13.1.3, 13.1.5: no modification dates, no ranges) and are passed over as these sections say. */
enum problem_code precondition_take(struct call *call);

/* Must the object be looked at before this write, and its conditions be judged with what was found? */
bool precondition_waits(const struct call *call);

/* What `current` found (behind the gate, before the write) against the conditions, in the order of RFC 9110 13.2.2:
 * PROBLEM_precondition_failed, PROBLEM_exists_already or PROBLEM_NONE. Versions are compared, the part of a tag before its
 * dot: what a caller may see of an object does not change whether it was changed. */
enum problem_code precondition_judge(const struct call *call, const struct rows *current);

/* Is the object there? A row says so, unless its column "@exists" says false. */
bool precondition_exists(const struct rows *current);

/* Of a GET whose tag (in quotes) is known: false when If-Match names no such tag. */
bool precondition_reads(struct call *call, const char *tag);

#endif
