/* The networks around an address, and which of them have to wait: what the database said of one is remembered for a moment, so that a
 * flood from it costs neither the database nor a place in a queue. */
#ifndef AUTH_NETWORK_H
#define AUTH_NETWORK_H

#include <stdbool.h>
#include <stdint.h>

/* A number for the network of so many bits around an address as text (with or without "/64"); equal for equal networks. IPv4 in IPv6's
 * clothes is IPv4. 0 bits, and what is no address: 0. */
uint64_t network_of(const char *address, int bits);
/* The one whose crowd an address is in: the /24 of IPv4, the /48 of IPv6. */
uint64_t network_crowd(const char *address);

/* Seconds that any network around it still has to wait, as far as this process knows; 0: none. */
int64_t network_rest_s(const char *address);
/* A network of so many bits is to wait. Believed for ten seconds at most: then the database is asked again. */
void network_rest(const char *address, int bits, int64_t seconds);

#endif
