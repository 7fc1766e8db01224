/* Sessions: opening, closing, cancelling, and which statements each has prepared. The rule
 * never to break: a slot is READY only after the server has said so; whatever is not known for
 * sure makes the session broken. */
#define _GNU_SOURCE /* pthread_setname_np */
#include "db/connection.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "api/base/clock.h"
#include "api/base/log.h"

/* ---- opening --------------------------------------------------------------------------------- */

static void notice_log(void *unused, const PGresult *result)
{
    (void)unused;
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    log_event(LOG_DEBUG, "database_notice", LOG_C("message", message ? message : ""));
}

/* What the URL itself says in `options`, so that ours can be added instead of replacing it. */
static char *url_options(struct arena *arena, const char *url)
{
    char *found = arena_cstr(arena, SPAN(""));
    PQconninfoOption *list = PQconninfoParse(url, NULL);
    for (PQconninfoOption *option = list; option && option->keyword; option++)
        if (strcmp(option->keyword, "options") == 0 && option->val)
            found = arena_cstr(arena, span_of(option->val));
    PQconninfoFree(list);
    return found;
}

/* The server's settings of every session. lock_timeout is well below the statement's own, so
 * that a row that somebody else holds is `busy`, not `timeout`; a transaction left open holds
 * locks, so it has an end too. */
static char *server_options(struct arena *arena, const struct session_options *options)
{
    long long statement_ms = options->statement_timeout_ms;
    return arena_printf(
        arena,
        "%s -c default_transaction_read_only=on -c plan_cache_mode=force_generic_plan"
        " -c TimeZone=UTC -c DateStyle=ISO -c jit=off -c statement_timeout=%lld"
        " -c client_connection_check_interval=1000" /* what was given up waits for no lock */
        " -c lock_timeout=%lld -c idle_in_transaction_session_timeout=%lld %s",
        url_options(arena, options->url), statement_ms, statement_ms / 2 + 1, statement_ms + 10000,
        options->settings);
}

static PGconn *connect_with(const struct session_options *options)
{
    struct arena *arena = arena_new(4096);
    /* What stands before dbname the URL may override, what stands after it it may not. */
    const char *const names[] = {"application_name", "connect_timeout",
                                 "keepalives_idle",  "keepalives_interval",
                                 "keepalives_count", "tcp_user_timeout",
                                 "dbname",           "client_encoding",
                                 "options",          NULL};
    const char *const values[] = {"tpbis",      "3",    "30",
                                  "10",         "3",    "30000",
                                  options->url, "UTF8", server_options(arena, options),
                                  NULL};
    PGconn *pg = PQconnectdbParams(names, values, 1);
    arena_free(arena);
    return pg;
}

/* With ten per cent of jitter, so that sessions opened together do not end together. */
static int64_t expiry(int64_t lifetime_ms)
{
    uint32_t random = 0;
    if (lifetime_ms <= 0)
        return INT64_MAX;
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != (ssize_t)sizeof random)
        random = (uint32_t)clock_monotonic_us();
    return clock_monotonic_ms() + lifetime_ms - lifetime_ms / 10 +
           (int64_t)random % (lifetime_ms / 5 + 1);
}

/* Made once, so that nobody but the session's own thread has to touch its PGconn. */
struct cancel_handle {
    PGcancel *pg;
    atomic_int references; /* the session and every request under way */
};

static struct cancel_handle *cancel_handle_new(PGconn *pg)
{
    struct cancel_handle *handle = memory_alloc(sizeof *handle);
    handle->pg = PQgetCancel(pg);
    atomic_init(&handle->references, 1);
    return handle;
}

static void cancel_handle_release(struct cancel_handle *handle)
{
    if (atomic_fetch_sub(&handle->references, 1) != 1)
        return;
    PQfreeCancel(handle->pg);
    free(handle);
}

struct session *session_open(const struct session_options *options, char *ret_reason,
                             size_t reason_bytes)
{
    PGconn *pg = connect_with(options);
    bool good = PQstatus(pg) == CONNECTION_OK;
    if (good) {
        PQsetNoticeReceiver(pg, notice_log, NULL);
        good = PQsetnonblocking(pg, 1) == 0 && PQenterPipelineMode(pg) == 1;
    }
    if (!good) {
        const char *message = pg ? PQerrorMessage(pg) : "out of memory";
        snprintf(ret_reason, reason_bytes, "%.*s", (int)strcspn(message, "\n"), message);
        PQfinish(pg);
        return NULL;
    }
    struct session *session = memory_alloc(sizeof *session);
    session->pg = pg;
    session->cancel = cancel_handle_new(pg);
    session->expires_ms = expiry(options->lifetime_ms);
    return session;
}

void session_close(struct session *session)
{
    if (!session)
        return;
    cancel_handle_release(session->cancel);
    PQfinish(session->pg);
    free(session);
}

bool session_quiet(const struct session *session)
{
    if (session->broken || PQstatus(session->pg) != CONNECTION_OK)
        return false;
    /* After a server's end the status still says OK, but its farewell, or the end of file, is
     * readable. */
    struct pollfd descriptor = {.fd = PQsocket(session->pg), .events = POLLIN};
    int ready;
    do
        ready = poll(&descriptor, 1, 0);
    while (ready < 0 && errno == EINTR);
    return ready == 0;
}

static void notice_print(void *out, const PGresult *result)
{
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    /* privilege_not_revoked: of an extension's functions, which are not the owner's to take back */
    bool moot = state && strcmp(state, "01006") == 0;
    if (message && severity && strcmp(severity, "WARNING") == 0 && !moot)
        fprintf(out, "warning: %s\n", message);
}

PGconn *session_open_plain(const char *url, FILE *out)
{
    const char *const names[] = {"application_name", "connect_timeout", "dbname", "client_encoding",
                                 NULL};
    const char *const values[] = {"tpbis-owner", "5", url, "UTF8", NULL};
    PGconn *pg = PQconnectdbParams(names, values, 1);
    if (PQstatus(pg) == CONNECTION_OK) {
        PQsetNoticeReceiver(pg, notice_print, out);
        return pg;
    }
    fprintf(out, "cannot connect: %s", pg ? PQerrorMessage(pg) : "out of memory\n");
    PQfinish(pg);
    return NULL;
}

/* ---- cancelling ------------------------------------------------------------------------------ */

#define CANCELS_AT_ONCE 8 /* more say that the server does not listen */
#define CANCEL_WAIT_MS 50

struct session_cancel {
    struct cancel_handle *handle;
    atomic_int references; /* the request and the thread */
    atomic_bool done;
};
static atomic_int cancels_running;

static void cancel_release(struct session_cancel *cancel)
{
    if (atomic_fetch_sub(&cancel->references, 1) != 1)
        return;
    cancel_handle_release(cancel->handle);
    free(cancel);
}

static void *cancel_run(void *argument)
{
    struct session_cancel *cancel = argument;
    char reason[256];
    if (PQcancel(cancel->handle->pg, reason, sizeof reason))
        atomic_store(&cancel->done, true);
    cancel_release(cancel);
    atomic_fetch_sub(&cancels_running, 1);
    return NULL;
}

struct session_cancel *session_cancel(struct session *session)
{
    if (!session->cancel->pg)
        return NULL;
    if (atomic_fetch_add(&cancels_running, 1) >= CANCELS_AT_ONCE) {
        atomic_fetch_sub(&cancels_running, 1);
        return NULL;
    }
    struct session_cancel *cancel = memory_alloc(sizeof *cancel);
    cancel->handle = session->cancel;
    atomic_fetch_add(&cancel->handle->references, 1);
    atomic_init(&cancel->references, 2);

    sigset_t all, before;
    pthread_attr_t detached;
    pthread_t thread;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the main thread */
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    bool started = pthread_create(&thread, &detached, cancel_run, cancel) == 0;
    pthread_attr_destroy(&detached);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (started)
        return cancel;
    atomic_fetch_sub(&cancels_running, 1);
    cancel_handle_release(cancel->handle);
    free(cancel);
    return NULL;
}

bool session_cancel_done(struct session_cancel *cancel, bool worth_waiting)
{
    if (!cancel)
        return false;
    const struct timespec moment = {.tv_nsec = 1000000};
    bool done = worth_waiting && atomic_load(&cancel->done);
    for (int i = 0; worth_waiting && !done && i < CANCEL_WAIT_MS; i++) {
        nanosleep(&moment, NULL);
        done = atomic_load(&cancel->done);
    }
    cancel_release(cancel);
    return done;
}

/* ---- prepared statements --------------------------------------------------------------------- */

struct prepared *session_prepared(struct session *session, uint16_t statement,
                                  const struct variant *variant)
{
    struct prepared *free_slot = NULL;
    for (size_t i = 0; i < PREPARED_SLOTS; i++) {
        struct prepared *slot = &session->prepared[i];
        if (slot->state == PREPARED_FREE) {
            if (!free_slot)
                free_slot = slot;
        } else if (slot->state != PREPARED_DOOMED && slot->statement == statement &&
                   slot->mask == variant->mask && slot->key_types == variant->key_types &&
                   slot->count == variant->count) {
            slot->used = ++session->uses;
            return slot;
        }
    }
    assert(free_slot); /* session_trim() leaves more than one exchange can use */
    *free_slot = (struct prepared){.mask = variant->mask,
                                   .used = ++session->uses,
                                   .serial = ++session->serial,
                                   .statement = statement,
                                   .key_types = variant->key_types,
                                   .count = variant->count};
    return free_slot;
}

void session_trim(struct session *session)
{
    for (;;) {
        struct prepared *oldest = NULL;
        size_t ready = 0;
        for (size_t i = 0; i < PREPARED_SLOTS; i++) {
            struct prepared *slot = &session->prepared[i];
            if (slot->state != PREPARED_READY)
                continue;
            ready++;
            if (!oldest || slot->used < oldest->used)
                oldest = slot;
        }
        if (ready <= PREPARED_KEPT)
            return;
        oldest->state = PREPARED_DOOMED;
    }
}
