/* The HTTP server. The only file that knows ulfius and libmicrohttpd is server.c. */
#ifndef API_SERVER_H
#define API_SERVER_H

#include <stdio.h>
#include "api/call.h"

struct server;

/* Binds and listens; NULL with a reason on `errors`. */
struct server *server_start(struct service *service, FILE *errors);

/* Graceful stop: readiness says 503, the listener closes, requests in flight finish or the drain times out. */
void server_stop(struct server *server);

#endif
