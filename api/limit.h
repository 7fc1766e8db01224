/* Rate limits: a token bucket for each client, each user of a client, and each address that sends no good token. */
#ifndef API_LIMIT_H
#define API_LIMIT_H

#include "api/call.h"

struct limits;
struct limits *limits_new(
    struct service *service); /* starts the thread that settles with the database */
void limits_free(struct limits *limits);

/* Gates. Problems: PROBLEM_rate_limited, with Retry-After. */
enum problem_code limit_caller(
    struct call *call); /* behind authentication: whoever it is, or the address */
enum problem_code limit_export(struct call *call); /* behind the page: a whole list costs more */
/* Of a request whose token was refused with `code`: that, unless its address has no more tries. */
enum problem_code limit_stranger(struct call *call, enum problem_code code);

/* When the answer stands: gives back what it did not cost, and adds RateLimit and RateLimit-Policy
 * (draft-ietf-httpapi-ratelimit-headers-10). */
void limit_finish(struct call *call);

void limit_metrics(struct limits *limits, struct buffer *buffer);

#endif
