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

/* The stream's bytes go out on this socket, which stays open until stream_close() has returned. */
void stream_attach(struct stream *stream, int socket);

/* Cuts the connections of all streams older than stream_timeout_s: who reads slowly without end would hold a place
 * for ever, and is not heard of while its socket is full. Called every second. */
void streams_cut(void);

/* Frees the stream and the call; `record` has logged it. */
void stream_close(struct stream *stream);

#endif
