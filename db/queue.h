/* The queue of those who wait for a connection of the pool. It has no lock of its own: the pool's is held by every caller. */
#ifndef DB_QUEUE_H
#define DB_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct connection;

struct waiter {          /* on the stack of the thread that waits */
    pthread_cond_t wake; /* on CLOCK_MONOTONIC; made by queue_join(), destroyed by who waited */
    struct connection *granted;
    bool refused; /* no connection lives and none can be made */
    bool writing;
    struct waiter *next;
};

struct queue {
    struct waiter *first, **last; /* last: where the next one is linked */
    size_t waiting;
};

void queue_init(struct queue *queue);

/* At the end, or at the front for whoever had its turn already. */
void queue_join(struct queue *queue, struct waiter *waiter, bool first, bool writing);

/* Nothing happens to one who is no longer in the queue. */
void queue_leave(struct queue *queue, struct waiter *waiter);

/* The first who may be served while `room` more writers may hold a connection, or NULL; *ret_count is how many may be. */
struct waiter *queue_next(const struct queue *queue, size_t room, size_t *ret_count);

/* Takes one out and wakes it; gives it back, to be told its outcome before the lock is let go. */
struct waiter *queue_take(struct queue *queue, struct waiter *waiter);

#endif
