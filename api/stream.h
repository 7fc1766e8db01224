/* A whole list in constant memory: the page's own statement in batches, each on a connection lent for that
 * batch alone, so that a client that reads a byte a second holds nothing. */
#ifndef API_STREAM_H
#define API_STREAM_H

#include <sys/types.h>
#include "api/call.h"

/* Takes the first batch; it is rendered before the status line leaves. The stream owns the call from now on. */
enum problem_code stream_open(struct call *call, struct rows *first);

/* Up to max bytes: their number, 0 at the true end, -1 when a batch failed (the connection is then cut, so that
 * the client sees an unfinished body, never a short one that looks whole). */
ssize_t stream_read(struct stream *stream, char *ret_bytes, size_t max);

/* Frees the stream and the call; `record` has logged it. */
void stream_close(struct stream *stream);

#endif
