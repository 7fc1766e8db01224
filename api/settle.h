/* The buckets of this process and those of the others: what each let through is told to the database, which says what is left. */
#ifndef API_SETTLE_H
#define API_SETTLE_H

#include "api/base/buffer.h"
#include "api/bucket.h"
#include "db/pool.h"

#define SETTLEMENT_MS 250 /* from one to the next */

struct settlement;
/* Starts the thread. Pool and buckets outlive it. */
struct settlement *settlement_new(struct pool *pool, struct buckets *buckets);
void settlement_free(struct settlement *settlement);
void settlement_metrics(struct settlement *settlement, struct buffer *buffer);

#endif
