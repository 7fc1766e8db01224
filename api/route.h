/* From path segments to the row of the contract. */
#ifndef API_ROUTE_H
#define API_ROUTE_H

#include "api/base/arena.h"
#include "api/base/span.h"
#include "api/frame.h"
#include "openapi/contract.h"

/* The place of that path in the trie, or NULL; path parameters in order into ret_values. A literal
 * wins over a parameter, and an empty segment matches nothing, nor does a place without any
 * operation. ret_values has room for SEGMENTS_MAX. */
const struct route *route_find(const struct span *segments, size_t count, struct span *ret_values,
                               size_t *ret_value_count);
/* The same under a root of one's own. */
const struct route *route_walk(const struct route *root, const struct span *segments, size_t count,
                               struct span *ret_values, size_t *ret_value_count);
/* "GET, HEAD, OPTIONS": what this place accepts, for Allow. */
struct span route_allow(struct arena *arena, const struct route *route);

#endif
