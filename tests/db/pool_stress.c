/* Pool, query and watch under many threads, against a real server that loses its connections,
 * for the build that finds data races. It makes its own tables and a contract of its own by
 * hand, so it needs an empty database whose name begins with "stress":
 *
 *     createdb stress
 *     cc -std=gnu11 -g -O1 -fsanitize=thread -pthread -I. -I/usr/include/postgresql \
 *        tests/db/pool_stress.c db/{pool,connection,exchange,query,statement,sqlstate,watch}.c \
 *        api/base/{arena,buffer,clock,digest,log,problem,utf8}.c \
 *        -ljansson -lcrypto -lpq -o pool_stress
 *     ./pool_stress 'host=/run/postgresql dbname=stress' 10
 *
 *  The rule of every check: whatever happens to a connection, an answer is right or it is a
 * problem. */
#include <libpq-fe.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/base/clock.h"
#include "api/base/log.h"
#include "db/pool.h"
#include "db/query.h"
#include "db/sqlstate.h"
#include "db/watch.h"

/* ---- a contract by hand ---------------------------------------------------------------------- */

#define CHOICES 8 /* optional columns of `echo`: 256 variants, twice what a session keeps */
enum { NAME_NUMBER = NAME_BUILTIN_COUNT, NAME_CHOICE, NAME_ALL = NAME_CHOICE + CHOICES };
const char *const contract_names[] = {
#define NAME(id, text, type) text,
#include "openapi/builtin_names.def"
#undef NAME
    "number",   "choice.0", "choice.1", "choice.2", "choice.3",
    "choice.4", "choice.5", "choice.6", "choice.7",
};
const uint16_t contract_name_count = NAME_ALL;
const char *const contract_tables[] = {"stress_item", "stress_other"};
const uint16_t contract_table_count = 2;
static const uint16_t item_table[] = {0}, other_table[] = {1};

#define TEXT(text, parameter, condition)                                                           \
    {                                                                                              \
        text, sizeof(text) - 1, parameter, condition                                               \
    }
#define ONE(i)                                                                                     \
    {                                                                                              \
        {NAME_CHOICE + (i), NAME_NONE, NAME_NONE},                                                 \
        {                                                                                          \
            false                                                                                  \
        }                                                                                          \
    }
static const struct condition choices[] = {ONE(0), ONE(1), ONE(2), ONE(3),
                                           ONE(4), ONE(5), ONE(6), ONE(7)};
static const struct statement_parameter number_parameter[] = {{NAME_NUMBER, VALUE_INTEGER}};
static const struct fragment echo_fragments[] = {
    TEXT("SELECT ", 0, -1),   TEXT(" AS number", -1, -1), TEXT(", 0 AS c0", -1, 0),
    TEXT(", 1 AS c1", -1, 1), TEXT(", 2 AS c2", -1, 2),   TEXT(", 3 AS c3", -1, 3),
    TEXT(", 4 AS c4", -1, 4), TEXT(", 5 AS c5", -1, 5),   TEXT(", 6 AS c6", -1, 6),
    TEXT(", 7 AS c7", -1, 7),
};
static const struct fragment insert_fragments[] = {
    TEXT("INSERT INTO stress_item (number) VALUES (", 0, -1), TEXT(") RETURNING number", -1, -1)};
static const struct fragment refuse_fragments[] = {TEXT("SELECT stress_refuse()", -1, -1)};
static const struct fragment sleep_fragments[] = {TEXT("SELECT pg_sleep(3)", -1, -1)};
#define STATEMENT(label, number, list, conditions_, count_)                                        \
    {                                                                                              \
        .name = label, .index = number, .fragments = list,                                         \
        .fragment_count = sizeof list / sizeof *list, .conditions = conditions_,                   \
        .condition_count = count_, .parameters = number_parameter, .parameter_count = 1            \
    }
static const struct statement echo = STATEMENT("echo", 0, echo_fragments, choices, CHOICES);
static const struct statement insert = STATEMENT("insert", 1, insert_fragments, NULL, 0);
static const struct statement refuse = STATEMENT("refuse", 2, refuse_fragments, NULL, 0);
static const struct statement nap = STATEMENT("nap", 3, sleep_fragments, NULL, 0);

static const char schema[] =
    "DROP TABLE IF EXISTS audit, stress_item; DROP FUNCTION IF EXISTS stress_audit, stress_refuse;"
    "CREATE TABLE audit (xid xid8 NOT NULL DEFAULT pg_current_xact_id(),"
    " table_name text COLLATE \"C\" NOT NULL, action text NOT NULL DEFAULT 'insert');"
    "CREATE INDEX ON audit (xid); CREATE INDEX ON audit (table_name, xid);"
    "CREATE TABLE stress_item (number bigint PRIMARY KEY);"
    "CREATE FUNCTION stress_audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    " INSERT INTO audit (table_name) VALUES (TG_TABLE_NAME); RETURN NULL; END $$;"
    "CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON stress_item FOR EACH STATEMENT"
    " EXECUTE FUNCTION stress_audit();"
    "CREATE FUNCTION stress_refuse() RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION USING"
    " ERRCODE = 'TB001', MESSAGE = 'refused', CONSTRAINT = 'not_found',"
    " DETAIL = '{\"what\": \"it\"}'; END $$;";

/* ---- the stress ------------------------------------------------------------------------------ */

#define POOL_SIZE 6
#define THREADS 16

static struct pool *pool;
static struct watch *watch;
static const char *url;
static atomic_bool stopping, storm; /* storm: sessions are being terminated */
static atomic_llong next_number = 1;
static atomic_ullong outcomes[PROBLEM_COUNT], stored, unknown;

#define CHECK(condition, ...)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition);                        \
            fprintf(stderr, __VA_ARGS__);                                                          \
            fputc('\n', stderr);                                                                   \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static const char *code_name(enum problem_code code)
{
    return code == PROBLEM_NONE ? "none" : problem_texts[code].code;
}

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/* A problem is allowed only where the storm explains it. */
static void outcome(enum problem_code code, const struct query_failure *failure)
{
    atomic_fetch_add(&outcomes[code], 1);
    bool explained = code == PROBLEM_database_unavailable || code == PROBLEM_outcome_unknown ||
                     code == PROBLEM_busy;
    CHECK(code == PROBLEM_NONE || (explained && atomic_load(&storm)), "%s %s", code_name(code),
          failure ? failure->message : "");
}

static struct connection *lend(void)
{
    struct connection *connection = NULL;
    enum problem_code code = pool_lend(pool, clock_monotonic_ms() + 5000, &connection);
    if (code != PROBLEM_NONE) {
        outcome(code, NULL);
        pause_ms(5);
    }
    return connection;
}

static void number_value(struct value *values, char text[24])
{
    snprintf(text, 24, "%lld", atomic_fetch_add(&next_number, 1));
    values[NAME_NUMBER] = (struct value){text, (uint32_t)strlen(text), VALUE_PRESENT,
                                         VALUE_INTEGER};
}

static void check_number(const struct rows *rows, const char *expected)
{
    struct span cell = SPAN_NONE;
    CHECK(rows_count(rows) == 1 && rows_cell(rows, 0, 0, &cell) && span_is(cell, expected),
          "%.*s instead of %s", SPAN_ARG(cell), expected);
}

static void read_once(unsigned *seed)
{
    struct value values[NAME_ALL] = {0};
    struct rows *rows[2];
    struct query_failure failure = {0};
    char text[24];
    int columns = 1;
    struct connection *connection = lend();
    if (!connection)
        return;
    number_value(values, text);
    for (int i = 0; i < CHOICES; i++) {
        bool chosen = rand_r(seed) & 64;
        columns += chosen;
        values[NAME_CHOICE + i].state = chosen ? VALUE_PRESENT : VALUE_ABSENT;
    }
    const struct query_step steps[2] = {{&echo, values, false}, {&echo, values, true}};
    enum problem_code code = query_read(connection, steps, 2, clock_monotonic_ms() + 5000, rows,
                                        &failure);
    if (code == PROBLEM_NONE) {
        check_number(rows[0], text);
        check_number(rows[1], "1");
        CHECK(rows_columns(rows[0]) == (size_t)columns, "%zu", rows_columns(rows[0]));
        rows_free(rows[0]);
        rows_free(rows[1]);
    } else {
        CHECK(!rows[0] && !rows[1], "rows after a problem");
    }
    pool_return(pool, connection);
    outcome(code, &failure);
}

/* A write that is seen in its own transaction, counts as a change of its table and no other,
 * and is there afterwards. */
static void write_once(unsigned *seed)
{
    struct value values[NAME_ALL] = {0};
    struct rows *rows[1];
    struct table_set changed;
    struct query_failure failure = {0};
    const struct write_context context = {.actor = SPAN("stress"),
                                          .client = SPAN("c_stress"),
                                          .request_id = SPAN("request"),
                                          .operation = SPAN("write_once")};
    const struct query_step step = {&insert, values, false}, refusing = {&refuse, values, false};
    char text[24];
    uint64_t before = 0, after = 0;
    struct connection *connection = lend();
    if (!connection)
        return;
    number_value(values, text);
    int64_t deadline_ms = clock_monotonic_ms() + 5000;
    enum problem_code code = query_write(connection, &context, &step, 1, deadline_ms, rows,
                                         &changed, &failure);
    if (code != PROBLEM_NONE) {
        pool_return(pool, connection);
        outcome(code, &failure);
        return;
    }
    check_number(rows[0], text);
    rows_free(rows[0]);
    CHECK(changed.bits[0] == 1, "%llx", (unsigned long long)changed.bits[0]);
    if (rand_r(seed) % 4 ==
        0) { /* the second part of the transaction is refused: all of it is undone */
        code = query_write(connection, &context, &refusing, 1, deadline_ms, rows, &changed,
                           &failure);
        if (code == PROBLEM_not_found) {
            CHECK(strcmp(failure.arguments, "{\"what\": \"it\"}") == 0, "%s", failure.arguments);
            atomic_fetch_add(&outcomes[code], 1);
        } else {
            outcome(code, &failure);
        }
        pool_return(pool, connection);
        return;
    }
    if (rand_r(seed) % 8 ==
        0) { /* the caller thinks better of it; the count at the end must not include it */
        query_rollback(connection);
        pool_return(pool, connection);
        return;
    }
    bool sighted = watch_version(watch, item_table, 1, &before, NULL);
    code = query_commit(connection, deadline_ms, &failure);
    if (code == PROBLEM_NONE) {
        watch_committed(watch, &changed);
        if (sighted && watch_version(watch, item_table, 1, &after, NULL))
            CHECK(after > before, "an own commit did not move the version");
        atomic_fetch_add(&stored, 1);
    } else if (code == PROBLEM_outcome_unknown) {
        atomic_fetch_add(&unknown, 1);
    }
    pool_return(pool, connection);
    outcome(code, &failure);
}

static void *work(void *argument)
{
    unsigned seed = (unsigned)(uintptr_t)argument;
    while (!atomic_load(&stopping)) {
        if (rand_r(&seed) % 4 == 0)
            write_once(&seed);
        else
            read_once(&seed);
    }
    return NULL;
}

static PGconn *plain(void)
{
    PGconn *pg = PQconnectdb(url);
    CHECK(PQstatus(pg) == CONNECTION_OK, "%s", PQerrorMessage(pg));
    return pg;
}

static long long run(PGconn *pg, const char *text)
{
    PGresult *result = PQexec(pg, text);
    ExecStatusType status = PQresultStatus(result);
    CHECK(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK, "%s", PQerrorMessage(pg));
    long long number = PQntuples(result) ? strtoll(PQgetvalue(result, 0, 0), NULL, 10) : 0;
    PQclear(result);
    return number;
}

#define TERMINATE                                                                                  \
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"                                \
    " WHERE application_name = 'tpbis' AND datname = current_database()"

/* Ends a third of the service's sessions, again and again. */
static void *terminate(void *unused)
{
    PGconn *pg = plain();
    (void)unused;
    while (atomic_load(&storm) && !atomic_load(&stopping)) {
        run(pg, TERMINATE " AND random() < 0.3");
        pause_ms(100);
    }
    PQfinish(pg);
    return NULL;
}

/* A statement of three seconds with a deadline of 50 ms, as many at once as there are
 * connections. */
static void *nap_once(void *unused)
{
    struct value values[NAME_ALL] = {0};
    struct rows *rows[1];
    struct query_failure failure = {0};
    const struct query_step step = {&nap, values, false};
    struct connection *connection = lend();
    (void)unused;
    int64_t began_ms = clock_monotonic_ms();
    enum problem_code code = query_read(connection, &step, 1, began_ms + 50, rows, &failure);
    CHECK(code == PROBLEM_timeout, "%s", code_name(code));
    CHECK(clock_monotonic_ms() - began_ms < 1000, "the deadline was not kept");
    pool_return(pool, connection);
    return NULL;
}

static void in_threads(void *(*what)(void *), size_t count, long ms)
{
    pthread_t threads[THREADS];
    for (size_t i = 0; i < count; i++)
        pthread_create(&threads[i], NULL, what, (void *)(uintptr_t)(i + 1));
    if (ms) {
        pause_ms(ms);
        atomic_store(&stopping, true);
    }
    for (size_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    atomic_store(&stopping, false);
}

/* What another process writes moves the counter of its table within a second, and of no other;
 * a slow transaction that commits behind faster ones is seen, too; two watches that see the
 * same agree; and a watch that had to connect anew takes everything for changed. */
static void check_watch(void)
{
    PGconn *slow = plain(), *fast = plain();
    struct watch *second = watch_new(url, 50);
    uint64_t before, after, other_before, other_after, shared, second_shared, ignored;
    pause_ms(800);
    CHECK(watch_version(watch, item_table, 1, &before, &shared) &&
              watch_version(second, item_table, 1, &ignored, &second_shared),
          "blind");
    CHECK(shared && shared == second_shared, "%llx %llx", (unsigned long long)shared,
          (unsigned long long)second_shared);
    CHECK(watch_version(watch, other_table, 1, &other_before, NULL), "blind");
    run(slow, "BEGIN");
    run(slow, "INSERT INTO stress_item VALUES (-1)");
    run(fast, "INSERT INTO stress_item VALUES (-2)");
    pause_ms(400);
    CHECK(watch_version(watch, item_table, 1, &after, &shared) && after > before,
          "the fast one was not seen");
    CHECK(shared == 0, "a shared version while a transaction below it runs");
    before = after;
    run(slow, "COMMIT");
    pause_ms(400);
    CHECK(watch_version(watch, item_table, 1, &after, &shared) && after > before,
          "the slow one was not seen");
    CHECK(watch_version(second, item_table, 1, &ignored, &second_shared), "blind");
    CHECK(shared && shared == second_shared, "the watches differ");
    before = after;
    pause_ms(400);
    CHECK(watch_version(watch, item_table, 1, &after, NULL) && after == before,
          "moved without a change");
    CHECK(watch_version(watch, other_table, 1, &other_after, NULL) && other_after == other_before,
          "another table moved");
    run(fast, TERMINATE);
    pause_ms(1500);
    CHECK(watch_version(watch, other_table, 1, &other_after, NULL) && other_after > other_before,
          "nothing moved with a new session");
    watch_free(second);
    PQfinish(slow);
    PQfinish(fast);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fputs("usage: pool_stress URL [SECONDS]\n", stderr);
        return 2;
    }
    long seconds = argc > 2 ? strtol(argv[2], NULL, 10) : 6;
    url = argv[1];
    log_level_set(LOG_ERROR);
    PGconn *owner = plain();
    CHECK(strncmp(PQdb(owner), "stress", 6) == 0, "not in %s: it drops tables", PQdb(owner));
    run(owner, "SET client_min_messages = warning");
    run(owner, schema);
    watch = watch_new(url, 50);
    pool = pool_new(&(struct pool_options){url, POOL_SIZE, 3000, 5000});

    in_threads(work, THREADS, seconds * 500); /* calm: not one problem */
    printf("calm: %llu answers, %llu refusals\n", (unsigned long long)outcomes[PROBLEM_NONE],
           (unsigned long long)outcomes[PROBLEM_not_found]);
    check_watch();
    in_threads(nap_once, POOL_SIZE, 0);

    atomic_store(&storm, true);
    pthread_t terminator;
    pthread_create(&terminator, NULL, terminate, NULL);
    in_threads(work, THREADS, seconds * 500);
    atomic_store(&storm, false);
    pthread_join(terminator, NULL);
    pause_ms(600);
    in_threads(work, THREADS, 500); /* healed: not one problem again */

    struct pool_figures figures;
    pool_read(pool, &figures);
    CHECK(figures.lent == 0 && figures.waiting == 0 && figures.idle <= POOL_SIZE, "%zu lent",
          figures.lent);
    long long there = run(owner, "SELECT count(*) FROM stress_item WHERE number > 0");
    long long certain = (long long)stored, doubtful = (long long)unknown;
    CHECK(there >= certain && there <= certain + doubtful, "%lld there, %lld stored", there,
          certain);
    CHECK(sqlstate_unmapped() == 0, "unmapped failures");
    pool_free(pool);
    watch_free(watch);
    PQfinish(owner);
    printf(
        "storm: %llu answers, %llu unavailable, %llu outcome unknown, %llu busy, %llu broken connections,"
        " %llu waits\nok\n",
        (unsigned long long)outcomes[PROBLEM_NONE],
        (unsigned long long)outcomes[PROBLEM_database_unavailable], (unsigned long long)unknown,
        (unsigned long long)outcomes[PROBLEM_busy], (unsigned long long)figures.broken,
        (unsigned long long)figures.waits);
    return 0;
}
