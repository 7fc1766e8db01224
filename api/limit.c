/* Who has how much left. Rule: no request waits for this: it is let through or refused by what this process knows, and a
 * thread settles with the other processes (api/settle.c). */
#include "api/limit.h"

#include <inttypes.h>
#include <stdlib.h>
#include "api/base/clock.h"
#include "api/base/digest.h"
#include "api/bucket.h"
#include "api/metrics.h"
#include "api/settle.h"

#define REQUEST 1000 /* what buckets count in */
#define UNCHANGED 10 /* a 304 costs a tenth */
#define EXPORT 20    /* a whole list costs so many pages */
#define ENTRIES 16384

struct limits {
    struct service *service;
    struct buckets *buckets;
    struct settlement *settlement;
    atomic_uint_fast64_t refused;
};

/* ---- whose bucket ----------------------------------------------------------------------------- */

static void key_make(struct call *call, const char *kind, const char *one, const char *two)
{
    unsigned char hash[32];
    digest_sha256(span_of(arena_printf(call->arena, "%s\n%s\n%s", kind, one, two)), hash);
    memcpy(call->limit.key, hash, sizeof(call->limit.key));
    call->limit.policy = kind;
}

static const char of_address[] = "address";

static void address_choose(struct call *call, const char *client)
{
    key_make(call, of_address, call_address(call), client);
    call->limit.quota = call->service->settings.rate_address_per_minute;
}

bool limit_is_of_address(const struct call *call)
{
    return call->limit.policy == of_address;
}

/* An app without a user is in many hands at once: it is known by their addresses. */
static bool is_public_app(const struct principal *principal)
{
    for (size_t i = 0; i < principal->assignment_count; i++)
        if (strcmp(principal->assignments[i].role, "public_app") != 0)
            return false;
    return !principal->user_id && principal->assignment_count > 0;
}

static void bucket_choose(struct call *call)
{
    const struct principal *caller = &call->principal;
    const struct settings *settings = &call->service->settings;
    if (!call->authenticated) {
        address_choose(call, "");
    } else if (caller->user_id) {
        key_make(call, "user", caller->client_id, caller->user_id);
        call->limit.quota = settings->rate_user_per_minute;
    } else if (is_public_app(caller)) {
        address_choose(call, caller->client_id);
    } else {
        key_make(call, "client", caller->client_id, "");
        call->limit.quota = caller->rate_per_minute ? caller->rate_per_minute
                                                    : (int64_t)settings->rate_client_per_minute;
    }
    call->limit.quota *= REQUEST;
}

/* ---- gates ------------------------------------------------------------------------------------ */

static enum problem_code take(struct call *call, int64_t cost)
{
    struct limits *limits = call->service->limits;
    struct bucket_level level;
    if (!call->limit.quota || !cost) /* a quota of 0 is none */
        return PROBLEM_NONE;
    bool taken = bucket_take(limits->buckets, call->limit.key, call->limit.quota, cost,
                             clock_monotonic_us(), &level);
    call->limit.left = level.left;
    if (taken) {
        call->limit.taken += cost;
        return PROBLEM_NONE;
    }
    atomic_fetch_add(&limits->refused, 1);
    /* and until the next settlement, which may know better */
    int64_t again_us = call->limit.taken * INT64_C(60000000) /
                       call->limit.quota; /* what it cost to be refused is paid again */
    call->retry_after_s = (level.wait_us + again_us + SETTLEMENT_MS * 1000 + 999999) / 1000000;
    return call_refuse(call, PROBLEM_rate_limited, "limit",
                       span_of(arena_printf(call->arena, "%" PRId64, call->limit.quota / REQUEST)));
}

enum problem_code limit_caller(struct call *call)
{
    if (!call->operation->cost)
        return PROBLEM_NONE; /* health and figures */
    bucket_choose(call);
    return take(call, (int64_t)call->operation->cost * REQUEST);
}

enum problem_code limit_extent(struct call *call)
{
    if (!call->operation->cost)
        return PROBLEM_NONE;
    int64_t page = call->operation->cost + call->parameters_cost;
    int64_t cost = REQUEST * (call->page.stream ? page * EXPORT : page) - call->limit.taken;
    int64_t most = call->limit.quota - call->limit.taken; /* a full bucket is enough for anything */
    if (cost > most)
        cost = most > 0 ? most : 0;
    return take(call, cost);
}

/* Of the address alone, whoever it is. */
static enum problem_code address_take(struct call *call, int64_t cost)
{
    address_choose(call, "");
    call->limit.quota *= REQUEST;
    return take(call, cost);
}

enum problem_code limit_unknown(struct call *call)
{
    return address_take(call, REQUEST);
}

void limit_known(struct call *call)
{
    if (call->limit.taken)
        bucket_give(call->service->limits->buckets, call->limit.key, call->limit.taken);
    call->limit = (struct limit){.quota = 0};
}

enum problem_code limit_stranger(struct call *call, enum problem_code code)
{
    if ((code != PROBLEM_unauthorized && code != PROBLEM_invalid_token) || call->limit.taken)
        return code;
    enum problem_code limited = address_take(call, REQUEST);
    return limited ? limited : code;
}

enum problem_code limit_unrouted(struct call *call)
{
    return address_take(call, call->method == METHOD_OPTIONS ? REQUEST / UNCHANGED : REQUEST);
}

void limit_keep_page(struct call *call)
{
    int64_t back = call->limit.taken - (int64_t)call->operation->cost * REQUEST;
    if (back > 0) {
        call->limit.left = bucket_give(call->service->limits->buckets, call->limit.key, back);
        call->limit.taken -= back;
    }
}

void limit_hold(struct call *call, int64_t seconds)
{
    if (call->limit.quota && seconds > 0)
        bucket_give(call->service->limits->buckets, call->limit.key, -seconds * REQUEST);
}

/* ---- the answer ------------------------------------------------------------------------------- */

void limit_finish(struct call *call)
{
    struct limit *limit = &call->limit;
    int status = call->response.status;
    int64_t back = 0;
    if (!limit->quota)
        return;
    if (status >= 500)
        back = limit->taken; /* our fault */
    else if (status == 304)
        back = limit->taken - (int64_t)call->operation->cost * REQUEST / UNCHANGED;
    if (back > 0)
        limit->left = bucket_give(call->service->limits->buckets, limit->key, back);
    int64_t full_s = ((limit->quota - limit->left) * 60 + limit->quota - 1) / limit->quota;
    response_header(call, "RateLimit-Policy", "\"%s\";q=%" PRId64 ";w=60", limit->policy,
                    limit->quota / REQUEST);
    response_header(call, "RateLimit", "\"%s\";r=%" PRId64 ";t=%" PRId64, limit->policy,
                    limit->left / REQUEST, full_s);
}

/* ---- start, stop, figures --------------------------------------------------------------------- */

struct limits *limits_new(struct service *service)
{
    struct limits *limits = memory_alloc(sizeof(*limits));
    limits->service = service;
    limits->buckets = buckets_new(ENTRIES);
    limits->settlement = settlement_new(service->pool, limits->buckets);
    return limits;
}

void limits_free(struct limits *limits)
{
    if (!limits)
        return;
    settlement_free(limits->settlement);
    buckets_free(limits->buckets);
    free(limits);
}

void limit_metrics(struct limits *limits, struct buffer *buffer)
{
    metrics_write_one(buffer, "tpbis_rate_limited_total", "counter",
                      "Requests refused by a rate limit.", (double)atomic_load(&limits->refused));
    settlement_metrics(limits->settlement, buffer);
}
