/* Keyset pages: cursors, the next link, and the choice between a page and a stream. */
#ifndef API_PAGE_H
#define API_PAGE_H

#include "api/call.h"

#define PAGE_LIMIT_DEFAULT 50
#define STREAM_BATCH_ROWS 2000

/* After the parameters: decides page or stream, hashes the filters, binds page_rows and, from the cursor, the
 * keys. Problems: PROBLEM_invalid_cursor; PROBLEM_invalid_parameter when a total is asked for where none can
 * stand (CSV, and whole lists). */
enum problem_code page_open(struct call *call);

/* The cursor behind that row, in the arena. */
struct span page_cursor(struct call *call, const struct rows *rows, size_t row);

/* Binds the keys of that row, for the next batch of a stream. */
void page_advance(struct call *call, const struct rows *rows, size_t row);

/* This request's target with another cursor, for Link: rel="next" (a relative reference). */
struct span page_link(struct call *call, struct span cursor);

#endif
