/* Answers to requests that the HTTP library refuses by itself, or waits for in vain. */
#ifndef API_REFUSAL_H
#define API_REFUSAL_H

#include "api/call.h"

/* The problem for the status that the library would have answered with; the call gets its arguments. */
enum problem_code refusal_of_status(struct call *call, unsigned status, size_t body_max_bytes);

/* Sends the call's complete response over the socket and ends that direction of the connection, so that nothing follows it. What the
 * client has sent and nobody will read is taken off the socket: what stays unread at its close would tear the answer down. */
void refusal_send(const struct call *call, int fd);

#endif
