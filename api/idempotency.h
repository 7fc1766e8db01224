/* Idempotency-Key (draft-ietf-httpapi-idempotency-key-header-07) of every POST under /v1: the first answer is kept for 24
 * hours, in the transaction of the write itself, and replayed to the same caller. Refusals keep nothing: the same key may be
 * sent again. */
#ifndef API_IDEMPOTENCY_H
#define API_IDEMPOTENCY_H

#include "api/call.h"

/* A gate: reads the header. Problems: PROBLEM_bad_request. */
enum problem_code idempotency_take(struct call *call);

/* Each does nothing without a key. Problems of the first two: PROBLEM_idempotency_key_reused, _rights_changed; of the first
 * PROBLEM_idempotency_in_progress too. After a replay the answer stands in the call, and nothing may be written. */

/* The first statement of a write's transaction; a problem has rolled it back. */
enum problem_code idempotency_claim(struct call *call, struct connection *connection,
                                    const struct write_context *context, bool *ret_replayed);
/* Before a claim, on a connection of its own: for writes that cost something before their transaction. */
enum problem_code idempotency_find(struct call *call, bool *ret_replayed);
/* The last one before COMMIT: the answer as it stands in the call, not compressed yet. */
enum problem_code idempotency_keep(struct call *call, struct connection *connection,
                                   const struct write_context *context);

#endif
