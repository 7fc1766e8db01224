/* The pool. The rule never to break: a connection's state names the list it is on, and only
 * move() and lent_to() change either. Nothing that can wait (connecting, closing) is done under the lock;
 * all else is.
 *
 * Who waits stands in one queue and is served in turn; writers beyond their share are passed over. While
 * somebody else waits no connection is idle: a connection that comes free goes straight to the first in the queue. Connecting is
 * done by one thread, because libpq's blocking connect is the one that tries several hosts. */
#define _GNU_SOURCE /* pthread_setname_np */
#include "db/pool.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/base/clock.h"
#include "api/base/log.h"
#include "db/client.h"
#include "db/connection.h"
#include "db/queue.h"

#define BACK_OFF_MS 250 /* after a connect that failed: nobody tries before */
#define DOWN_WAIT_MS                                                                               \
    500 /* the longest wait while the last connect failed and no connection lives */
#define REAP_INTERVAL_MS 5000
#define LOG_INTERVAL_MS 10000

struct pool {
    struct session_options options;
    size_t size;
    pthread_mutex_t lock;
    pthread_cond_t work; /* for the connecting thread */
    struct {
        struct connection *first;
        size_t count;
    } lists[CONNECTION_STATES];
    struct queue queue;
    size_t writing, writing_most; /* lent by pool_lend_write(), now and at most */
    size_t vacant;                /* lent connections whose session is gone, see pool_replace() */
    size_t closing;               /* taken off the lists, not closed yet */
    int64_t retry_at_ms;          /* end of the back-off, 0 without one */
    int64_t logged_at_ms;
    bool down; /* the last connect failed */
    bool connecting, stopping, orphan;
    bool cancelled; /* lends nothing any more */
    pthread_t thread;
    uint64_t lends, waits, wait_us, refused, broken;
};

/* ---- lists ----------------------------------------------------------------------------------- */

static void list_remove(struct pool *pool, struct connection *connection)
{
    if (connection->previous)
        connection->previous->next = connection->next;
    else
        pool->lists[connection->state].first = connection->next;
    if (connection->next)
        connection->next->previous = connection->previous;
    pool->lists[connection->state].count--;
}

/* At the front: the connection used last is the next one lent, its caches warm. */
static void list_add(struct pool *pool, struct connection *connection, enum connection_state state)
{
    connection->state = state;
    connection->previous = NULL;
    connection->next = pool->lists[state].first;
    if (connection->next)
        connection->next->previous = connection;
    pool->lists[state].first = connection;
    pool->lists[state].count++;
}

static void move(struct pool *pool, struct connection *connection, enum connection_state state)
{
    static const bool allowed[CONNECTION_STATES][CONNECTION_STATES] = {
        [CONNECTION_CONNECTING] = {[CONNECTION_IDLE] = true, [CONNECTION_BROKEN] = true},
        [CONNECTION_IDLE] = {[CONNECTION_LENT] = true, [CONNECTION_BROKEN] = true},
        [CONNECTION_LENT] = {[CONNECTION_IDLE] = true, [CONNECTION_BROKEN] = true},
    };
    assert(allowed[connection->state][state]);
    list_remove(pool, connection);
    list_add(pool, connection, state);
}

static void lent_to(struct pool *pool, struct connection *connection, bool writing)
{
    move(pool, connection, CONNECTION_LENT);
    connection->writing = writing;
    pool->writing += writing;
}

static void given_back(struct pool *pool, struct connection *connection,
                       enum connection_state state)
{
    pool->writing -= connection->writing;
    connection->writing = false;
    move(pool, connection, state);
}

static void connection_new(struct pool *pool)
{
    struct connection *connection = memory_alloc(sizeof *connection);
    connection->pool = pool;
    list_add(pool, connection, CONNECTION_CONNECTING);
}

/* Connections that hold, or may soon hold, a session with the server. */
static size_t pool_total(const struct pool *pool)
{
    size_t total = pool->closing;
    for (size_t i = 0; i < CONNECTION_STATES; i++)
        total += pool->lists[i].count;
    return total - pool->vacant;
}

static size_t pool_living(const struct pool *pool)
{
    return pool->lists[CONNECTION_LENT].count + pool->lists[CONNECTION_IDLE].count - pool->vacant;
}

/* ---- serving the queue ----------------------------------------------------------------------- */

/* The first who may be served, or NULL; *ret_count is how many may. */
static struct waiter *next_of(const struct pool *pool, size_t *ret_count)
{
    return queue_next(&pool->queue, pool->writing_most - pool->writing, ret_count);
}

/* After every change: serves the queue, starts what it needs, and refuses it when nothing can
 * serve it. */
static void settle(struct pool *pool)
{
    size_t able;
    struct waiter *next;
    while (pool->cancelled && pool->queue.first)
        queue_take(&pool->queue, pool->queue.first)->refused = true;
    while ((next = next_of(pool, &able)) && pool->lists[CONNECTION_IDLE].first) {
        struct connection *connection = pool->lists[CONNECTION_IDLE].first;
        lent_to(pool, connection, next->writing);
        queue_take(&pool->queue, next)->granted = connection;
    }
    bool backing_off = pool->retry_at_ms && clock_monotonic_ms() < pool->retry_at_ms;
    while (!backing_off && able > pool->lists[CONNECTION_CONNECTING].count &&
           pool_total(pool) < pool->size) {
        connection_new(pool);
        pthread_cond_signal(&pool->work);
    }
    if (backing_off && pool->queue.first) {
        if (!pool_living(pool) && !pool->lists[CONNECTION_CONNECTING].count)
            while (pool->queue.first)
                queue_take(&pool->queue, pool->queue.first)->refused = true;
        else
            pthread_cond_signal(&pool->work); /* to look again after the back-off */
    }
}

/* Closes what is BROKEN. Called with the lock held; lets it go meanwhile, so after settle(): a
 * connection must not be seen idle while somebody waits. */
static void sweep(struct pool *pool)
{
    struct connection *connection;
    bool swept = false;
    while ((connection = pool->lists[CONNECTION_BROKEN].first)) {
        list_remove(pool, connection);
        pool->closing++;
        pthread_mutex_unlock(&pool->lock);
        session_close(connection->session);
        free(connection);
        pthread_mutex_lock(&pool->lock);
        pool->closing--;
        swept = true;
    }
    if (swept)
        settle(pool);
}

static struct timespec timespec_of(int64_t ms)
{
    return (struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
}

/* ---- the connecting thread ------------------------------------------------------------------- */

static void connect_failed(struct pool *pool, const char *reason)
{
    int64_t now_ms = clock_monotonic_ms();
    if (!pool->down || now_ms - pool->logged_at_ms >= LOG_INTERVAL_MS) {
        log_event(LOG_WARNING, "database_connect_failed", LOG_C("reason", reason));
        pool->logged_at_ms = now_ms;
    }
    pool->down = true;
    pool->retry_at_ms = now_ms + BACK_OFF_MS;
    /* The others would fail alike. */
    while (pool->lists[CONNECTION_CONNECTING].first)
        move(pool, pool->lists[CONNECTION_CONNECTING].first, CONNECTION_BROKEN);
}

static void connect_one(struct pool *pool)
{
    char reason[256] = "";
    pool->connecting = true;
    pthread_mutex_unlock(&pool->lock);
    struct session *session = session_open(&pool->options, reason, sizeof reason);
    pthread_mutex_lock(&pool->lock);
    pool->connecting = false;
    struct connection *connection = pool->lists[CONNECTION_CONNECTING].first;
    assert(connection); /* only this thread takes any off the list */
    if (session) {
        if (pool->down)
            log_event(LOG_INFO, "database_connected", LOG_I("waiting", pool->queue.waiting));
        pool->down = false;
        pool->retry_at_ms = 0;
        connection->session = session;
        move(pool, connection, CONNECTION_IDLE);
    } else {
        connect_failed(pool, reason);
    }
    settle(pool);
    sweep(pool);
}

static void reap(struct pool *pool)
{
    int64_t now_ms = clock_monotonic_ms();
    struct connection *next = pool->lists[CONNECTION_IDLE].first;
    while (next) {
        struct connection *connection = next;
        next = connection->next;
        if (connection->session->expires_ms <= now_ms)
            move(pool, connection, CONNECTION_BROKEN);
    }
    sweep(pool);
}

static void pool_destroy(struct pool *pool)
{
    for (size_t i = 0; i < CONNECTION_STATES; i++) {
        struct connection *next;
        while ((next = pool->lists[i].first)) {
            list_remove(pool, next);
            session_close(next->session);
            free(next);
        }
    }
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->lock);
    free((char *)(uintptr_t)pool->options.url);
    free(pool);
}

static void *connect_run(void *argument)
{
    struct pool *pool = argument;
    pthread_mutex_lock(&pool->lock);
    while (!pool->stopping) {
        if (pool->lists[CONNECTION_CONNECTING].first) {
            connect_one(pool);
            continue;
        }
        int64_t now_ms = clock_monotonic_ms();
        int64_t wake_ms = now_ms + REAP_INTERVAL_MS;
        if (pool->queue.first && pool->retry_at_ms > now_ms)
            wake_ms = pool->retry_at_ms;
        struct timespec until = timespec_of(wake_ms);
        pthread_cond_timedwait(&pool->work, &pool->lock, &until);
        reap(pool);
        settle(pool);
    }
    bool orphan = pool->orphan;
    pthread_mutex_unlock(&pool->lock);
    if (orphan)
        pool_destroy(pool);
    return NULL;
}

/* ---- the pool -------------------------------------------------------------------------------- */

struct pool *pool_new(const struct pool_options *options)
{
    struct pool *pool = memory_alloc(sizeof *pool);
    pool->options = (struct session_options){.url = memory_copy(options->url),
                                             .statement_timeout_ms = options->statement_timeout_ms,
                                             .lifetime_ms = options->lifetime_ms,
                                             .settings = ""};
    pool->size = options->size;
    pool->writing_most = options->size > 1 ? options->size - (options->size + 3) / 4 : 1;
    queue_init(&pool->queue);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, &monotonic);
    pthread_condattr_destroy(&monotonic);

    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the main thread */
    if (pthread_create(&pool->thread, NULL, connect_run, pool) != 0)
        abort(); /* a process that cannot start its threads does not start */
    pthread_setname_np(pool->thread, "pool-connect");
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return pool;
}

void pool_free(struct pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    assert(pool->lists[CONNECTION_LENT].count == 0 && !pool->queue.first);
    pthread_t thread = pool->thread;
    bool orphan = pool->connecting;
    pool->stopping = true;
    pool->orphan = orphan;
    pthread_cond_signal(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    if (orphan) { /* libpq's connect cannot be interrupted: the thread tidies up when it is over */
        pthread_detach(thread);
        return;
    }
    pthread_join(thread, NULL);
    pool_destroy(pool);
}

/* Waits in turn. Called and left with the lock held. */
static enum problem_code wait_in_turn(struct pool *pool, int64_t deadline_ms, bool first,
                                      bool writing, struct connection **ret_connection)
{
    struct waiter waiter;
    int64_t began_us = clock_monotonic_us();
    queue_join(&pool->queue, &waiter, first, writing);
    settle(pool);
    bool waited = !waiter.granted && !waiter.refused;
    bool late = false;
    while (!waiter.granted && !waiter.refused && !late) {
        int64_t until_ms = deadline_ms;
        /* While the database is known to be away nobody is held up for long; what is
         * connecting goes on. */
        if (pool->down && !pool_living(pool) && began_us / 1000 + DOWN_WAIT_MS < until_ms)
            until_ms = began_us / 1000 + DOWN_WAIT_MS;
        int64_t now_ms = clock_monotonic_ms(), look_ms = client_look_ms(now_ms);
        struct timespec until = timespec_of(look_ms < until_ms ? look_ms : until_ms);
        if (now_ms >= until_ms || client_left())
            late = true;
        else
            pthread_cond_timedwait(&waiter.wake, &pool->lock, &until);
    }
    queue_leave(&pool->queue, &waiter);
    pthread_cond_destroy(&waiter.wake);
    if (waited) {
        pool->waits++;
        pool->wait_us += (uint64_t)(clock_monotonic_us() - began_us);
    }
    if (waiter.granted) {
        *ret_connection = waiter.granted;
        return PROBLEM_NONE;
    }
    pool->refused++;
    if (pool->cancelled)
        return PROBLEM_draining;
    return pool_living(pool) ? PROBLEM_busy : PROBLEM_database_unavailable;
}

/* An idle connection that the server has not closed, else one that comes free or is made. */
static enum problem_code lend(struct pool *pool, int64_t deadline_ms, bool first, bool writing,
                              struct connection **ret_connection)
{
    size_t able;
    enum problem_code code = PROBLEM_NONE;
    struct connection *connection = NULL;
    pthread_mutex_lock(&pool->lock);
    bool room = !writing || pool->writing < pool->writing_most;
    while (room && !pool->cancelled && !next_of(pool, &able) && !connection &&
           (connection = pool->lists[CONNECTION_IDLE].first)) {
        lent_to(pool, connection, writing);
        pthread_mutex_unlock(&pool->lock);
        bool quiet = session_quiet(connection->session);
        pthread_mutex_lock(&pool->lock);
        if (quiet)
            break;
        given_back(pool, connection, CONNECTION_BROKEN);
        pool->broken++;
        connection = NULL;
        first = true; /* it had its turn */
        sweep(pool);
    }
    if (!connection)
        code = wait_in_turn(pool, deadline_ms, first, writing, &connection);
    if (code == PROBLEM_NONE) {
        pool->lends++;
        *ret_connection = connection;
    }
    pthread_mutex_unlock(&pool->lock);
    return code;
}

enum problem_code pool_lend(struct pool *pool, int64_t deadline_ms,
                            struct connection **ret_connection)
{
    return lend(pool, deadline_ms, false, false, ret_connection);
}

enum problem_code pool_lend_write(struct pool *pool, int64_t deadline_ms,
                                  struct connection **ret_connection)
{
    return lend(pool, deadline_ms, false, true, ret_connection);
}

void pool_return(struct pool *pool, struct connection *connection)
{
    const struct session *session = connection->session;
    bool broken = !session || session->broken;
    bool over = !broken && (session->in_transaction || session->expires_ms <= clock_monotonic_ms());
    pthread_mutex_lock(&pool->lock);
    pool->broken += broken;
    given_back(pool, connection, broken || over ? CONNECTION_BROKEN : CONNECTION_IDLE);
    settle(pool);
    sweep(pool);
    pthread_mutex_unlock(&pool->lock);
}

bool pool_replace(struct connection *connection, int64_t deadline_ms)
{
    struct pool *pool = connection->pool;
    struct connection *other = NULL;
    struct session *dead = connection->session;
    pthread_mutex_lock(&pool->lock);
    connection->session = NULL; /* under the lock: pool_cancel() reads it */
    pthread_mutex_unlock(&pool->lock);
    session_close(dead);
    pthread_mutex_lock(&pool->lock);
    pool->broken++;
    pool->vacant++; /* so that the pool may make another in its place */
    settle(pool);
    pthread_mutex_unlock(&pool->lock);

    bool found = lend(pool, deadline_ms, true, false, &other) == PROBLEM_NONE;
    pthread_mutex_lock(&pool->lock);
    if (found) {
        connection->session = other->session;
        other->session = NULL;
        move(pool, other, CONNECTION_BROKEN);
        pool->lends--; /* the caller's own was counted */
    }
    pool->vacant--;
    settle(pool);
    sweep(pool);
    pthread_mutex_unlock(&pool->lock);
    return found;
}

size_t pool_cancel(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->cancelled = true;
    settle(pool);
    struct connection *connection = pool->lists[CONNECTION_LENT].first;
    for (; connection; connection = connection->next)
        if (connection->session)
            session_cancel_done(session_cancel(connection->session), false);
    size_t lent = pool->lists[CONNECTION_LENT].count;
    pthread_mutex_unlock(&pool->lock);
    return lent;
}

void pool_read(struct pool *pool, struct pool_figures *ret_figures)
{
    pthread_mutex_lock(&pool->lock);
    *ret_figures = (struct pool_figures){.size = pool->size,
                                         .lent = pool->lists[CONNECTION_LENT].count,
                                         .writing = pool->writing,
                                         .idle = pool->lists[CONNECTION_IDLE].count,
                                         .waiting = pool->queue.waiting,
                                         .lends = pool->lends,
                                         .waits = pool->waits,
                                         .wait_us = pool->wait_us,
                                         .refused = pool->refused,
                                         .broken = pool->broken};
    pthread_mutex_unlock(&pool->lock);
}
