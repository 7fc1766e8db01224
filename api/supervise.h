/* What the service tells the supervisor that started it (sd_notify(3)): that it serves, reloads, stops, lives. */
#ifndef API_SUPERVISE_H
#define API_SUPERVISE_H

#include "api/server.h"

void supervise_reloading(void);
void supervise_reloaded(struct server *server);
void supervise_stopping(void);

/* Once a turn of the main loop; how many milliseconds the next one may wait. Says READY when the service answers
 * that it is ready, and where the supervisor watches (WATCHDOG_USEC), that it lives while it answers at all. */
int64_t supervise_tick(struct server *server);

#endif
