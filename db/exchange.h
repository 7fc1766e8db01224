/* Private to the files that speak libpq: one round trip. What is to run is queued, sent as one
 * pipeline ending in one sync, and its results are collected until a deadline; at the deadline
 * the server is asked to stop. */
#ifndef DB_EXCHANGE_H
#define DB_EXCHANGE_H

#include "db/connection.h"

#define EXCHANGE_RUNS 16
#define EXCHANGE_SENT (2 * EXCHANGE_RUNS + PREPARED_SLOTS - PREPARED_KEPT + 1)

enum sent_kind { SENT_PREPARE, SENT_DEALLOCATE, SENT_RUN, SENT_SYNC };

struct exchange {
    struct session *session;
    struct {
        uint8_t kind;
        struct prepared *slot;
    } sent[EXCHANGE_SENT];
    size_t sent_count;
    struct prepared *run_slot[EXCHANGE_RUNS]; /* NULL of plain text */
    bool run_fresh[EXCHANGE_RUNS];            /* prepared in this exchange */
    PGresult *runs[EXCHANGE_RUNS];            /* results, in the order queued */
    size_t run_count;
    PGresult *error; /* the first failure the server or libpq told, or NULL */
    size_t failed;   /* the run it belongs to (that of its preparation, too) */
    bool received;   /* something other than a failure came back */
    bool lost;       /* the connection is gone */
    bool late;       /* the deadline passed, or the client left, before all was there */
    bool firm;       /* goes on when the client has left: COMMIT and ROLLBACK */
};

/* A text of the engine's own, prepared like the contract's statements. */
struct engine_statement {
    uint16_t index; /* from ENGINE_FIRST on */
    const char *text;
    int parameter_count;
    const uint32_t *types;
};

void exchange_begin(struct exchange *exchange, struct session *session);
void exchange_statement(struct exchange *exchange, const struct variant *variant,
                        const struct value *values);
void exchange_engine(struct exchange *exchange, const struct engine_statement *statement,
                     const char *const *values);
void exchange_plain(struct exchange *exchange,
                    const char *text); /* not prepared, without parameters */
/* Tells the server to forget the doomed statements; part of the next finish. Never before
 * BEGIN READ WRITE, which must be the first to take a snapshot. */
void exchange_tidy(struct exchange *exchange);

/* Sends and collects. True when every run has its result. Otherwise error, lost or late say
 * why; a session whose state is not known then is marked broken. */
bool exchange_finish(struct exchange *exchange, int64_t deadline_ms);
/* True when a cached statement failed because the schema has changed under it. It is then
 * doomed. */
bool exchange_stale(struct exchange *exchange);
PGresult *exchange_take(struct exchange *exchange, size_t run); /* the caller clears it */
void exchange_end(struct exchange *exchange);

const char *exchange_sqlstate(const struct exchange *exchange); /* "" without one */

#endif
