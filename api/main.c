/* The command line: start order only. Rule: nothing here knows an endpoint. */
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "api/base/clock.h"
#include "api/base/log.h"
#include "api/address.h"
#include "api/commands.h"
#include "api/connections.h"
#include "api/jobs.h"
#include "api/metrics.h"
#include "api/limit.h"
#include "api/pipeline.h"
#include "api/reload.h"
#include "api/server.h"
#include "api/settings_rules.h"
#include "api/stream.h"
#include "api/supervise.h"
#include "api/version.h"

/* Without a slash at its end: paths are put behind it. */
static char *base_url_of(const struct settings *settings)
{
    size_t len = strlen(settings->base_url);
    if (len) {
        char *url = memory_copy(settings->base_url);
        while (len && url[len - 1] == '/')
            url[--len] = '\0';
        return url;
    }
    char text[256];
    const char *format = strchr(settings->listen_address, ':') ? "http://[%s]:%d" : "http://%s:%d";
    snprintf(text, sizeof(text), format, settings->listen_address, (int)settings->port);
    return memory_copy(text);
}

static void service_stop(struct service *service)
{
    jobs_free(service->jobs);
    limits_free(service->limits);
    auth_free(service->auth);
    watch_free(service->watch);
    pool_free(service->pool);
    version_cache_free(service->versions);
    metrics_free(service->metrics);
    proxies_free(service->proxies);
    free(service->personal);
}

/* The server's own limit is the second line behind the deadlines of operations: it lets the longest of them pass. */
static int64_t longest_timeout_ms(const struct settings *settings)
{
    int64_t longest = settings->statement_timeout_ms;
    for (size_t i = 0; i < contract_operation_count; i++)
        if (contract_operations[i].timeout_ms > longest)
            longest = contract_operations[i].timeout_ms;
    return longest + 500;
}

static bool service_start(struct service *service, const struct settings *settings)
{
    service->settings = *settings;
    service->proxies = proxies_new(settings->trusted_proxies, stderr);
    service->base_url = base_url_of(settings);
    service->pool = pool_new(
        &(struct pool_options){.url = settings->database_url,
                               .size = (size_t)settings->pool_size,
                               .lifetime_ms = settings->pool_lifetime_s * 1000,
                               .statement_timeout_ms = longest_timeout_ms(settings)});
    service->watch = watch_new(settings->database_url, settings->watch_interval_ms);
    service->versions = version_cache_new((size_t)settings->version_cache_entries);
    service->metrics = metrics_new();
    service->auth = auth_new(&(struct auth_options){.pool = service->pool,
                                                    .watch = service->watch,
                                                    .issuer = service->base_url,
                                                    .audience = settings->audience,
                                                    .key_directory = settings->key_directory,
                                                    .token_lifetime_s = settings->token_lifetime_s},
                             stderr);
    pipeline_init(service);
    if (!service->auth || !service->proxies)
        return false;
    service->limits = limits_new(service);
    service->jobs = jobs_new(service);
    return true;
}

#define LAST_WRITE_MS                                                                              \
    1000 /* what waits for its job is written before the end, while the database is lent */

/* The main loop; the signal that ended it. */
static int serve_until_stopped(struct service *service, struct server *server,
                               const sigset_t *signals)
{
    for (;;) {
        int64_t wait_ms = supervise_tick(server);
        const struct timespec wait = {wait_ms / 1000, wait_ms % 1000 * 1000000};
        int taken = sigtimedwait(signals, NULL, &wait);
        if (taken == SIGHUP) {
            supervise_reloading();
            reload(service);
            supervise_reloaded(server);
        } else if (taken > 0) {
            return taken;
        }
        streams_cut();
        connections_cut(service);
    }
}

/* Signals are blocked before the first thread and taken by the main loop, one at a time. */
static int serve(const struct settings *settings)
{
    static struct service service;
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    json_object_seed(0);
    if (!service_start(&service, settings)) {
        service_stop(&service);
        return 1;
    }
    struct server *server = server_start(&service, stderr);
    if (!server) {
        service_stop(&service);
        return 1;
    }
    log_event(LOG_INFO, "serving", LOG_C("base_url", service.base_url));
    log_event(LOG_INFO, "stopping",
              LOG_I("signal", serve_until_stopped(&service, server, &signals)));
    supervise_stopping();
    if (!auth_write_uses(service.auth, clock_monotonic_ms() + LAST_WRITE_MS))
        log_event(LOG_WARNING, "api_key_uses_lost", LOG_C("why", "no database at the stop"));
    server_stop(server);
    service_stop(&service);
    return 0;
}

static int usage(FILE *out)
{
    fputs(
        "tpbis serve                         serve the API until SIGTERM or SIGINT; SIGHUP reloads\n"
        "tpbis migrate                       bring the database to this version's schema\n"
        "tpbis load-reference                load the regions and the reference facts that ship with this version\n"
        "tpbis load-reference --edition DIR  load another edition of the regions from a directory\n"
        "tpbis client create --name NAME --role ROLE [--region CODE] [--library ID]\n"
        "                    [--type public|confidential] [--redirect-uri URI] [--scope SCOPE]\n"
        "                    [--owner-name NAME] [--owner-email ADDRESS]\n"
        "                                    make a client; prints its id and secret once, as JSON. Several URIs and\n"
        "                                    scopes by several options; a public one needs no role, people use it\n"
        "tpbis client suspend ID --reason TEXT\n"
        "                                    refuse its tokens and keys from now on; for emergencies\n"
        "tpbis client reinstate ID           take that back\n"
        "tpbis assignment create --holder HOLDER --role ROLE [--region CODE | --library ID] [--until DAY]\n"
        "tpbis assignment end --id ID | --holder HOLDER\n"
        "                                    in an emergency; HOLDER is a user's name or id, or a client's id\n"
        "tpbis audit head                    print the newest seal of the audit, to be kept elsewhere\n"
        "tpbis audit verify [--expect HASH]  recompute every seal; exit 1, with what and where, when something was altered\n"
        "tpbis key create                    make a token-signing key where there is none\n"
        "tpbis key rotate [--in SECONDS | --now]\n"
        "                                    make the next key, which signs 15 minutes from now unless told\n"
        "tpbis key list                      the keys, and which is next, current, previous or dead\n"
        "tpbis key retire KID [--force]      remove a key; with --force one whose tokens are alive\n"
        "tpbis user create --username NAME --name NAME [--email ADDRESS] [--role ROLE] [--region CODE] [--library ID]\n"
        "                                    make an account; prints its one-time link\n"
        "tpbis user reset --username NAME    print a one-time link that sets another password\n"
        "tpbis user reset-factor --username NAME\n"
        "                                    take away a second factor that is lost, with its recovery codes\n"
        "tpbis user disable --username NAME --reason TEXT\n"
        "                                    let nobody in with that account any more\n"
        "tpbis purge --dry-run | --run       personal data whose day has passed: count them, or destroy them\n"
        "tpbis ready                         ask a running service whether it is ready (exit 0 or 1)\n"
        "tpbis openapi                       print the contract\n"
        "tpbis --check-config                check the settings and print them\n"
        "tpbis --help-markdown               the settings as a Markdown table\n"
        "tpbis --help-mdoc                   the settings as part of a manual page\n\n"
        "--settings FILE before a command reads settings from that file too. The environment wins over it;\n"
        "SIGHUP reads it again and puts those marked live in force:\n\n",
        out);
    settings_print_help(out);
    return out == stdout ? 0 : 2;
}

int main(int argc, char **argv)
{
    struct settings settings;
    if (argc > 2 && strcmp(argv[1], "--settings") == 0) { /* before the first thread */
        setenv("TPBIS_SETTINGS_FILE", argv[2], 1);
        argv += 2;
        argc -= 2;
    }
    const char *command = argc > 1 ? argv[1] : "";
    if (strcmp(command, "--help") == 0)
        return usage(stdout);
    if (strcmp(command, "--help-markdown") == 0) {
        settings_print_markdown(stdout);
        return 0;
    }
    if (strcmp(command, "--help-mdoc") == 0) {
        settings_print_mdoc(stdout);
        return 0;
    }
    if (strcmp(command, "openapi") == 0)
        return command_openapi();
    if (!settings_take(&settings, stderr))
        return 2;
    log_level_apply(settings.log_level);
    if (strcmp(command, "--check-config") == 0) {
        settings_print_values(&settings, stdout);
        return 0;
    }
    if (strcmp(command, "serve") == 0 && *settings.owner_database_url) {
        fputs(
            "TPBIS_OWNER_DATABASE_URL: not for `tpbis serve`, which answers strangers and must not hold the owner's "
            "rights; give it to the commands that need it, and unset it (or TPBIS_OWNER_DATABASE_URL_FILE) here\n",
            stderr);
        return 2;
    }
    if (strcmp(command, "serve") == 0)
        return command_schema_check(&settings) ? serve(&settings) : 1;
    if (strcmp(command, "migrate") == 0)
        return command_migrate(&settings);
    if (strcmp(command, "load-reference") == 0)
        return command_load_reference(&settings, argc - 2, argv + 2);
    if (strcmp(command, "client") == 0)
        return command_client(&settings, argc - 2, argv + 2);
    if (strcmp(command, "assignment") == 0)
        return command_assignment(&settings, argc - 2, argv + 2);
    if (strcmp(command, "audit") == 0)
        return command_audit(&settings, argc - 2, argv + 2);
    if (strcmp(command, "key") == 0)
        return command_key(&settings, argc - 2, argv + 2);
    if (strcmp(command, "user") == 0) {
        char *base_url = base_url_of(&settings);
        int status = command_user(&settings, base_url, argc - 2, argv + 2);
        free(base_url);
        return status;
    }
    if (strcmp(command, "purge") == 0)
        return command_purge(&settings, argc - 2, argv + 2);
    if (strcmp(command, "ready") == 0)
        return command_ready(&settings);
    return usage(stderr);
}
