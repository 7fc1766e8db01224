/* What a request body names by its id (x-refers in the contract), and whether the caller may know each of it. Rule: no
 * statement that reads the body runs before this was asked, in the write's own transaction. */
#ifndef API_REFERENCES_H
#define API_REFERENCES_H

#include <jansson.h>
#include "api/call.h"

/* Binds `references` to every record that the body, which is valid, names: [{"kind", "id", "reach"}, ...], each with where
 * the caller sees records of that kind ("reach" is left out where there is no limit). Absent where the body names none. */
void references_bind(struct call *call, const json_t *body);

/* The statement that asks, or NULL for a body that names nothing. It refuses reference_unknown. */
const struct statement *references_statement(const struct call *call);

/* After reference_unknown: a fault for each record that was refused. The places are the arguments of the refusal,
 * {"places": [0, 3]}, counted in `references`. */
void references_faults(struct call *call, struct span arguments);

#endif
