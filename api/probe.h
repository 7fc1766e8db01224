/* Asks an HTTP server on this machine a question that it answers with 200 when all is well. */
#ifndef API_PROBE_H
#define API_PROBE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* True when GET `path` is answered with 200, each step within `timeout_ms`. A wildcard address means this machine. */
bool probe(const struct sockaddr_storage *address, const char *path, int64_t timeout_ms);

#endif
