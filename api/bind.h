/* JSON values as the text PostgreSQL reads. */
#ifndef API_BIND_H
#define API_BIND_H

#include "api/base/arena.h"
#include "openapi/contract.h"
#include <jansson.h>

/* The text of a value that its schema has accepted, NUL-terminated in the arena; SPAN_NONE for null
 * (but "null" inside JSON). Integers have neither point nor exponent (1.0 is "1"), numbers the
 * fewest digits that read back the same, booleans are "true" and "false", the lists are PostgreSQL
 * array literals, VALUE_JSON is compact JSON, as is whatever is a list or an object without being
 * bound as one. */
struct span bind_json(struct arena *arena, const json_t *value, enum value_type type);

#endif
