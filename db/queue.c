/* The queue before the pool. Rule: it is served in turn, and writers beyond their share are passed over. */
#include "db/queue.h"

#include <string.h>
#include <time.h>

void queue_init(struct queue *queue)
{
    *queue = (struct queue){.last = &queue->first};
}

void queue_join(struct queue *queue, struct waiter *waiter, bool first, bool writing)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    memset(waiter, 0, sizeof *waiter);
    waiter->writing = writing;
    pthread_cond_init(&waiter->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (first) {
        waiter->next = queue->first;
        if (!queue->first)
            queue->last = &waiter->next;
        queue->first = waiter;
    } else {
        *queue->last = waiter;
        queue->last = &waiter->next;
    }
    queue->waiting++;
}

void queue_leave(struct queue *queue, struct waiter *waiter)
{
    struct waiter **at = &queue->first;
    while (*at && *at != waiter)
        at = &(*at)->next;
    if (!*at)
        return; /* served or refused already */
    *at = waiter->next;
    if (queue->last == &waiter->next)
        queue->last = at;
    queue->waiting--;
}

struct waiter *queue_next(const struct queue *queue, size_t room, size_t *ret_count)
{
    struct waiter *next = NULL;
    *ret_count = 0;
    for (struct waiter *waiter = queue->first; waiter; waiter = waiter->next) {
        if (waiter->writing && !room)
            continue;
        room -= waiter->writing;
        if (!next)
            next = waiter;
        ++*ret_count;
    }
    return next;
}

struct waiter *queue_take(struct queue *queue, struct waiter *waiter)
{
    queue_leave(queue, waiter);
    pthread_cond_signal(&waiter->wake);
    return waiter;
}
