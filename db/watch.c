/* The watch. The rule never to break: a counter moves before anybody can be told that the
 * watch has seen the change, and when in doubt (a new session, another database) every counter
 * moves.
 *
 * A change is a row in `audit`, other than of a read, that was not visible before. Row numbers cannot tell (a slow
 * transaction commits late, behind the rows of faster ones), so a look asks for the rows of those transactions
 * that the snapshot of the look before did not see: what was running then (its list), and what has begun
 * since (from its xmax on). No other row can have become visible; and no row is read twice, so a
 * transaction that runs for hours costs nothing.
 *
 * A standby's snapshot has no list of running transactions. There each look counts, table by table, the rows
 * from the oldest transaction that was running at the look before: of those only, more can have become
 * visible. While a transaction of the primary runs long that is more with every look; one that does not
 * come to its end is followed by a first look, which counts nothing and moves every counter, and
 * each such failure doubles the pause, in which the watch says that it is blind. */
#define _GNU_SOURCE /* pthread_setname_np */
#include "db/watch.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/base/buffer.h"
#include "api/base/clock.h"
#include "api/base/log.h"
#include "db/exchange.h"

#define BLIND_MS 2000
#define LOOK_MS 1000 /* the longest a look may take */
#define RETRY_MS 500 /* at least, after one that failed */
#define RETRY_MOST_MS 16000

static const uint32_t names_type[] = {1009};    /* text[] */
static const uint32_t snapshot_type[] = {5038}; /* pg_snapshot */

/* Which database this is: after a restore or a failover the same transaction numbers may stand
 * for other data. */
static const struct engine_statement engine_identity = {
    ENGINE_FIRST + 16,
    "SELECT (SELECT system_identifier FROM pg_control_system()),"
    " CASE WHEN pg_is_in_recovery() THEN (SELECT timeline_id FROM pg_control_checkpoint())"
    " ELSE ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::integer"
    " END,"
    " (SELECT oid FROM pg_database WHERE datname = current_database()), pg_is_in_recovery()",
    0, NULL};
static const struct engine_statement engine_newest = {
    ENGINE_FIRST + 17,
    "SELECT pg_current_snapshot(), t.name,"
    " (SELECT a.xid FROM audit a WHERE a.table_name = t.name AND a.action <> 'read'"
    "  ORDER BY a.xid DESC LIMIT 1)"
    " FROM unnest($1) AS t (name)",
    1, names_type};
/* Of both: the snapshot, then of each table the newest row, how many there are, and how many of them the next
 * look counts again. */
static const struct engine_statement engine_look = {
    ENGINE_FIRST + 18,
    "WITH seen AS MATERIALIZED ("
    "  SELECT table_name, xid FROM audit WHERE xid >= pg_snapshot_xmax($1) AND action <> 'read'"
    "  UNION ALL"
    "  SELECT table_name, xid FROM audit"
    "  WHERE xid = ANY (ARRAY(SELECT pg_snapshot_xip($1))) AND action <> 'read')"
    " SELECT pg_current_snapshot(), pg_is_in_recovery(), a.table_name, a.newest, a.count, 0"
    " FROM (VALUES (0)) AS one"
    " LEFT JOIN (SELECT table_name, max(xid) AS newest, count(*) AS count FROM seen"
    "            GROUP BY table_name) AS a ON true",
    1, snapshot_type};
static const struct engine_statement engine_look_standby = {
    ENGINE_FIRST + 19,
    "SELECT pg_current_snapshot(), pg_is_in_recovery(), a.table_name, a.newest, a.count,"
    "       a.count_later"
    " FROM (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS oldest) AS s"
    " LEFT JOIN LATERAL (SELECT table_name, max(xid) AS newest, count(*) AS count,"
    "                           count(*) FILTER (WHERE xid >= s.oldest) AS count_later"
    "                    FROM audit WHERE xid >= pg_snapshot_xmin($1) AND action <> 'read'"
    "                    GROUP BY table_name) AS a ON true",
    1, snapshot_type};

struct watch {
    struct session_options options;
    int64_t interval_ms;
    _Atomic uint64_t local[TABLES_MAX];
    _Atomic int64_t seen_at_ms; /* when the last successful look began */
    _Atomic bool seen;

    pthread_rwlock_t shared_lock; /* what follows makes the shared version */
    uint64_t seed, floor;         /* which database; its oldest running transaction */
    uint64_t newest[TABLES_MAX];  /* of the last visible change */
    uint64_t began, done;         /* looks, numbered */
    uint64_t dirty[TABLES_MAX];   /* an own commit that only looks after this number have seen */

    struct session *session; /* of the thread alone, as what follows */
    bool recovering, failing;
    int64_t retry_ms;            /* the pause after a look that failed */
    char *snapshot;              /* of the last look */
    uint64_t counts[TABLES_MAX]; /* on a standby: visible rows from floor on */

    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping, connecting, orphan;
};

/* ---- what a look tells ----------------------------------------------------------------------- */

/* The finalizer of splitmix64 over both. */
static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash ^= value + 0x9e3779b97f4a7c15U + (hash << 6) + (hash >> 2);
    hash = (hash ^ hash >> 30) * 0xbf58476d1ce4e5b9U;
    hash = (hash ^ hash >> 27) * 0x94d049bb133111ebU;
    return hash ^ hash >> 31;
}

static uint64_t cell_number(const PGresult *result, int row, int column)
{
    return strtoull(PQgetvalue(result, row, column), NULL, 10); /* NULL reads as "" */
}

static int table_find(const char *name)
{
    for (int i = 0; i < contract_table_count; i++)
        if (strcmp(contract_tables[i], name) == 0)
            return i;
    return -1;
}

static void bump(struct watch *watch, size_t table)
{
    atomic_fetch_add_explicit(&watch->local[table], 1, memory_order_acq_rel);
}

static void look_began(struct watch *watch)
{
    pthread_rwlock_wrlock(&watch->shared_lock);
    watch->began++;
    pthread_rwlock_unlock(&watch->shared_lock);
}

static void look_done(struct watch *watch, int64_t began_at_ms)
{
    atomic_store(&watch->seen_at_ms, began_at_ms);
    atomic_store(&watch->seen, true);
    if (watch->failing)
        log_event(LOG_INFO, "watch_sees");
    watch->failing = false;
}

/* The tables' names as an array literal; they are identifiers of ours and need no more than
 * quotes. */
static void names_literal(struct buffer *literal)
{
    buffer_char(literal, '{');
    for (size_t i = 0; i < contract_table_count; i++)
        buffer_printf(literal, "%s\"%s\"", i ? "," : "", contract_tables[i]);
    buffer_char(literal, '}');
    buffer_char(literal, '\0');
}

static void snapshot_keep(struct watch *watch, const PGresult *result)
{
    free(watch->snapshot);
    watch->snapshot = memory_copy(PQgetvalue(result, 0, 0));
}

/* Rows of transactions that this server has not begun: a dump was restored, and the numbers began anew. Until
 * they have caught up, nothing that depends on such a table can be known to be unchanged. */
static void future_tell(const PGresult *newest)
{
    const char *snapshot = PQgetvalue(newest, 0, 0), *colon = strchr(snapshot, ':');
    uint64_t next = colon ? strtoull(colon + 1, NULL, 10) : UINT64_MAX; /* "xmin:xmax:..." */
    for (int row = 0; row < PQntuples(newest); row++)
        if (cell_number(newest, row, 2) >= next) {
            log_event(
                LOG_WARNING, "audit_from_elsewhere", LOG_C("table", PQgetvalue(newest, row, 1)),
                LOG_C("hint", "restored without pg_resetwal --epoch; see Backup and restore"));
            return;
        }
}

static void first_read(struct watch *watch, const PGresult *identity, const PGresult *newest)
{
    future_tell(newest);
    for (size_t i = 0; i < contract_table_count; i++)
        bump(watch, i);
    pthread_rwlock_wrlock(&watch->shared_lock);
    watch->seed = 1;
    for (int column = 0; column < 3; column++)
        watch->seed = mix(watch->seed, cell_number(identity, 0, column));
    watch->floor = cell_number(newest, 0, 0); /* "xmin:..." */
    memset(watch->newest, 0, sizeof watch->newest);
    for (int row = 0; row < PQntuples(newest); row++) {
        int table = table_find(PQgetvalue(newest, row, 1));
        if (table >= 0)
            watch->newest[table] = cell_number(newest, row, 2);
    }
    watch->done = watch->began;
    pthread_rwlock_unlock(&watch->shared_lock);
    watch->recovering = PQgetvalue(identity, 0, 3)[0] == 't';
    memset(watch->counts, 0,
           sizeof watch->counts); /* on a standby all counts as changed once more */
    snapshot_keep(watch, newest);
}

/* False when the server was promoted meanwhile: its numbers now belong to another history. */
static bool look_read(struct watch *watch, const PGresult *result)
{
    uint64_t counts[TABLES_MAX] = {0}, later[TABLES_MAX] = {0}, newest[TABLES_MAX] = {0};
    if (PQntuples(result) < 1 || (PQgetvalue(result, 0, 1)[0] == 't') != watch->recovering)
        return false;
    for (int row = 0; row < PQntuples(result); row++) {
        int table = table_find(PQgetvalue(result, row, 2));
        if (table < 0)
            continue;
        newest[table] = cell_number(result, row, 3);
        counts[table] = cell_number(result, row, 4);
        later[table] = cell_number(result, row, 5);
    }
    for (size_t i = 0; i < contract_table_count; i++)
        if (counts[i] != watch->counts[i])
            bump(watch, i);
    memcpy(watch->counts, later, sizeof later);
    snapshot_keep(watch, result);
    pthread_rwlock_wrlock(&watch->shared_lock);
    watch->floor = cell_number(result, 0, 0); /* "xmin:..." */
    for (size_t i = 0; i < contract_table_count; i++)
        if (newest[i] > watch->newest[i])
            watch->newest[i] = newest[i];
    watch->done = watch->began;
    pthread_rwlock_unlock(&watch->shared_lock);
    return true;
}

/* ---- the thread ------------------------------------------------------------------------------ */

static void look_failed(struct watch *watch, const char *reason)
{
    if (!watch->failing)
        log_event(LOG_WARNING, "watch_look_failed", LOG_C("reason", reason));
    watch->failing = true;
    session_close(watch->session);
    watch->session = NULL;
}

static const char *exchange_reason(const struct exchange *exchange)
{
    const char *message = exchange->error
                              ? PQresultErrorField(exchange->error, PG_DIAG_MESSAGE_PRIMARY)
                              : NULL;
    return message ? message : "no answer in time";
}

static bool look_first(struct watch *watch)
{
    char reason[256] = "";
    pthread_mutex_lock(&watch->lock);
    watch->connecting = true;
    pthread_mutex_unlock(&watch->lock);
    watch->session = session_open(&watch->options, reason, sizeof reason);
    pthread_mutex_lock(&watch->lock);
    watch->connecting = false;
    pthread_mutex_unlock(&watch->lock);
    if (!watch->session) {
        look_failed(watch, reason);
        return false;
    }
    struct buffer names = {0};
    struct exchange exchange;
    int64_t began_at_ms = clock_monotonic_ms();
    names_literal(&names);
    look_began(watch);
    exchange_begin(&exchange, watch->session);
    exchange_engine(&exchange, &engine_identity, NULL);
    exchange_engine(&exchange, &engine_newest, (const char *const[]){names.data});
    bool good = exchange_finish(
        &exchange, began_at_ms + 5 * LOOK_MS); /* the first reads every table's newest */
    if (good) {
        first_read(watch, exchange.runs[0], exchange.runs[1]);
        look_done(watch, began_at_ms);
    } else {
        look_failed(watch, exchange_reason(&exchange));
    }
    exchange_end(&exchange);
    buffer_free(&names);
    return good;
}

static bool look_again(struct watch *watch)
{
    struct exchange exchange;
    int64_t began_at_ms = clock_monotonic_ms();
    look_began(watch);
    exchange_begin(&exchange, watch->session);
    exchange_engine(&exchange, watch->recovering ? &engine_look_standby : &engine_look,
                    (const char *const[]){watch->snapshot});
    bool good = exchange_finish(&exchange, began_at_ms + LOOK_MS);
    if (good)
        watch->retry_ms = RETRY_MS;
    else if (exchange.late && watch->retry_ms < RETRY_MOST_MS)
        watch->retry_ms *= 2;
    if (!good)
        look_failed(watch, exchange_reason(&exchange));
    else if ((good = look_read(watch, exchange.runs[0])))
        look_done(watch, began_at_ms);
    else
        look_failed(watch, "the server was promoted");
    exchange_end(&exchange);
    return good;
}

static void watch_destroy(struct watch *watch)
{
    session_close(watch->session);
    pthread_cond_destroy(&watch->wake);
    pthread_mutex_destroy(&watch->lock);
    pthread_rwlock_destroy(&watch->shared_lock);
    free((char *)(uintptr_t)watch->options.url);
    free(watch->snapshot);
    free(watch);
}

static void *watch_run(void *argument)
{
    struct watch *watch = argument;
    bool stopping = false, orphan = false;
    while (!stopping) {
        bool good = watch->session ? look_again(watch) : look_first(watch);
        int64_t pause_ms = good || watch->interval_ms > watch->retry_ms ? watch->interval_ms
                                                                        : watch->retry_ms;
        int64_t until_ms = clock_monotonic_ms() + pause_ms;
        struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};
        pthread_mutex_lock(&watch->lock);
        while (!watch->stopping && clock_monotonic_ms() < until_ms)
            pthread_cond_timedwait(&watch->wake, &watch->lock, &until);
        stopping = watch->stopping;
        orphan = watch->orphan;
        pthread_mutex_unlock(&watch->lock);
    }
    if (orphan)
        watch_destroy(watch);
    return NULL;
}

/* ---- the watch ------------------------------------------------------------------------------- */

struct watch *watch_new(const char *url, int64_t interval_ms)
{
    assert(contract_table_count <= TABLES_MAX);
    struct watch *watch = memory_alloc(sizeof *watch);
    /* A few rows at the end of a long table, and a plan that cannot know it. */
    watch->options = (struct session_options){.url = memory_copy(url),
                                              .statement_timeout_ms = 5 * LOOK_MS,
                                              .settings = "-c enable_seqscan=off"};
    watch->interval_ms = interval_ms;
    watch->retry_ms = RETRY_MS;
    atomic_init(&watch->seen_at_ms, clock_monotonic_ms());
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_rwlock_init(&watch->shared_lock, NULL);
    pthread_mutex_init(&watch->lock, NULL);
    pthread_cond_init(&watch->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);

    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the main thread */
    if (pthread_create(&watch->thread, NULL, watch_run, watch) != 0)
        abort(); /* a process that cannot start its threads does not start */
    pthread_setname_np(watch->thread, "watch");
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return watch;
}

void watch_free(struct watch *watch)
{
    if (!watch)
        return;
    pthread_mutex_lock(&watch->lock);
    pthread_t thread = watch->thread;
    bool orphan = watch->connecting;
    watch->stopping = true;
    watch->orphan = orphan;
    pthread_cond_signal(&watch->wake);
    pthread_mutex_unlock(&watch->lock);
    if (orphan) { /* libpq's connect cannot be interrupted: the thread tidies up */
        pthread_detach(thread);
        return;
    }
    pthread_join(thread, NULL);
    watch_destroy(watch);
}

static uint64_t shared_version(struct watch *watch, const uint16_t *tables, size_t count)
{
    pthread_rwlock_rdlock(&watch->shared_lock);
    uint64_t version = watch->seed;
    bool known = true;
    for (size_t i = 0; i < count && known; i++) {
        /* Below the oldest running transaction nothing can appear any more: then, and only
         * then, the newest visible change says what is there. */
        known = watch->newest[tables[i]] < watch->floor && watch->dirty[tables[i]] < watch->done;
        version = mix(version, watch->newest[tables[i]]);
    }
    pthread_rwlock_unlock(&watch->shared_lock);
    if (!known)
        return 0;
    return version ? version : 1;
}

bool watch_version(struct watch *watch, const uint16_t *tables, size_t count, uint64_t *ret_local,
                   uint64_t *ret_shared)
{
    uint64_t local = 0;
    if (!atomic_load(&watch->seen) || watch_age_ms(watch) > BLIND_MS)
        return false;
    /* Each counter only grows, so equal sums mean that none has moved. */
    for (size_t i = 0; i < count; i++)
        local += atomic_load_explicit(&watch->local[tables[i]], memory_order_acquire);
    if (ret_shared)
        *ret_shared = shared_version(watch, tables, count);
    *ret_local = local;
    return true;
}

void watch_committed(struct watch *watch, const struct table_set *changed)
{
    pthread_rwlock_wrlock(&watch->shared_lock);
    for (size_t i = 0; i < contract_table_count; i++)
        if (changed->bits[i / 64] >> i % 64 & 1U)
            watch->dirty[i] = watch->began;
    pthread_rwlock_unlock(&watch->shared_lock);
    for (size_t i = 0; i < contract_table_count; i++)
        if (changed->bits[i / 64] >> i % 64 & 1U)
            bump(watch, i);
}

int64_t watch_age_ms(struct watch *watch)
{
    return clock_monotonic_ms() - atomic_load(&watch->seen_at_ms);
}
