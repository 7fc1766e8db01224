/* The cookies of our pages: set for this very host over TLS (RFC 6265bis 4.1.3, __Host-), never for scripts. */
#ifndef API_HANDLERS_COOKIE_H
#define API_HANDLERS_COOKIE_H

#include "api/call.h"

/* The value of the cookie `name` ("tpbis_login"; behind TLS with the prefix __Host-), if it has that length; else SPAN_NONE. */
struct span cookie_read(const struct call *call, const char *name, size_t length);
/* On the answer, instead of one of that name, for so many seconds; 0: until the browser is closed. */
void cookie_set(struct call *call, const char *name, struct span value, int64_t seconds);

#endif
