/* The jobs and their thread. Rule: a job may run in any process, at any time, and twice in a row; what must not run twice
 * at once is a statement, which holds the job's lock until its transaction ends. */
#define _GNU_SOURCE /* pthread_setname_np */
#include "api/jobs.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include "api/base/backoff.h"
#include "api/base/clock.h"
#include "api/base/log.h"
#include "auth/user_mail.h"

#define FIRST_RUN_MS                                                                               \
    10000             /* at the latest: a process that is often restarted still does its work */
#define ROUNDS_MAX 20 /* while a job says that there is more; then the others have their turn */

#define PAUSE_MOST_MS 60000     /* of a job that fails the same way again and again */
#define DEADLINE_MOST_MS 600000 /* of one that ran out of time again and again */

#define CANCEL_INTERVAL_MS 20
#define CANCEL_WAIT_MS 1000

/* Of `statement` (internal, :one, see db/queries/jobs.sql) and `run` one is set. A statement runs in one process at a time,
 * in a write transaction of its own; a function runs in each process, and says whether it went well. */
struct job {
    const char *name, *statement;
    bool (*run)(struct service *service);
    size_t every_s; /* where the interval stands in the settings */
    bool
        eager; /* looks at what somebody may just be mending: tried at its interval although it fails */
};

#define EVERY(setting) offsetof(struct settings, setting)

/* The uses of this process, which only it knows. */
static bool api_key_uses_write(struct service *service)
{
    return auth_write_uses(service->auth,
                           clock_monotonic_ms() + service->settings.statement_timeout_ms);
}

/* Each process sees for itself what stands in the key directory. */
static bool keys_keep(struct service *service)
{
    char *complaint = NULL;
    size_t len = 0;
    FILE *errors = open_memstream(&complaint, &len);
    bool good = auth_keep_keys(service->auth, service->settings.key_rotation_days, errors);
    fclose(errors);
    if (!good)
        log_event(LOG_ERROR, "keys_not_kept", LOG_C("why", complaint));
    free(complaint);
    return good;
}

/* One-time links that go by mail; none where no server is named. Processes take one link each at a time. */
static bool links_mail(struct service *service)
{
    const struct settings *settings = &service->settings;
    const struct mail_server server = {.url = settings->smtp_url,
                                       .from = settings->smtp_from,
                                       .user = settings->smtp_user,
                                       .password = settings->smtp_password,
                                       .ca_file = settings->smtp_ca_file,
                                       .tls = strcmp(settings->smtp_tls, "off") != 0};
    return !*server.url || user_mail_send(service->pool, &server, service->base_url,
                                          service->settings.statement_timeout_ms);
}

static const struct job table[] = {
    {"mail_links", .run = links_mail, .every_s = EVERY(mail_interval_s)},
    {"purge_login_throttle", .statement = "purge_login_throttle",
     .every_s = EVERY(purge_interval_s)},
    {"keep_keys", .run = keys_keep, .every_s = EVERY(key_look_interval_s), .eager = true},
    {"purge_mail", .statement = "purge_mail", .every_s = EVERY(purge_interval_s)},
    {"purge_oauth", .statement = "purge_oauth", .every_s = EVERY(purge_interval_s)},
    {"purge_rates", .statement = "purge_rates", .every_s = EVERY(purge_interval_s)},
    {"write_api_key_uses", .run = api_key_uses_write, .every_s = EVERY(api_key_use_interval_s)},
    {"lift_restrictions", .statement = "lift_restrictions", .every_s = EVERY(purge_interval_s)},
    {"audit_seal", .statement = "audit_seal", .every_s = EVERY(audit_seal_interval_s)},
    {"purge_idempotency", .statement = "purge_idempotency", .every_s = EVERY(purge_interval_s)},
};
#define JOBS (sizeof(table) / sizeof(*table))

struct job_state {
    int64_t due_ms; /* of the thread alone, as what follows */
    struct backoff backoff;
    int64_t deadline_ms; /* how long a round may take; 0: statement_timeout_ms */
    atomic_bool failing;
    atomic_uint_fast64_t runs, failures, rows, us;
    atomic_int_fast64_t succeeded_at_s; /* Unix time, 0 = not yet */
};

struct jobs {
    struct service *service;
    struct job_state states[JOBS];
    struct arena *arena; /* of one run */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping;
};

static int64_t interval_ms(const struct jobs *jobs, size_t job)
{
    int64_t seconds;
    memcpy(&seconds, (const char *)&jobs->service->settings + table[job].every_s, sizeof(seconds));
    return seconds * 1000;
}

static bool stopping(struct jobs *jobs)
{
    pthread_mutex_lock(&jobs->lock);
    bool is = jobs->stopping;
    pthread_mutex_unlock(&jobs->lock);
    return is;
}

/* ---- a statement ------------------------------------------------------------------------------ */

struct round {
    bool claimed, more;
    uint64_t rows, failed; /* handled; and those that could not be, for what stands in them */
    struct query_failure failure;
};

static uint64_t cell_number(const struct rows *rows, const char *name)
{
    struct span cell;
    int column = rows_column(rows, name);
    char text[24];
    if (column < 0 || rows_count(rows) != 1 || !rows_cell(rows, 0, (size_t)column, &cell))
        return 0;
    snprintf(text, sizeof(text), "%.*s", SPAN_ARG(cell));
    return strtoull(text, NULL, 10);
}

static bool cell_true(const struct rows *rows, const char *name)
{
    struct span cell;
    int column = rows_column(rows, name);
    return column >= 0 && rows_count(rows) == 1 && rows_cell(rows, 0, (size_t)column, &cell) &&
           span_is(cell, "t");
}

static enum problem_code step_run(struct connection *connection, const struct job *job,
                                  const struct statement *statement, const struct value *values,
                                  int64_t deadline_ms, struct rows **ret_rows,
                                  struct table_set *ret_changed, struct query_failure *ret_failure)
{
    const struct write_context context = {
        .actor = SPAN("system"), .operation = span_of(job->name), .quiet = true};
    struct query_step step = {statement, values, false};
    return query_write(connection, &context, &step, 1, deadline_ms, ret_rows, ret_changed,
                       ret_failure);
}

/* One transaction. Nothing is done, and all is well, where another process holds the job's lock. */
static enum problem_code transact(struct jobs *jobs, const struct job *job,
                                  struct connection *connection, int64_t deadline_ms,
                                  struct round *ret_round)
{
    const struct statement *claim = contract_statement("claim_job");
    struct value *values = arena_alloc(jobs->arena, contract_name_count * sizeof(*values));
    struct rows *rows = NULL;
    struct table_set changed;
    assert(claim && claim->parameter_count == 1);
    values[claim->parameters[0].name] = (struct value){
        .text = job->name, .len = (uint32_t)strlen(job->name), .state = VALUE_PRESENT};

    enum problem_code code = step_run(connection, job, claim, values, deadline_ms, &rows, &changed,
                                      &ret_round->failure);
    if (code)
        return code;
    ret_round->claimed = cell_true(rows, "claimed");
    rows_free(rows);
    if (!ret_round->claimed) {
        query_rollback(connection);
        return PROBLEM_NONE;
    }
    code = step_run(connection, job, contract_statement(job->statement), values, deadline_ms, &rows,
                    &changed, &ret_round->failure);
    if (code)
        return code;
    ret_round->rows = cell_number(rows, "done");
    ret_round->failed = cell_number(rows, "failed");
    ret_round->more = cell_true(rows, "more");
    int note = rows_column(rows, "note");
    struct span text = SPAN_NONE;
    if (note >= 0 && rows_count(rows) == 1 && rows_cell(rows, 0, (size_t)note, &text))
        text = arena_copy(jobs->arena, text);
    rows_free(rows);
    code = query_commit(connection, deadline_ms, &ret_round->failure);
    if (code)
        return code;
    watch_committed(jobs->service->watch, &changed);
    if (text.len)
        log_event(LOG_INFO, "job_note", LOG_C("job", job->name), LOG_S("note", text));
    return PROBLEM_NONE;
}

/* How long a round may take. What a job has to do in one transaction may grow beyond any setting (a load is sealed whole): one
 * that ran out of time gets twice as much, until it went well. */
static int64_t round_deadline_ms(struct jobs *jobs, size_t job)
{
    int64_t usual_ms = jobs->service->settings.statement_timeout_ms;
    int64_t deadline_ms = jobs->states[job].deadline_ms;
    return deadline_ms > usual_ms ? deadline_ms : usual_ms;
}

static void deadline_learn(struct jobs *jobs, size_t job, enum problem_code code)
{
    int64_t doubled_ms = 2 * round_deadline_ms(jobs, job);
    if (code == PROBLEM_timeout)
        jobs->states[job].deadline_ms = doubled_ms < DEADLINE_MOST_MS ? doubled_ms
                                                                      : DEADLINE_MOST_MS;
    else if (!code)
        jobs->states[job].deadline_ms = 0;
}

/* Why it failed, as text that lives until the next run, or NULL. */
static const char *statement_run(struct jobs *jobs, size_t job)
{
    struct service *service = jobs->service;
    struct round round = {.more = true};
    enum problem_code code = PROBLEM_NONE;
    uint64_t failed = 0;
    for (int i = 0; i < ROUNDS_MAX && !code && round.more && !stopping(jobs); i++) {
        struct connection *connection;
        int64_t now_ms = clock_monotonic_ms();
        round = (struct round){0};
        arena_reset(jobs->arena);
        code = pool_lend(service->pool, now_ms + service->settings.pool_wait_ms, &connection);
        if (code)
            break;
        code = transact(jobs, &table[job], connection, now_ms + round_deadline_ms(jobs, job),
                        &round);
        pool_return(service->pool, connection);
        atomic_fetch_add(&jobs->states[job].rows, round.rows);
        failed += round.failed;
        deadline_learn(jobs, job, code);
    }
    if (code && *round.failure.sqlstate)
        return arena_printf(jobs->arena, "%s: %s %s %s", problem_texts[code].code,
                            round.failure.sqlstate, round.failure.constraint,
                            round.failure.message);
    if (code)
        return problem_texts[code].code;
    return failed ? arena_printf(jobs->arena, "%" PRIu64 " rows cannot be handled", failed) : NULL;
}

/* ---- the thread ------------------------------------------------------------------------------- */

static void job_run(struct jobs *jobs, size_t job)
{
    struct job_state *state = &jobs->states[job];
    int64_t began_us = clock_monotonic_us();
    const char *why = NULL;
    if (table[job].run) {
        if (!table[job].run(jobs->service))
            why = "it said so itself";
    } else {
        why = statement_run(jobs, job);
    }
    atomic_fetch_add(&state->us, (uint64_t)(clock_monotonic_us() - began_us));
    atomic_fetch_add(&state->runs, 1);
    atomic_store(&state->failing, why != NULL);
    if (!why) {
        backoff_good(&state->backoff);
        atomic_store(&state->succeeded_at_s, clock_unix_s());
        return;
    }
    atomic_fetch_add(&state->failures, 1);
    uint64_t times;
    if (backoff_failed(&state->backoff, why, interval_ms(jobs, job), PAUSE_MOST_MS,
                       clock_monotonic_ms(), &times))
        log_event(LOG_WARNING, "job_failed", LOG_C("job", table[job].name), LOG_C("why", why),
                  LOG_I("times", times));
}

/* Its interval; longer while it fails the same way, unless the interval is the longer one. */
static int64_t pause_ms(const struct jobs *jobs, size_t job)
{
    int64_t every_ms = interval_ms(jobs, job), back_ms = jobs->states[job].backoff.pause_ms;
    return back_ms > every_ms && !table[job].eager ? back_ms : every_ms;
}

static int64_t next_due_ms(const struct jobs *jobs)
{
    int64_t due_ms = jobs->states[0].due_ms;
    for (size_t i = 1; i < JOBS; i++)
        if (jobs->states[i].due_ms < due_ms)
            due_ms = jobs->states[i].due_ms;
    return due_ms;
}

static void wait_until(struct jobs *jobs, int64_t until_ms)
{
    struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};
    pthread_mutex_lock(&jobs->lock);
    while (!jobs->stopping && clock_monotonic_ms() < until_ms)
        pthread_cond_timedwait(&jobs->wake, &jobs->lock, &until);
    pthread_mutex_unlock(&jobs->lock);
}

static void *jobs_run(void *argument)
{
    struct jobs *jobs = argument;
    while (!stopping(jobs)) {
        for (size_t i = 0; i < JOBS && !stopping(jobs); i++) {
            if (jobs->states[i].due_ms > clock_monotonic_ms())
                continue;
            job_run(jobs, i);
            jobs->states[i].due_ms = clock_monotonic_ms() + pause_ms(jobs, i);
        }
        wait_until(jobs, next_due_ms(jobs));
    }
    return NULL;
}

struct jobs *jobs_new(struct service *service)
{
    struct jobs *jobs = memory_alloc(sizeof(*jobs));
    pthread_condattr_t monotonic;
    sigset_t all, before;
    jobs->service = service;
    jobs->arena = arena_new(4096);
    for (size_t i = 0; i < JOBS; i++) {
        int64_t wait_ms = interval_ms(jobs, i);
        assert(table[i].run || contract_statement(table[i].statement));
        jobs->states[i].due_ms = clock_monotonic_ms() +
                                 (wait_ms < FIRST_RUN_MS ? wait_ms : FIRST_RUN_MS);
    }
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&jobs->lock, NULL);
    pthread_cond_init(&jobs->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the main thread */
    if (pthread_create(&jobs->thread, NULL, jobs_run, jobs) != 0)
        abort(); /* a process that cannot start its threads does not start */
    pthread_setname_np(jobs->thread, "jobs");
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return jobs;
}

void jobs_free(struct jobs *jobs)
{
    if (!jobs)
        return;
    pthread_mutex_lock(&jobs->lock);
    jobs->stopping = true;
    pthread_cond_signal(&jobs->wake);
    pthread_mutex_unlock(&jobs->lock);
    int64_t until_ms = clock_monotonic_ms() + CANCEL_WAIT_MS; /* no request is left by now */
    while (pool_cancel(jobs->service->pool) > 0 && clock_monotonic_ms() < until_ms)
        usleep(CANCEL_INTERVAL_MS * 1000);
    pthread_join(jobs->thread, NULL);
    pthread_cond_destroy(&jobs->wake);
    pthread_mutex_destroy(&jobs->lock);
    arena_free(jobs->arena);
    free(jobs);
}

/* ---- figures ---------------------------------------------------------------------------------- */

static void counter_write(struct jobs *jobs, struct buffer *buffer, const char *name,
                          const char *help, size_t counter)
{
    buffer_printf(buffer, "# HELP %s %s\n# TYPE %s counter\n", name, help, name);
    for (size_t i = 0; i < JOBS; i++) {
        const char *state = (const char *)&jobs->states[i];
        uint64_t value = atomic_load((const atomic_uint_fast64_t *)(state + counter));
        buffer_printf(buffer, "%s{job=\"%s\"} %" PRIu64 "\n", name, table[i].name, value);
    }
}

void jobs_metrics(struct jobs *jobs, struct buffer *buffer)
{
    counter_write(jobs, buffer, "tpbis_job_runs_total", "Runs of a job in this process.",
                  offsetof(struct job_state, runs));
    counter_write(jobs, buffer, "tpbis_job_failures_total", "Those that failed.",
                  offsetof(struct job_state, failures));
    counter_write(jobs, buffer, "tpbis_job_rows_total", "Rows that they handled.",
                  offsetof(struct job_state, rows));
    BUFFER_LITERAL(buffer, "# HELP tpbis_job_failing 1 while the last run failed.\n"
                           "# TYPE tpbis_job_failing gauge\n");
    for (size_t i = 0; i < JOBS; i++)
        buffer_printf(buffer, "tpbis_job_failing{job=\"%s\"} %d\n", table[i].name,
                      atomic_load(&jobs->states[i].failing));
    BUFFER_LITERAL(buffer, "# HELP tpbis_job_seconds_total Time spent in a job.\n"
                           "# TYPE tpbis_job_seconds_total counter\n");
    for (size_t i = 0; i < JOBS; i++)
        buffer_printf(buffer, "tpbis_job_seconds_total{job=\"%s\"} %.6f\n", table[i].name,
                      (double)atomic_load(&jobs->states[i].us) / 1e6);
    BUFFER_LITERAL(buffer, "# HELP tpbis_job_succeeded_timestamp_seconds When it last went well.\n"
                           "# TYPE tpbis_job_succeeded_timestamp_seconds gauge\n");
    for (size_t i = 0; i < JOBS; i++)
        buffer_printf(buffer, "tpbis_job_succeeded_timestamp_seconds{job=\"%s\"} %" PRId64 "\n",
                      table[i].name, (int64_t)atomic_load(&jobs->states[i].succeeded_at_s));
}
