/* The request that a thread is at work on, for whoever writes evidence: the log and the audit. Whatever serves a request sets the trail when
 * it begins and takes it away when it ends, so no line of evidence has to be told whose it is. */
#ifndef BASE_TRAIL_H
#define BASE_TRAIL_H

#include "api/base/span.h"

#define REQUEST_ID_MAX                                                                             \
    128 /* bytes; of ours and of the caller's, in log, audit, proxy and contract */

struct trail {
    struct span request_id; /* ours, or that of our own proxy; never the caller's choice */
    struct span
        caller_request_id; /* X-Request-Id as the caller sent it; SPAN_NONE when there was none that is safe in a log */
    const char *
        network; /* where the request came from: 192.0.2.0/24, 2001:db8:1::/48; "" when not known */
};

void trail_set(const struct trail
                   *trail); /* of this thread; must outlive its use; NULL: no request any more */
const struct trail *trail_get(void); /* never NULL: an empty one outside a request */

#endif
