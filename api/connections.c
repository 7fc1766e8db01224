/* See connections.h. Rule: whoever sends slowly, or from one address many times, takes nobody else's place. */
#include "api/connections.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "api/address.h"
#include "api/base/clock.h"
#include "api/base/log.h"
#include "api/metrics.h"

#define TELL_MS 60000 /* at most one line in that time */

struct seat {
    char address[ADDRESS_TEXT];
    int socket;
    bool counted; /* among those of its address */
    int64_t
        waiting_ms; /* since when, by the monotonic clock, for a request; 0: it is being served */
    struct seat *previous, *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the list and what its seats hold */
static struct seat *seats;
static int64_t refused;    /* connections, since the last line in the log that told of them */
static int64_t told_at_ms; /* when that line was written; 0: never */

static int64_t held_by(const char *address)
{
    int64_t count = 0;
    for (const struct seat *one = seats; one; one = one->next)
        count += one->counted && strcmp(one->address, address) == 0;
    return count;
}

/* Under the lock. */
static void count_refused(const struct service *service)
{
    refused++;
    metrics_count(service->metrics, METRIC_CONNECTIONS_REFUSED);
}

void seat_missing(const struct service *service)
{
    pthread_mutex_lock(&lock);
    count_refused(service);
    pthread_mutex_unlock(&lock);
}

struct seat *seat_take(const struct service *service, const struct sockaddr *peer, int socket)
{
    int64_t most = service->settings.connection_limit_per_address;
    struct seat *seat = memory_alloc(sizeof(*seat));
    seat->socket = socket;
    seat->waiting_ms = clock_monotonic_ms();
    address_of(service->proxies, peer, SPAN_NONE, seat->address);
    seat->counted = most > 0 && !proxies_trust(service->proxies, peer);
    pthread_mutex_lock(&lock);
    if (seat->counted && held_by(seat->address) >= most) {
        seat->counted = false;
        shutdown(socket, SHUT_RDWR);
        count_refused(service);
    }
    seat->next = seats;
    if (seats)
        seats->previous = seat;
    seats = seat;
    pthread_mutex_unlock(&lock);
    return seat;
}

void seat_leave(struct seat *seat)
{
    pthread_mutex_lock(&lock);
    if (seat->previous)
        seat->previous->next = seat->next;
    else
        seats = seat->next;
    if (seat->next)
        seat->next->previous = seat->previous;
    pthread_mutex_unlock(&lock);
    free(seat);
}

static void waiting_set(struct seat *seat, int64_t since_ms)
{
    pthread_mutex_lock(&lock);
    seat->waiting_ms = since_ms;
    pthread_mutex_unlock(&lock);
}

void seat_served(struct seat *seat)
{
    waiting_set(seat, 0);
}

void seat_waiting(struct seat *seat)
{
    waiting_set(seat, clock_monotonic_ms());
}

void connections_cut(const struct service *service)
{
    int64_t now_ms = clock_monotonic_ms(), tell = 0;
    int64_t oldest_ms = now_ms - service->settings.request_timeout_s * 1000;
    pthread_mutex_lock(&lock);
    for (struct seat *seat = seats; seat; seat = seat->next)
        if (seat->waiting_ms && seat->waiting_ms < oldest_ms) {
            shutdown(seat->socket, SHUT_RDWR);
            seat->waiting_ms = 0;
            metrics_count(service->metrics, METRIC_CONNECTIONS_TIMED_OUT);
        }
    if (refused && (!told_at_ms || now_ms - told_at_ms >= TELL_MS)) {
        tell = refused;
        refused = 0;
        told_at_ms = now_ms;
    }
    pthread_mutex_unlock(&lock);
    if (tell)
        log_event(LOG_WARNING, "connections_refused", LOG_I("count", tell),
                  LOG_C("why", "connection_limit or connection_limit_per_address was reached"));
}
