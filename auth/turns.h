/* A few places for costly work, given in turn. Who waits is served by lane; in a lane each network has its turn, and in a network who came
 * first. So neither a crowd behind one network nor chance keeps anybody else out. */
#ifndef AUTH_TURNS_H
#define AUTH_TURNS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/base/problem.h"

enum lane {
    LANE_KNOWN, /* has proved something: a browser in which the account was opened before, a link, a password of now */
    LANE_QUIET, /* from where nothing speaks against it */
    LANE_OTHER,
    LANES
};
struct turn {
    enum lane lane;
    uint64_t network; /* whose crowd it is in; any number that is the same for the same network */
    int64_t deadline_ms;
};

#define TURNS_NETWORKS 256
struct turn_waiter;
struct turns {
    pthread_mutex_t lock;
    pthread_condattr_t monotonic;
    int places, running;
    size_t most_waiting, waiting; /* those of LANE_KNOWN are not counted, and never sent away */
    struct turn_waiter *first, **last;
    uint64_t served,
        served_at[TURNS_NETWORKS]; /* the number of the last place that a network got */
};

void turns_init(struct turns *turns, int places, size_t most_waiting);
/* PROBLEM_busy at the deadline, or when the queue is full: then the last one of the largest crowd goes, which may be a
 * waiter or the newcomer. */
enum problem_code turns_take(struct turns *turns, const struct turn *turn);
void turns_leave(struct turns *turns);
bool turns_full(struct turns *turns);
size_t turns_waiting(struct turns *turns); /* all lanes */

#endif
