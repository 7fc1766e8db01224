/* Subcommands. Rule: every fault of the command line is named, and nothing is done when there is one. */
#include "api/commands.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "api/base/buffer.h"
#include "api/base/clock.h"
#include "api/listener.h"
#include "api/owner.h"
#include "api/probe.h"
#include "auth/auth.h"
#include "db/load.h"
#include "db/migrate.h"
#include "openapi/contract.h"

#define READY_TIMEOUT_MS 3000
#define HANDED_WAIT_MS 10000

bool command_schema_check(const struct settings *settings)
{
    int outcome = migrate_check(settings->database_url, stderr);
    /* On a socket that another process may be serving, requests are left to it until we could answer them. */
    int64_t until = clock_monotonic_ms() + (listener_handed() ? HANDED_WAIT_MS : 0);
    while (outcome < 0 && clock_monotonic_ms() < until) {
        nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
        outcome = migrate_check(settings->database_url, stderr);
    }
    return outcome != 0; /* an unreachable database is waited for: readiness checks it then */
}

int command_migrate(const struct settings *settings)
{
    return migrate_run(owner_url(settings), stdout) ? 0 : 1;
}

int command_load_reference(const struct settings *settings, int count, char **options)
{
    struct load_options load = {
        .owner_url = owner_url(settings),
        .directory = *settings->reference_directory ? settings->reference_directory : NULL,
    };
    bool edition = count == 2 && strcmp(options[0], "--edition") == 0;
    if (count && !edition) {
        fputs("usage: tpbis load-reference [--edition DIRECTORY]\n", stderr);
        return 2;
    }
    if (edition)
        load.edition_directory = options[1];
    return load_reference(&load, stdout) ? 0 : 1;
}

int command_openapi(void)
{
    size_t written = fwrite(contract_openapi_json, 1, contract_openapi_json_len, stdout);
    putchar('\n');
    return written == contract_openapi_json_len ? 0 : 1;
}

/* Asks the configured address: for container health checks, which have no curl. */
int command_ready(const struct settings *settings)
{
    struct sockaddr_storage address = {0};
    const char *host = settings->listen_address;
    if (strchr(host, ':')) {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&address;
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons((uint16_t)settings->port);
        inet_pton(AF_INET6, host, &in6->sin6_addr);
    } else {
        struct sockaddr_in *in = (struct sockaddr_in *)&address;
        in->sin_family = AF_INET;
        in->sin_port = htons((uint16_t)settings->port);
        inet_pton(AF_INET, host, &in->sin_addr);
    }
    bool ready = probe(&address, "/health/ready", READY_TIMEOUT_MS);
    puts(ready ? "ready" : "not ready");
    return ready ? 0 : 1;
}
