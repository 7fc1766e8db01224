/* Work that is tried again and again by one thread. What fails the same way each time is tried less and less often, and told of
 * once a minute, so that a fault that stays fills neither the log nor the database's time. */
#ifndef BASE_BACKOFF_H
#define BASE_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

struct backoff {
    char why[96];        /* the last try failed like this; "" when it went well */
    int64_t pause_ms;    /* how long to wait now; 0 when it went well */
    int64_t told_at_ms;  /* clock_monotonic_ms() */
    uint64_t since_told; /* failures since then, that one included */
};

void backoff_good(struct backoff *backoff);
/* A try failed, at now_ms. The pause is first_ms when it failed otherwise than the last time, else twice what it was, at most
 * most_ms. True when this failure is to be told: the first of its kind, and then one a minute; *ret_times is how many
 * failures it stands for. */
bool backoff_failed(struct backoff *backoff, const char *why, int64_t first_ms, int64_t most_ms,
                    int64_t now_ms, uint64_t *ret_times);

#endif
