/* The connections of the listener: how many one address may hold, and how long a request may take to arrive. It knows sockets, not HTTP. */
#ifndef API_CONNECTIONS_H
#define API_CONNECTIONS_H

#include <sys/socket.h>
#include "api/call.h"

struct seat; /* of one connection */

/* Seats a new connection. Where its address (an IPv6 one by its /64) holds connection_limit_per_address already, and is no trusted proxy, through
 * which everybody comes, its socket is shut down at once. The socket stays open until seat_leave() has returned. */
struct seat *seat_take(const struct service *service, const struct sockaddr *peer, int socket);
void seat_leave(struct seat *seat);

/* Counts a connection for which connection_limit left no place: the HTTP library closes it without one. */
void seat_missing(const struct service *service);

/* A request has arrived whole; and its answer has gone, so that the next one may arrive. */
void seat_served(struct seat *seat);
void seat_waiting(struct seat *seat);

/* Shuts the sockets down whose next request did not arrive whole within request_timeout_s of the connection's beginning, or of the answer before:
 * a byte now and then would keep a connection for ever. Called every second;
 * tells in the log, at most once a minute, how many connections were refused. */
void connections_cut(const struct service *service);

#endif
