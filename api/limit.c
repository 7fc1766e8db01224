/* Who has how much left. Rule: no request waits for this: it is let through or refused by what this process knows, and a
 * thread settles with the other processes through the database, every quarter of a second. What they together let through
 * too much in that time makes the bucket negative and is paid back; without a database each process counts alone. */
#define _GNU_SOURCE /* pthread_setname_np */
#include "api/limit.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include "api/base/clock.h"
#include "api/base/digest.h"
#include "api/base/log.h"
#include "api/bucket.h"
#include "api/metrics.h"

#define REQUEST 1000 /* what buckets count in */
#define UNCHANGED 10 /* a 304 costs a tenth */
#define EXPORT 20    /* a whole list costs so many pages */
#define ENTRIES 16384
#define SETTLE_MS 250
#define SETTLE_MOST 512
#define SETTLE_DEADLINE_MS 2000

struct limits {
    struct service *service;
    struct buckets *buckets;
    struct bucket_spent spent[SETTLE_MOST]; /* of the thread alone */
    struct arena *arena;
    bool failing;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping;
    atomic_uint_fast64_t refused, settled, failed;
};

/* ---- whose bucket ----------------------------------------------------------------------------- */

static void key_make(struct call *call, const char *kind, const char *one, const char *two)
{
    unsigned char hash[32];
    digest_sha256(span_of(arena_printf(call->arena, "%s\n%s\n%s", kind, one, two)), hash);
    memcpy(call->limit.key, hash, sizeof(call->limit.key));
    call->limit.policy = kind;
}

static void address_choose(struct call *call, const char *client)
{
    key_make(call, "address", call_address(call), client);
    call->limit.quota = call->service->settings.rate_address_per_minute;
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
    call->retry_after_s = (level.wait_us + SETTLE_MS * 1000 + 999999) / 1000000;
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

enum problem_code limit_export(struct call *call)
{
    int64_t pages = call->page.stream ? EXPORT - 1 : 0; /* one is taken */
    return take(call, (int64_t)call->operation->cost * REQUEST * pages);
}

enum problem_code limit_stranger(struct call *call, enum problem_code code)
{
    if (code != PROBLEM_unauthorized && code != PROBLEM_invalid_token)
        return code;
    address_choose(call, "");
    call->limit.quota *= REQUEST;
    enum problem_code limited = take(call, REQUEST);
    return limited ? limited : code;
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

/* ---- between processes ------------------------------------------------------------------------ */

static void list_bind(struct limits *limits, struct value *values, const char *name,
                      const struct buffer *text)
{
    const struct statement *statement = contract_statement("settle_rates");
    for (size_t i = 0; i < statement->parameter_count; i++)
        if (strcmp(contract_names[statement->parameters[i].name], name) == 0)
            values[statement->parameters[i].name] = (struct value){
                .text = arena_cstr(limits->arena, (struct span){text->data, text->len}),
                .len = (uint32_t)text->len,
                .state = VALUE_PRESENT};
}

static const struct value *settle_values(struct limits *limits, size_t count)
{
    struct value *values = arena_alloc(limits->arena, contract_name_count * sizeof(*values));
    struct buffer keys = {0}, spent = {0}, quotas = {0};
    for (size_t i = 0; i < count; i++) {
        char hex[2 * BUCKET_KEY_BYTES], mark = i ? ',' : '{';
        hex_encode(limits->spent[i].key, BUCKET_KEY_BYTES, hex);
        buffer_printf(&keys, "%c%.*s", mark, (int)sizeof(hex), hex);
        buffer_printf(&spent, "%c%" PRId64, mark, limits->spent[i].spent);
        buffer_printf(&quotas, "%c%" PRId64, mark, limits->spent[i].quota);
    }
    buffer_char(&keys, '}');
    buffer_char(&spent, '}');
    buffer_char(&quotas, '}');
    list_bind(limits, values, "rate.keys", &keys);
    list_bind(limits, values, "rate.spent", &spent);
    list_bind(limits, values, "rate.quotas", &quotas);
    buffer_free(&keys);
    buffer_free(&spent);
    buffer_free(&quotas);
    return values;
}

static enum problem_code settle_run(struct limits *limits, size_t count, struct rows **ret_rows)
{
    struct write_context context = {SPAN("system"), SPAN(""), SPAN(""), SPAN("settle_rates")};
    struct query_step step = {contract_statement("settle_rates"), settle_values(limits, count),
                              false};
    int64_t deadline_ms = clock_monotonic_ms() + SETTLE_DEADLINE_MS;
    struct query_failure failure;
    struct table_set changed;
    struct connection *connection;
    enum problem_code code = pool_lend(limits->service->pool, deadline_ms, &connection);
    if (code)
        return code;
    code = query_write(connection, &context, &step, 1, deadline_ms, ret_rows, &changed, &failure);
    if (!code)
        code = query_commit(connection, deadline_ms, &failure);
    pool_return(limits->service->pool, connection);
    return code;
}

static int nibble(char c)
{
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

static void levels_take(struct limits *limits, const struct rows *rows, int64_t asked_us)
{
    for (size_t row = 0; row < rows_count(rows); row++) {
        struct span key, tokens;
        unsigned char bytes[BUCKET_KEY_BYTES];
        if (!rows_cell(rows, row, 0, &key) || !rows_cell(rows, row, 1, &tokens) ||
            key.len != 2 * sizeof(bytes))
            continue;
        for (size_t i = 0; i < sizeof(bytes); i++)
            bytes[i] = (unsigned char)(nibble(key.ptr[2 * i]) << 4 | nibble(key.ptr[2 * i + 1]));
        bucket_settle(limits->buckets, bytes, strtoll(arena_cstr(limits->arena, tokens), NULL, 10),
                      asked_us);
    }
}

/* True when there may be more to tell. */
static bool settle(struct limits *limits)
{
    struct rows *rows = NULL;
    size_t count = buckets_collect(limits->buckets, limits->spent, SETTLE_MOST);
    if (!count)
        return false;
    int64_t asked_us = clock_monotonic_us();
    enum problem_code code = settle_run(limits, count, &rows);
    if (!code) {
        levels_take(limits, rows, asked_us);
        atomic_fetch_add(&limits->settled, 1);
    } else {
        for (size_t i = 0; i < count; i++)
            bucket_untold(limits->buckets, &limits->spent[i]);
        atomic_fetch_add(&limits->failed, 1);
        if (!limits->failing)
            log_event(LOG_WARNING, "rates_not_settled", LOG_C("why", problem_texts[code].code));
    }
    limits->failing = code != PROBLEM_NONE;
    rows_free(rows);
    arena_reset(limits->arena);
    return !code && count + 8 > SETTLE_MOST;
}

static bool wait_for_next(struct limits *limits)
{
    int64_t until_ms = clock_monotonic_ms() + SETTLE_MS;
    struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};
    pthread_mutex_lock(&limits->lock);
    while (!limits->stopping && clock_monotonic_ms() < until_ms)
        pthread_cond_timedwait(&limits->wake, &limits->lock, &until);
    bool stopping = limits->stopping;
    pthread_mutex_unlock(&limits->lock);
    return !stopping;
}

static void *limits_run(void *argument)
{
    struct limits *limits = argument;
    while (wait_for_next(limits))
        while (settle(limits))
            ;
    return NULL;
}

/* ---- start, stop, figures --------------------------------------------------------------------- */

struct limits *limits_new(struct service *service)
{
    struct limits *limits = memory_alloc(sizeof(*limits));
    pthread_condattr_t monotonic;
    sigset_t all, before;
    limits->service = service;
    limits->buckets = buckets_new(ENTRIES);
    limits->arena = arena_new(65536);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&limits->lock, NULL);
    pthread_cond_init(&limits->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the main thread */
    if (pthread_create(&limits->thread, NULL, limits_run, limits) != 0)
        abort(); /* a process that cannot start its threads does not start */
    pthread_setname_np(limits->thread, "limits");
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return limits;
}

void limits_free(struct limits *limits)
{
    if (!limits)
        return;
    pthread_mutex_lock(&limits->lock);
    limits->stopping = true;
    pthread_cond_signal(&limits->wake);
    pthread_mutex_unlock(&limits->lock);
    pthread_join(limits->thread, NULL);
    pthread_cond_destroy(&limits->wake);
    pthread_mutex_destroy(&limits->lock);
    buckets_free(limits->buckets);
    arena_free(limits->arena);
    free(limits);
}

static void write_counter(struct buffer *buffer, const char *name, const char *help, uint64_t value)
{
    buffer_printf(buffer, "# HELP %s %s\n# TYPE %s counter\n%s %" PRIu64 "\n", name, help, name,
                  name, value);
}

void limit_metrics(struct limits *limits, struct buffer *buffer)
{
    write_counter(buffer, "tpbis_rate_limited_total", "Requests refused by a rate limit.",
                  atomic_load(&limits->refused));
    write_counter(buffer, "tpbis_rate_settled_total",
                  "Times that rates were settled with the other processes.",
                  atomic_load(&limits->settled));
    write_counter(buffer, "tpbis_rate_settle_failures_total",
                  "Times that failed: each process counts alone.", atomic_load(&limits->failed));
}
