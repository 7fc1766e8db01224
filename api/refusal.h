/* Answers to requests that the HTTP library refuses by itself, or of which the rest is not read. */
#ifndef API_REFUSAL_H
#define API_REFUSAL_H

#include "api/call.h"

/* The problem for the status that the library would have answered with; the call gets its arguments. */
enum problem_code refusal_of_status(struct call *call, unsigned status, size_t body_max_bytes);

/* Sends the call's complete response over the socket and ends that direction of the connection, so that nothing follows it. Then, for at most
 * two seconds and 256 KiB, what the client still sends is taken off the socket: what is unread at the close of a connection tears down
 * an answer that is on its way (RFC 9112 9.6). */
void refusal_send(const struct call *call, int fd);

#endif
