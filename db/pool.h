/* A bounded, fair pool of connections. A connection's state names the list it is on. */
#ifndef DB_POOL_H
#define DB_POOL_H

#include <stddef.h>
#include <stdint.h>
#include "api/base/problem.h"

struct pool;
struct connection;

struct pool_options {
    const char *url;     /* libpq connection string or URI; multi-host allowed */
    size_t size;         /* most connections at once */
    int64_t lifetime_ms; /* with jitter; then a connection is replaced */
    int64_t statement_timeout_ms;
};
struct pool_figures {
    size_t size, lent, writing, idle, waiting;
    uint64_t lends, waits, wait_us, refused, broken; /* since the start */
};

struct pool *pool_new(const struct pool_options *options); /* connects lazily; never fails */
void pool_free(struct pool *pool);                         /* every connection has been returned */

/* Lends a connection, waiting in turn until deadline_ms (clock_monotonic_ms).
 * Problems: PROBLEM_busy (no connection came free in time), PROBLEM_database_unavailable (cannot connect). */
enum problem_code pool_lend(struct pool *pool, int64_t deadline_ms,
                            struct connection **ret_connection);
/* The same for what may have to wait for a row: such work never holds all connections, so that a row which many want leaves
 * the others, who only read, a share of a quarter (at least one, where there are two). */
enum problem_code pool_lend_write(struct pool *pool, int64_t deadline_ms,
                                  struct connection **ret_connection);
/* Takes it back; one that is broken or not idle is closed. */
void pool_return(struct pool *pool, struct connection *connection);
/* At the end of a stop: lends nothing any more (PROBLEM_draining) and asks the server to stop what the
 * lent connections run. A transaction's next statement may begin after that, so it is called again
 * until nothing is lent; gives how many are. Does not wait. */
size_t pool_cancel(struct pool *pool);
void pool_read(struct pool *pool, struct pool_figures *ret_figures);

#endif
