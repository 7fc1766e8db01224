/* Rate limits: a token bucket for each client, each user of a client, and each address that sends no good token. */
#ifndef API_LIMIT_H
#define API_LIMIT_H

#include "api/call.h"

struct limits;
struct limits *limits_new(
    struct service *service); /* starts the thread that settles with the database */
void limits_free(struct limits *limits);

/* Is this caller known by nothing but the address? Somebody with many addresses is as many callers, so what each caller may have
 * does not bound all of them together. */
bool limit_is_of_address(const struct call *call);

/* Gates. Problems: PROBLEM_rate_limited, with Retry-After. */
enum problem_code limit_caller(
    struct call *call); /* behind authentication: whoever it is, or the address */
/* Behind the page: what parameters cost beside (x-cost), and a whole list as much as twenty pages; never more than a full bucket. */
enum problem_code limit_extent(struct call *call);
/* Of a request whose token was refused with `code`: that, unless its address, which pays now if it has not yet, has no more tries. */
enum problem_code limit_stranger(struct call *call, enum problem_code code);

/* Of a path or method that there is not, and of OPTIONS, which costs a tenth. */
enum problem_code limit_unrouted(struct call *call);

/* Before the database is asked whose token this is, its address pays a request, and gets it back when the token is good. So an address that was
 * refused too often asks the database nothing. */
enum problem_code limit_unknown(struct call *call);
void limit_known(struct call *call);

/* Of a whole list that was refused its place only what a page costs is kept. */
void limit_keep_page(struct call *call);

/* A request for each second in which a whole list, its head long sent, holds its place. Any thread. */
void limit_hold(struct call *call, int64_t seconds);

/* When the answer stands: gives back what it did not cost, and adds RateLimit and RateLimit-Policy
 * (draft-ietf-httpapi-ratelimit-headers-10). */
void limit_finish(struct call *call);

void limit_metrics(struct limits *limits, struct buffer *buffer);

#endif
