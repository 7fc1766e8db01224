/* What single values of settings.def cannot say: rules between settings, and values that would leave the service open. */
#ifndef API_SETTINGS_RULES_H
#define API_SETTINGS_RULES_H

#include <stdbool.h>
#include <stdio.h>
#include "api/base/settings.h"

/* settings_load(), and then the rules. Every fault of both goes to `errors`, a line each; false if there was one. */
bool settings_take(struct settings *ret_settings, FILE *errors);

#endif
