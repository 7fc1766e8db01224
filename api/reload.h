/* What SIGHUP does. */
#ifndef API_RELOAD_H
#define API_RELOAD_H

#include "api/call.h"

void log_level_apply(const char *name);

/* Reads the settings and the key directory again. What is wrong is logged and the old stays, each for itself:
 * faulty settings do not keep a key from being taken, nor the other way round. From the main thread. */
void reload(struct service *service);

#endif
