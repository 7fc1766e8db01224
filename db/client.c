/* See client.h. */
#define _GNU_SOURCE /* POLLRDHUP */
#include "db/client.h"

#include <poll.h>
#include <stdatomic.h>

#define LOOK_EVERY_MS 100

static _Thread_local int current = -1;
static _Atomic uint64_t left_total;

void client_set(int socket)
{
    current = socket;
}

int client_socket(void)
{
    return current;
}

bool client_left(void)
{
    struct pollfd client = {.fd = current, .events = POLLRDHUP};
    return current >= 0 && poll(&client, 1, 0) == 1 && client.revents;
}

int64_t client_look_ms(int64_t now_ms)
{
    return current >= 0 ? now_ms + LOOK_EVERY_MS : INT64_MAX;
}

void client_left_count(void)
{
    atomic_fetch_add_explicit(&left_total, 1, memory_order_relaxed);
}

uint64_t clients_left(void)
{
    return atomic_load_explicit(&left_total, memory_order_relaxed);
}
