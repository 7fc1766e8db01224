/* From results to bodies: one object, one page, or the pieces of a stream. */
#ifndef API_RENDER_H
#define API_RENDER_H

#include "api/call.h"
#include "api/row_plan.h"

/* The single object of `rows` into the response body. *ret_version: its row version, or empty. */
void render_object(struct call *call, const struct rows *rows, struct span *ret_version);

/* A page in the call's media type; `total` is the one row of the count, or NULL. Sets Link. */
void render_page(struct call *call, const struct rows *rows, const struct rows *total);

/* A stream is opening + batches + closing. `shown` rows are written; `first` tells whether any stood before. */
void render_opening(struct buffer *buffer, const struct call *call, const struct row_plan *plan);
void render_batch(struct buffer *buffer, const struct call *call, const struct row_plan *plan,
                  const struct rows *rows, size_t shown, bool first);
void render_closing(struct buffer *buffer, uint8_t media);

#endif
