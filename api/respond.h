/* The end of the road: everything an answer carries besides its own content. */
#ifndef API_RESPOND_H
#define API_RESPOND_H

#include "api/call.h"

#define GZIP_LEVEL 2          /* 1 to 4: beyond that CPU buys little on JSON */
#define GZIP_WINDOW (15 + 16) /* zlib: the largest window, in a gzip wrapper */

/* Makes the problem the answer (RFC 9457), with its status and the headers that belong to it: Allow,
 * WWW-Authenticate, Retry-After. What was rendered before is thrown away. */
void respond_problem(struct call *call, enum problem_code code);

/* The scopes of one alternative of the operation, space separated; of the first: what a refused caller should ask for. */
struct span respond_scopes(struct call *call, size_t alternative);

/* A body that outlives the call. */
void respond_constant(struct call *call, int status, const char *content_type, struct span body);

struct span respond_plain(const struct call *call); /* the body as it stands, constant or not */

/* Whether the body will be compressed: the client accepts it and it is worth it. */
bool respond_gzip_wanted(const struct call *call);
void respond_gzip(struct call *call); /* does so where it is wanted */

/* A 304 (RFC 9110 15.4.5): no body, the ETag stands already. */
void respond_not_modified(struct call *call);

/* The headers of every answer: request id, Vary, Cache-Control, CORS, security. Last. */
void respond_finish(struct call *call);

/* The answer to OPTIONS: 204 with Allow, and a CORS preflight where that is asked. */
void respond_options(struct call *call);

const char *respond_media_type(uint8_t media);

#endif
