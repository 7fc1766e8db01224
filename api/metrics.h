/* Counters for /metrics (Prometheus text format 0.0.4): what tells an operator what hurts. */
#ifndef API_METRICS_H
#define API_METRICS_H

#include "api/call.h"

struct metrics;

enum metric {
    METRIC_IDEMPOTENCY_KEPT,
    METRIC_IDEMPOTENCY_REPLAYED,
    METRIC_CONNECTIONS_REFUSED,
    METRIC_CONNECTIONS_TIMED_OUT,
    METRIC_COUNT
};

struct metrics *metrics_new(void);
void metrics_free(struct metrics *metrics);
void metrics_request(struct metrics *metrics, const struct operation *operation, int status,
                     int64_t us);
void metrics_problem(struct metrics *metrics, enum problem_code code);
void metrics_count(struct metrics *metrics, enum metric metric);
/* One figure with its help; `type` is "counter" or "gauge". For the rooms that write their own. */
void metrics_write_one(struct buffer *buffer, const char *name, const char *type, const char *help,
                       double value);
void metrics_write(struct buffer *buffer, struct service *service);

#endif
