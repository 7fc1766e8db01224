/* Whose request it is, as far as addresses tell: the peer's, or what trusted proxies say of it. */
#ifndef API_ADDRESS_H
#define API_ADDRESS_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include "api/base/span.h"

struct proxies;
/* A comma-separated list of addresses and prefixes (10.0.0.0/8, fd00::/8). NULL with every fault on `errors`, a line each: what is no address or prefix,
 * and prefixes far too wide to hold proxies alone. */
struct proxies *proxies_new(const char *list, FILE *errors);
void proxies_free(struct proxies *proxies);

/* Can only this machine itself be reached under it: localhost, 127.0.0.0/8, ::1? */
bool address_is_loopback(struct span host);
/* Is the host of a URL this machine: as above, or an unspecified address, which whoever connects takes for it? */
bool address_is_local(struct span host);

#define ADDRESS_TEXT 64
/* The client's address: that of the peer, unless it is a trusted proxy; then the last one of X-Forwarded-For that is none.
 * An IPv6 address stands for its /64, which one subscriber has: "2001:db8:1:2::/64". "" when there is no peer. */
void address_of(const struct proxies *proxies, const struct sockaddr *peer, struct span forwarded,
                char ret_text[ADDRESS_TEXT]);

/* Is the peer itself a trusted proxy? */
bool proxies_trust(const struct proxies *proxies, const struct sockaddr *peer);

/* The same as a network of many: the /24 of an IPv4 address, the /48 of an IPv6 one. For the log. */
void address_network_of(const struct proxies *proxies, const struct sockaddr *peer,
                        struct span forwarded, char ret_text[ADDRESS_TEXT]);

#endif
