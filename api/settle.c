/* Settles what was spent, every quarter of a second. Rule: one bucket never keeps the others from being settled: of a batch that
 * the database refuses for what stands in it, the halves are tried, and a bucket that is refused by itself is forgotten. What
 * the processes together let through too much makes a bucket negative and is paid back; without a database each counts alone. */
#define _GNU_SOURCE /* pthread_setname_np */
#include "api/settle.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include "api/base/arena.h"
#include "api/base/backoff.h"
#include "api/base/clock.h"
#include "api/base/digest.h"
#include "api/base/log.h"
#include "api/metrics.h"
#include "db/query.h"

#define BATCH_MOST 512
#define DEADLINE_MS 2000
#define PAUSE_MOST_MS 60000
#define AWAY_MOST_MS 2000 /* the longest pause while the database is away or has no time */

struct settlement {
    struct pool *pool;
    struct buckets *buckets;
    struct bucket_spent spent[BATCH_MOST]; /* of the thread alone, as what follows */
    struct arena *arena;
    struct backoff backoff;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping;
    atomic_bool failing;
    atomic_uint_fast64_t settled, failed, forgotten;
};

/* ---- the statement ---------------------------------------------------------------------------- */

static void list_bind(struct settlement *settlement, struct value *values, const char *name,
                      const struct buffer *text)
{
    const struct statement *statement = contract_statement("settle_rates");
    for (size_t i = 0; i < statement->parameter_count; i++)
        if (strcmp(contract_names[statement->parameters[i].name], name) == 0)
            values[statement->parameters[i].name] = (struct value){
                .text = arena_cstr(settlement->arena, (struct span){text->data, text->len}),
                .len = (uint32_t)text->len,
                .state = VALUE_PRESENT};
}

static const struct value *values_of(struct settlement *settlement,
                                     const struct bucket_spent *spent, size_t count)
{
    struct value *values = arena_alloc(settlement->arena, contract_name_count * sizeof(*values));
    struct buffer keys = {0}, amounts = {0}, quotas = {0};
    for (size_t i = 0; i < count; i++) {
        char hex[2 * BUCKET_KEY_BYTES], mark = i ? ',' : '{';
        hex_encode(spent[i].key, BUCKET_KEY_BYTES, hex);
        buffer_printf(&keys, "%c%.*s", mark, (int)sizeof(hex), hex);
        buffer_printf(&amounts, "%c%" PRId64, mark, spent[i].spent);
        buffer_printf(&quotas, "%c%" PRId64, mark, spent[i].quota);
    }
    buffer_char(&keys, '}');
    buffer_char(&amounts, '}');
    buffer_char(&quotas, '}');
    list_bind(settlement, values, "rate.keys", &keys);
    list_bind(settlement, values, "rate.spent", &amounts);
    list_bind(settlement, values, "rate.quotas", &quotas);
    buffer_free(&keys);
    buffer_free(&amounts);
    buffer_free(&quotas);
    return values;
}

static enum problem_code run(struct settlement *settlement, const struct bucket_spent *spent,
                             size_t count, struct rows **ret_rows,
                             struct query_failure *ret_failure)
{
    const struct write_context context = {
        .actor = SPAN("system"), .operation = SPAN("settle_rates"), .quiet = true};
    struct query_step step = {contract_statement("settle_rates"),
                              values_of(settlement, spent, count), false};
    int64_t deadline_ms = clock_monotonic_ms() + DEADLINE_MS;
    struct table_set changed;
    struct connection *connection;
    enum problem_code code = pool_lend(settlement->pool, deadline_ms, &connection);
    if (code)
        return code;
    code = query_write(connection, &context, &step, 1, deadline_ms, ret_rows, &changed,
                       ret_failure);
    if (!code)
        code = query_commit(connection, deadline_ms, ret_failure);
    pool_return(settlement->pool, connection);
    return code;
}

/* ---- a batch ---------------------------------------------------------------------------------- */

static int nibble(char c)
{
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

static void levels_take(struct settlement *settlement, const struct rows *rows, int64_t asked_us)
{
    for (size_t row = 0; row < rows_count(rows); row++) {
        struct span key, tokens;
        unsigned char bytes[BUCKET_KEY_BYTES];
        if (!rows_cell(rows, row, 0, &key) || !rows_cell(rows, row, 1, &tokens) ||
            key.len != 2 * sizeof(bytes))
            continue;
        for (size_t i = 0; i < sizeof(bytes); i++)
            bytes[i] = (unsigned char)(nibble(key.ptr[2 * i]) << 4 | nibble(key.ptr[2 * i + 1]));
        bucket_settle(settlement->buckets, bytes,
                      strtoll(arena_cstr(settlement->arena, tokens), NULL, 10), asked_us);
    }
}

/* Refused for what stands in the batch: data exceptions and integrity constraints. */
static bool is_poison(const struct query_failure *failure)
{
    return failure->sqlstate[0] == '2' &&
           (failure->sqlstate[1] == '2' || failure->sqlstate[1] == '3');
}

/* The whole batch, else its halves. A problem means that nobody can tell anything just now; what was not told then is told later. */
static enum problem_code batch_settle(struct settlement *settlement,
                                      const struct bucket_spent *spent, size_t count,
                                      struct query_failure *ret_failure)
{
    struct rows *rows = NULL;
    int64_t asked_us = clock_monotonic_us();
    *ret_failure = (struct query_failure){.code = PROBLEM_NONE};
    enum problem_code code = run(settlement, spent, count, &rows, ret_failure);
    if (!code)
        levels_take(settlement, rows, asked_us);
    rows_free(rows);
    if (code && is_poison(ret_failure)) {
        if (count > 1) {
            code = batch_settle(settlement, spent, count / 2, ret_failure);
            enum problem_code other = batch_settle(settlement, spent + count / 2, count - count / 2,
                                                   ret_failure);
            return code ? code : other;
        }
        atomic_fetch_add(&settlement->forgotten, 1);
        log_event(LOG_ERROR, "rate_forgotten", LOG_C("sqlstate", ret_failure->sqlstate),
                  LOG_C("constraint", ret_failure->constraint), LOG_I("spent", spent->spent),
                  LOG_I("quota", spent->quota));
        return PROBLEM_NONE;
    }
    for (size_t i = 0; code && i < count; i++)
        bucket_untold(settlement->buckets, &spent[i]);
    return code;
}

static void failed(struct settlement *settlement, enum problem_code code,
                   const struct query_failure *failure)
{
    uint64_t times;
    bool away = problem_texts[code].status == 503;
    atomic_fetch_add(&settlement->failed, 1);
    if (backoff_failed(
            &settlement->backoff, *failure->sqlstate ? failure->sqlstate : problem_texts[code].code,
            SETTLEMENT_MS, away ? AWAY_MOST_MS : PAUSE_MOST_MS, clock_monotonic_ms(), &times))
        log_event(LOG_WARNING, "rates_not_settled", LOG_C("why", problem_texts[code].code),
                  LOG_C("sqlstate", failure->sqlstate), LOG_C("message", failure->message),
                  LOG_I("times", times));
}

/* True when there may be more to tell. */
static bool settle(struct settlement *settlement)
{
    struct query_failure failure;
    size_t count = buckets_collect(settlement->buckets, settlement->spent, BATCH_MOST);
    if (!count)
        return false;
    enum problem_code code = batch_settle(settlement, settlement->spent, count, &failure);
    if (!code) {
        backoff_good(&settlement->backoff);
        atomic_fetch_add(&settlement->settled, 1);
    } else {
        failed(settlement, code, &failure);
    }
    atomic_store(&settlement->failing, code != PROBLEM_NONE);
    arena_reset(settlement->arena);
    return !code && count + 8 > BATCH_MOST;
}

/* ---- the thread ------------------------------------------------------------------------------- */

static bool wait_for_next(struct settlement *settlement)
{
    int64_t pause_ms = settlement->backoff.pause_ms;
    int64_t until_ms = clock_monotonic_ms() + (pause_ms ? pause_ms : SETTLEMENT_MS);
    struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};
    pthread_mutex_lock(&settlement->lock);
    while (!settlement->stopping && clock_monotonic_ms() < until_ms)
        pthread_cond_timedwait(&settlement->wake, &settlement->lock, &until);
    bool stopping = settlement->stopping;
    pthread_mutex_unlock(&settlement->lock);
    return !stopping;
}

static void *settlement_run(void *argument)
{
    struct settlement *settlement = argument;
    while (wait_for_next(settlement))
        while (settle(settlement))
            ;
    return NULL;
}

struct settlement *settlement_new(struct pool *pool, struct buckets *buckets)
{
    struct settlement *settlement = memory_alloc(sizeof(*settlement));
    pthread_condattr_t monotonic;
    sigset_t all, before;
    settlement->pool = pool;
    settlement->buckets = buckets;
    settlement->arena = arena_new(65536);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&settlement->lock, NULL);
    pthread_cond_init(&settlement->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the main thread */
    if (pthread_create(&settlement->thread, NULL, settlement_run, settlement) != 0)
        abort(); /* a process that cannot start its threads does not start */
    pthread_setname_np(settlement->thread, "settlement");
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return settlement;
}

void settlement_free(struct settlement *settlement)
{
    pthread_mutex_lock(&settlement->lock);
    settlement->stopping = true;
    pthread_cond_signal(&settlement->wake);
    pthread_mutex_unlock(&settlement->lock);
    pthread_join(settlement->thread, NULL);
    pthread_cond_destroy(&settlement->wake);
    pthread_mutex_destroy(&settlement->lock);
    arena_free(settlement->arena);
    free(settlement);
}

void settlement_metrics(struct settlement *settlement, struct buffer *buffer)
{
    metrics_write_one(buffer, "tpbis_rate_settled_total", "counter",
                      "Times that rates were settled with the other processes.",
                      (double)atomic_load(&settlement->settled));
    metrics_write_one(buffer, "tpbis_rate_settle_failures_total", "counter",
                      "Times that failed: each process counts alone.",
                      (double)atomic_load(&settlement->failed));
    metrics_write_one(buffer, "tpbis_rate_settle_failing", "gauge",
                      "1 while the last settlement failed.",
                      (double)atomic_load(&settlement->failing));
    metrics_write_one(buffer, "tpbis_rate_forgotten_total", "counter",
                      "Buckets that the database refused by themselves: bugs.",
                      (double)atomic_load(&settlement->forgotten));
}
