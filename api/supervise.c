/* See supervise.h. Rule: nothing is said that was not just seen. The protocol is a datagram to the socket named
 * by NOTIFY_SOCKET, documented and stable; a library for it would bring its own dependencies into the process. */
#include "api/supervise.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "api/base/clock.h"
#include "api/base/log.h"
#include "api/probe.h"

#define PROBE_TIMEOUT_MS 1000
#define PROBES 8
#define PROBE_PAUSE_US 20000
#define TURN_MS 1000 /* of the main loop */
#define READY_TURN_MS 100

static struct {
    bool ready;
    int64_t next_ms;    /* when the watchdog is due again */
    uint64_t completed; /* requests, at the last look */
} seen;

static void notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = path ? strlen(path) : 0;
    if (len < 2 || len > sizeof(address.sun_path) || (path[0] != '/' && path[0] != '@'))
        return;
    memcpy(address.sun_path, path, len);
    if (path[0] == '@') /* an abstract one */
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len +
                                 (path[0] == '/' && len < sizeof(address.sun_path)));
    if (fd >= 0 &&
        sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address, size) < 0)
        log_event(LOG_WARNING, "supervisor_not_told", LOG_C("why", strerror(errno)));
    if (fd >= 0)
        close(fd);
}

static void notify_ready(struct server *server)
{
    char state[512];
    snprintf(state, sizeof(state), "READY=1\nSTATUS=serving %s", server_service(server)->base_url);
    notify(state);
}

void supervise_reloading(void)
{
    char state[96];
    snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=reloading",
             (long long)clock_monotonic_us());
    notify(state);
}

void supervise_reloaded(struct server *server)
{
    if (seen.ready)
        notify_ready(server);
}

void supervise_stopping(void)
{
    notify("STOPPING=1\nSTATUS=finishing the requests in flight");
}

/* Half of what the supervisor allows; 0 when it does not watch us. */
static int64_t watchdog_interval_ms(void)
{
    const char *allowed = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    if (!allowed || (pid && strtol(pid, NULL, 10) != (long)getpid()))
        return 0;
    return strtoll(allowed, NULL, 10) / 2000;
}

/* It lives when it finishes requests: anybody's, or else one of ours. The counter is this process' own, for on a
 * shared socket the answer may be another's. */
static bool lives(struct server *server)
{
    for (int i = 0; i < PROBES && server_completed(server) == seen.completed; i++) {
        probe(server_address(server), "/health/live", PROBE_TIMEOUT_MS);
        usleep(PROBE_PAUSE_US); /* the counter follows the answer */
    }
    bool alive = server_completed(server) != seen.completed;
    seen.completed = server_completed(server);
    return alive;
}

static void watchdog(struct server *server, int64_t interval)
{
    seen.next_ms = clock_monotonic_ms() + interval;
    if (lives(server))
        notify("WATCHDOG=1");
    else
        log_event(LOG_ERROR, "not_alive", LOG_C("why", "no request ends, not one of our own"));
}

/* schema_seen: that this process itself has answered so, and not one that shares the socket. */
static void ready_look(struct server *server)
{
    probe(server_address(server), "/health/ready", PROBE_TIMEOUT_MS);
    seen.ready = atomic_load(&server_service(server)->schema_seen);
    if (seen.ready)
        notify_ready(server);
    else
        notify("STATUS=waiting for the database");
}

int64_t supervise_tick(struct server *server)
{
    if (!getenv("NOTIFY_SOCKET"))
        return TURN_MS;
    int64_t interval = watchdog_interval_ms(), now = clock_monotonic_ms();
    if (!seen.ready)
        ready_look(server);
    if (interval && now >= seen.next_ms)
        watchdog(server, interval);
    int64_t left = interval ? seen.next_ms - clock_monotonic_ms() : TURN_MS;
    int64_t wait = seen.ready ? TURN_MS : READY_TURN_MS;
    return left < 0 ? 0 : left < wait ? left : wait;
}
