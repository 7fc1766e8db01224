/* The subcommands besides serve. Each returns the exit status: 0 done, 1 failed, 2 used wrongly. */
#ifndef API_COMMANDS_H
#define API_COMMANDS_H

#include <stdbool.h>
#include "api/base/settings.h"

bool command_schema_check(
    const struct settings *settings); /* serve's first step: says why on stderr */
int command_migrate(const struct settings *settings);
int command_load_reference(const struct settings *settings, int count, char **options);
int command_audit(const struct settings *settings, int count, char **words);
int command_assignment(const struct settings *settings, int count, char **words);
const char *owner_url(const struct settings *settings); /* owner.c */
int command_client(const struct settings *settings, int count,
                   char **words); /* create, suspend, reinstate */
int command_key(const struct settings *settings, int count,
                char **words); /* create, rotate, list, retire */
int command_ready(const struct settings *settings);
int command_purge(const struct settings *settings, int count,
                  char **options); /* commands_purge.c */
int command_user(const struct settings *settings, const char *base_url, int count,
                 char **words); /* create, reset, disable */
int command_openapi(void);

#endif
