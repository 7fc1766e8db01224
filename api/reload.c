/* See reload.h. Rule: requests are answered meanwhile, so what changes is swapped in one piece or not at all. */
#include "api/reload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "api/base/log.h"
#include "api/settings_rules.h"

void log_level_apply(const char *name)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (strcmp(names[i], name) == 0)
            log_level_set((enum log_level)i);
}

static void tell(const char *variable, bool live)
{
    if (live)
        log_event(LOG_INFO, "setting_changed", LOG_C("setting", variable));
    else
        log_event(LOG_WARNING, "setting_needs_restart", LOG_C("setting", variable));
}

/* One log line for each line of a complaint. */
static void refuse_reload(const char *what, char *complaint)
{
    char *rest = NULL;
    for (char *line = strtok_r(complaint, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        log_event(LOG_ERROR, "reload_refused", LOG_C("of", what), LOG_C("why", line));
}

static bool settings_reload(struct service *service)
{
    struct settings fresh;
    char *complaint = NULL;
    size_t len = 0;
    FILE *errors = open_memstream(&complaint, &len);
    bool good = settings_take(&fresh, errors);
    if (good && *fresh.owner_database_url) {
        good = false;
        fputs("TPBIS_OWNER_DATABASE_URL is not for the serving process\n", errors);
    }
    fclose(errors);
    if (good) {
        settings_apply(&service->settings, &fresh, tell);
        log_level_apply(service->settings.log_level);
    } else {
        refuse_reload("settings", complaint);
    }
    free(complaint);
    return good;
}

static bool keys_reload(struct service *service)
{
    char *complaint = NULL;
    size_t len = 0;
    FILE *errors = open_memstream(&complaint, &len);
    bool good = auth_reload_keys(service->auth, errors);
    fclose(errors);
    if (!good)
        refuse_reload("keys", complaint);
    free(complaint);
    return good;
}

void reload(struct service *service)
{
    bool settings = settings_reload(service), keys = keys_reload(service);
    log_event(LOG_INFO, "reloaded", LOG_C("settings", settings ? "taken" : "kept"),
              LOG_C("keys", keys ? "taken" : "kept"));
}
