/* A whole list in constant memory: the page's own statement in batches, each on a connection lent for that
 * batch alone, so that a client that reads a byte a second holds nothing. */
#ifndef API_STREAM_H
#define API_STREAM_H

#include <sys/types.h>
#include "api/call.h"

/* Takes a place for the whole list of this call, of the service and of the caller (its bucket of api/limit.h).
 * Problems: PROBLEM_exports_at_once when the caller has two already (429, with Retry-After), PROBLEM_busy when all places are taken. */
enum problem_code stream_new(struct call *call, struct stream **ret_stream);

/* Takes the first batch, which is rendered before the status line leaves. The stream owns the call from now on. */
void stream_open(struct stream *stream, const struct rows *first);

/* Up to max bytes: their number, 0 at the true end, -1 when a batch failed (the connection is then cut, so that
 * the client sees an unfinished body, never a short one that looks whole). */
ssize_t stream_read(struct stream *stream, char *ret_bytes, size_t max);

/* The stream's bytes go out on this socket, which stays open until stream_close() has returned. */
void stream_attach(struct stream *stream, int socket);

/* Watches over all streams; called every second. One that is older than stream_timeout_s is cut, and so is one whose client takes less than 32 KiB a
 * second over ten seconds in which nothing was waited for here: who reads slowly without end would hold a place for ever, and is not heard of while
 * its socket is full. After twenty seconds of the client's own each further one costs a request. */
void streams_cut(void);

/* Frees a stream that was not opened. */
void stream_drop(struct stream *stream);

/* Logs an opened stream; frees it and the call. */
void stream_close(struct stream *stream);

#endif
