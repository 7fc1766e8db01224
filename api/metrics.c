/* Lock-free counters. Rule: labels are names of the contract only, never something a client sent. */
#include "api/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "api/jobs.h"
#include "api/limit.h"
#include "db/client.h"
#include "db/sqlstate.h"

#define BUCKETS 8
static const int64_t bucket_us[BUCKETS] = {1000,  2500,   5000,    10000,
                                           50000, 250000, 1000000, 5000000};

struct operation_counters {
    atomic_uint_fast64_t status[6]; /* by hundred */
    atomic_uint_fast64_t buckets[BUCKETS + 1], us;
};
struct metrics {
    struct operation_counters
        *operations; /* one more than the contract has: what matched no route */
    atomic_uint_fast64_t problems[PROBLEM_COUNT];
    atomic_uint_fast64_t counters[METRIC_COUNT];
};

static const struct {
    const char *name, *help;
} counter_names[METRIC_COUNT] = {
    [METRIC_IDEMPOTENCY_KEPT] = {"tpbis_idempotency_kept_total",
                                 "Answers kept under an Idempotency-Key."},
    [METRIC_IDEMPOTENCY_REPLAYED] = {"tpbis_idempotency_replayed_total", "Those sent again."},
    [METRIC_CONNECTIONS_REFUSED] =
        {"tpbis_connections_refused_total",
         "Connections for which no place was left, or none for their address."},
    [METRIC_CONNECTIONS_TIMED_OUT] =
        {"tpbis_connections_timed_out_total",
         "Connections on which no whole request arrived in time, idle ones among them."},
};

struct metrics *metrics_new(void)
{
    struct metrics *metrics = memory_alloc(sizeof(*metrics));
    metrics->operations = memory_alloc((contract_operation_count + 1U) *
                                       sizeof(*metrics->operations));
    return metrics;
}

void metrics_free(struct metrics *metrics)
{
    if (!metrics)
        return;
    free(metrics->operations);
    free(metrics);
}

static void add(atomic_uint_fast64_t *counter, uint64_t amount)
{
    atomic_fetch_add_explicit(counter, amount, memory_order_relaxed);
}

void metrics_request(struct metrics *metrics, const struct operation *operation, int status,
                     int64_t us)
{
    size_t index = operation ? operation->index : contract_operation_count;
    struct operation_counters *counters = &metrics->operations[index];
    size_t bucket = 0;
    while (bucket < BUCKETS && us > bucket_us[bucket])
        bucket++;
    add(&counters->status[status / 100 % 6], 1);
    add(&counters->buckets[bucket], 1);
    add(&counters->us, (uint64_t)us);
}

void metrics_problem(struct metrics *metrics, enum problem_code code)
{
    add(&metrics->problems[code], 1);
}

void metrics_count(struct metrics *metrics, enum metric metric)
{
    add(&metrics->counters[metric], 1);
}

static void write_operation(struct buffer *buffer, const struct operation_counters *counters,
                            const char *id)
{
    uint64_t total = 0;
    for (size_t i = 1; i < 6; i++)
        if (counters->status[i])
            buffer_printf(buffer,
                          "tpbis_requests_total{operation=\"%s\",status=\"%zuxx\"} %" PRIu64 "\n",
                          id, i, (uint64_t)counters->status[i]);
    for (size_t i = 0; i <= BUCKETS; i++)
        total += counters->buckets[i];
    if (total == 0)
        return;
    uint64_t sum = 0;
    for (size_t i = 0; i < BUCKETS; i++) {
        sum += counters->buckets[i];
        buffer_printf(buffer,
                      "tpbis_request_seconds_bucket{operation=\"%s\",le=\"%g\"} %" PRIu64 "\n", id,
                      (double)bucket_us[i] / 1e6, sum);
    }
    buffer_printf(buffer,
                  "tpbis_request_seconds_bucket{operation=\"%s\",le=\"+Inf\"} %" PRIu64 "\n", id,
                  total);
    buffer_printf(buffer, "tpbis_request_seconds_sum{operation=\"%s\"} %.6f\n", id,
                  (double)counters->us / 1e6);
    buffer_printf(buffer, "tpbis_request_seconds_count{operation=\"%s\"} %" PRIu64 "\n", id, total);
}

void metrics_write_one(struct buffer *buffer, const char *name, const char *type, const char *help,
                       double value)
{
    buffer_printf(buffer, "# HELP %s %s\n# TYPE %s %s\n%s %.15g\n", name, help, name, type, name,
                  value);
}

static long resident_bytes(void)
{
    long size = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file)
        return 0;
    if (fscanf(file, "%ld %ld", &size, &resident) != 2)
        resident = 0;
    fclose(file);
    return resident * sysconf(_SC_PAGESIZE);
}

void metrics_write(struct buffer *buffer, struct service *service)
{
    struct metrics *metrics = service->metrics;
    struct pool_figures pool;
    pool_read(service->pool, &pool);

    BUFFER_LITERAL(
        buffer,
        "# HELP tpbis_requests_total Requests answered, by operation and status class.\n"
        "# TYPE tpbis_requests_total counter\n"
        "# HELP tpbis_request_seconds Time from the first byte read to the answer handed over.\n"
        "# TYPE tpbis_request_seconds histogram\n");
    for (size_t i = 0; i < contract_operation_count; i++)
        write_operation(buffer, &metrics->operations[i], contract_operations[i].id);
    write_operation(buffer, &metrics->operations[contract_operation_count], "none");
    BUFFER_LITERAL(buffer, "# HELP tpbis_problems_total Problems answered, by code.\n"
                           "# TYPE tpbis_problems_total counter\n");
    for (size_t i = 1; i < PROBLEM_COUNT; i++)
        if (metrics->problems[i])
            buffer_printf(buffer, "tpbis_problems_total{code=\"%s\"} %" PRIu64 "\n",
                          problem_texts[i].code, (uint64_t)metrics->problems[i]);
    for (size_t i = 0; i < METRIC_COUNT; i++)
        metrics_write_one(buffer, counter_names[i].name, "counter", counter_names[i].help,
                          (double)metrics->counters[i]);
    metrics_write_one(buffer, "tpbis_in_flight", "gauge", "Requests on their way.",
                      atomic_load(&service->in_flight));
    metrics_write_one(buffer, "tpbis_streams", "gauge", "Exports on their way.",
                      atomic_load(&service->streams));
    metrics_write_one(buffer, "tpbis_pool_size", "gauge", "Most database connections.",
                      (double)pool.size);
    metrics_write_one(buffer, "tpbis_pool_lent", "gauge", "Database connections lent.",
                      (double)pool.lent);
    metrics_write_one(buffer, "tpbis_pool_writing", "gauge",
                      "Database connections lent to writes, which never hold all.",
                      (double)pool.writing);
    metrics_write_one(buffer, "tpbis_clients_left_total", "counter",
                      "Statements given up because their client had left.", (double)clients_left());
    metrics_write_one(buffer, "tpbis_pool_idle", "gauge", "Database connections idle.",
                      (double)pool.idle);
    metrics_write_one(buffer, "tpbis_pool_waiting", "gauge", "Requests waiting for a connection.",
                      (double)pool.waiting);
    metrics_write_one(buffer, "tpbis_pool_lends_total", "counter", "Connections lent.",
                      (double)pool.lends);
    metrics_write_one(buffer, "tpbis_pool_waits_total", "counter", "Lends that had to wait.",
                      (double)pool.waits);
    metrics_write_one(buffer, "tpbis_pool_wait_seconds_total", "counter", "Time spent waiting.",
                      (double)pool.wait_us / 1e6);
    metrics_write_one(buffer, "tpbis_pool_refused_total", "counter", "Lends given up.",
                      (double)pool.refused);
    metrics_write_one(buffer, "tpbis_pool_broken_total", "counter", "Connections found dead.",
                      (double)pool.broken);
    metrics_write_one(buffer, "tpbis_watch_age_seconds", "gauge",
                      "Since the last successful look at changed tables.",
                      (double)watch_age_ms(service->watch) / 1e3);
    metrics_write_one(buffer, "tpbis_sqlstate_unmapped_total", "counter",
                      "Database failures no problem is mapped to: bugs.",
                      (double)sqlstate_unmapped());
    metrics_write_one(buffer, "process_resident_memory_bytes", "gauge", "Resident memory.",
                      (double)resident_bytes());
    limit_metrics(service->limits, buffer);
    jobs_metrics(service->jobs, buffer);
}
