/* A few places for costly work, given in turn. Who waits is served by lane, but no lane is passed over for ever (turns.c); in a lane each network
 * has its turn, and in a network who came first. So neither a crowd behind one network, nor one in a better lane, nor chance keeps anybody else out. */
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
    uint64_t account; /* who is known; only in LANE_KNOWN */
};
/* A number for the user of that id. */
uint64_t turn_account(const char *user_id);

#define TURNS_NETWORKS 256
#define TURNS_PLACES_MAX 8
struct turn_waiter;
struct turns {
    pthread_mutex_t lock;
    pthread_condattr_t monotonic;
    int places, running;
    uint64_t accounts[TURNS_PLACES_MAX]; /* those of LANE_KNOWN that hold a place; 0: free */
    int passed[LANES]; /* places given to others while somebody waited in the lane */
    size_t most_waiting,
        waiting; /* those of LANE_KNOWN, one an account, are not counted, and never sent away */
    struct turn_waiter *first, **last;
    uint64_t served,
        served_at[TURNS_NETWORKS]; /* the number of the last place that a network got */
};

void turns_init(struct turns *turns, int places, size_t most_waiting);
/* Takes a place. An account has one attempt at work or waiting in LANE_KNOWN: another one meanwhile becomes one of LANE_OTHER, which *turn says
 * then. PROBLEM_busy at the deadline, or when the queue is full: then the last one of the largest crowd goes, which may be a waiter or the
 * newcomer. */
enum problem_code turns_take(struct turns *turns, struct turn *turn);
/* Gives back the place that was taken with that turn. */
void turns_leave(struct turns *turns, const struct turn *turn);
bool turns_full(struct turns *turns);
size_t turns_waiting(struct turns *turns); /* all lanes */

#endif
