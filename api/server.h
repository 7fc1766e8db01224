/* The HTTP server. The only file that knows ulfius and libmicrohttpd is server.c. */
#ifndef API_SERVER_H
#define API_SERVER_H

#include <stdio.h>
#include <sys/socket.h>
#include "api/call.h"

struct server;

/* Binds and listens; NULL with a reason on `errors`. */
struct server *server_start(struct service *service, FILE *errors);

const struct service *server_service(const struct server *server);
const struct sockaddr_storage *server_address(const struct server *server); /* it listens on */
uint64_t server_completed(const struct server *server);                     /* requests so far */

/* Graceful stop: readiness says 503, the listener closes (one that others hold stays open for them), requests in
 * flight finish or the drain times out. */
void server_stop(struct server *server);

#endif
