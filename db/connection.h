/* Private to the files that speak libpq (connection, exchange, query, watch, pool, migrate): a
 * session with the server, and the pool's handle on one. A session belongs to one thread at a
 * time. */
#ifndef DB_CONNECTION_H
#define DB_CONNECTION_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "db/pool.h"
#include "db/statement.h"

/* ---- sessions -------------------------------------------------------------------------------- */

enum prepared_state {
    PREPARED_FREE,  /* the slot is empty */
    PREPARED_SENT,  /* in flight: the server may or may not know it */
    PREPARED_READY, /* the server said so */
    PREPARED_DOOMED /* known to the server, no longer wanted: deallocated with the next exchange */
};
struct prepared { /* of one session; named "p<serial>", and a serial is never used again */
    uint64_t mask, used;
    uint32_t serial;
    uint16_t statement,
        key_types; /* statement: index, or one of the engine's own from ENGINE_FIRST on */
    bool count;
    uint8_t state; /* enum prepared_state */
};
#define PREPARED_KEPT 128                   /* after an exchange */
#define PREPARED_SLOTS (PREPARED_KEPT + 32) /* and while it runs */
#define ENGINE_FIRST 0xff00U

struct cancel_handle; /* what a cancel request needs, for any thread */

struct session {
    PGconn *pg; /* non-blocking, in pipeline mode */
    struct cancel_handle *cancel;
    int64_t expires_ms;
    bool in_transaction; /* BEGIN succeeded, and neither COMMIT nor ROLLBACK did */
    bool broken;         /* to be closed: lost, or its state is not known */
    uint32_t serial;
    uint64_t uses;
    struct prepared prepared[PREPARED_SLOTS];
};

struct session_options {
    const char *url;
    int64_t statement_timeout_ms;
    int64_t lifetime_ms;  /* 0: none */
    const char *settings; /* further "-c name=value" of the server, or "" */
};

/* Connects, blocking: at most three seconds a host. NULL with a reason (never the password). */
struct session *session_open(const struct session_options *options, char *ret_reason,
                             size_t reason_bytes);
void session_close(struct session *session); /* NULL is fine */
/* False when the server has closed an idle session, or said something unasked. Does not wait. */
bool session_quiet(const struct session *session);

struct rows { /* of db/query.h */
    PGresult *result;
};

/* Asks the server to stop what the session runs, without waiting: PQcancel connects, blocking,
 * so it runs in a thread of its own. Any thread may ask while the session is not closed. session_cancel_done() ends the handle's use, and says
 * whether the server has taken the request; for that it waits a moment, if it is worth it. */
struct session_cancel;
struct session_cancel *session_cancel(struct session *session); /* NULL when it cannot be asked */
bool session_cancel_done(struct session_cancel *cancel, bool worth_waiting);

/* The slot of that variant: READY or SENT, else a fresh one whose state is FREE and that the
 * caller prepares. */
struct prepared *session_prepared(struct session *session, uint16_t statement,
                                  const struct variant *variant);
void session_trim(struct session *session); /* dooms the longest unused beyond PREPARED_KEPT */

/* A plain blocking connection for the command line, or NULL with the reason on `out`. */
PGconn *session_open_plain(const char *url, FILE *out);

/* ---- the pool's handle ----------------------------------------------------------------------- */

enum connection_state {
    CONNECTION_IDLE,
    CONNECTION_LENT,
    CONNECTION_BROKEN,
    CONNECTION_CONNECTING,
    CONNECTION_STATES
};

struct connection {
    struct session *session; /* NULL while CONNECTING and after it was lost */
    struct pool *pool;
    enum connection_state state; /* names the list it is on; written by the pool under its lock */
    bool writing;                /* lent by pool_lend_write() */
    struct connection *previous, *next;
};

/* Gives a lent connection another session in place of its dead one, before others that wait.
 * False when there is none to be had until the deadline; the connection is then broken and can
 * only be returned. */
bool pool_replace(struct connection *connection, int64_t deadline_ms);

#endif
