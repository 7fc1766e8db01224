/* See turns.h. Rule: a place that comes free goes to the one who is next, before anybody who has not waited; nobody is woken to find it
 * taken. Whoever waits gets a share of the places, however many wait in better lanes. */
#include "auth/turns.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/base/clock.h"

/* A lane that was passed over so many times is next: so of every three places who is known gets two at most, and who is in no good lane gets every
 * sixth. */
static const int passes[LANES] = {0, 2, 5};

enum outcome { WAITING, GRANTED, SENT_AWAY };

struct turn_waiter {
    const struct turn *turn;
    pthread_cond_t wake;
    enum outcome outcome;
    struct turn_waiter *next;
};

void turns_init(struct turns *turns, int places, size_t most_waiting)
{
    assert(places <= TURNS_PLACES_MAX);
    *turns = (struct turns){.places = places, .most_waiting = most_waiting, .first = NULL};
    turns->last = &turns->first;
    pthread_mutex_init(&turns->lock, NULL);
    pthread_condattr_init(&turns->monotonic);
    pthread_condattr_setclock(&turns->monotonic, CLOCK_MONOTONIC);
}

uint64_t turn_account(const char *user_id)
{
    const char *end = strrchr(user_id,
                              '-'); /* of a uuid its last twelve digits, which are random */
    return strtoull(end ? end + 1 : user_id, NULL, 16) + 1;
}

static uint64_t *account_place(struct turns *turns, uint64_t account)
{
    uint64_t *place = turns->accounts;
    while (place < turns->accounts + TURNS_PLACES_MAX && *place != account)
        place++;
    return place < turns->accounts + TURNS_PLACES_MAX ? place : NULL;
}

/* Is there one of that account already, at work or waiting, in the lane of those who are known? */
static bool account_there(struct turns *turns, uint64_t account)
{
    for (const struct turn_waiter *one = turns->first; one; one = one->next)
        if (one->turn->lane == LANE_KNOWN && one->turn->account == account)
            return true;
    return account_place(turns, account) != NULL;
}

static uint64_t *served_at(struct turns *turns, const struct turn *turn)
{
    return &turns->served_at[turn->network % TURNS_NETWORKS];
}

static void join(struct turns *turns, struct turn_waiter *waiter)
{
    *turns->last = waiter;
    turns->last = &waiter->next;
    turns->waiting += waiter->turn->lane != LANE_KNOWN;
}

/* Takes it out of the queue and wakes it. */
static void leave(struct turns *turns, struct turn_waiter *waiter, enum outcome outcome)
{
    struct turn_waiter **at = &turns->first;
    while (*at != waiter)
        at = &(*at)->next;
    *at = waiter->next;
    if (turns->last == &waiter->next)
        turns->last = at;
    turns->waiting -= waiter->turn->lane != LANE_KNOWN;
    waiter->outcome = outcome;
    pthread_cond_signal(&waiter->wake);
}

/* The lane that is next: the best in which somebody waits, or a worse one that was passed over often enough. */
static enum lane next_lane(struct turns *turns)
{
    bool waits[LANES] = {false};
    enum lane next = LANES;
    for (const struct turn_waiter *one = turns->first; one; one = one->next)
        waits[one->turn->lane] = true;
    for (enum lane lane = LANE_KNOWN; lane < LANES; lane++)
        if (waits[lane] && (next == LANES || turns->passed[lane] >= passes[lane]))
            next = lane;
    for (enum lane lane = LANE_KNOWN; lane < LANES; lane++)
        turns->passed[lane] = waits[lane] && lane != next ? turns->passed[lane] + 1 : 0;
    return next;
}

/* Gives free places to those who are next. */
static void settle(struct turns *turns)
{
    while (turns->running < turns->places && turns->first) {
        enum lane lane = next_lane(turns);
        struct turn_waiter *next = NULL;
        for (struct turn_waiter *one = turns->first; one; one = one->next)
            if (one->turn->lane == lane &&
                (!next || *served_at(turns, one->turn) < *served_at(turns, next->turn)))
                next = one;
        assert(next); /* somebody waits in that lane */
        turns->running++;
        if (lane == LANE_KNOWN)
            *account_place(turns, 0) = next->turn->account;
        *served_at(turns, next->turn) = ++turns->served;
        leave(turns, next, GRANTED);
    }
}

static size_t crowd(const struct turns *turns, const struct turn *turn)
{
    size_t count = 0;
    for (const struct turn_waiter *one = turns->first; one; one = one->next)
        count += one->turn->lane == turn->lane && one->turn->network == turn->network;
    return count;
}

/* The queue has one too many: of the last lane the largest crowd, and of that who came last. */
static void send_away(struct turns *turns)
{
    struct turn_waiter *victim = NULL;
    size_t largest = 0;
    for (struct turn_waiter *one = turns->first; one; one = one->next) {
        size_t size = crowd(turns, one->turn);
        if (one->turn->lane == LANE_KNOWN || (victim && one->turn->lane < victim->turn->lane))
            continue;
        if (victim && one->turn->lane == victim->turn->lane && size < largest)
            continue;
        victim = one;
        largest = size;
    }
    assert(victim); /* more wait than may, so one is there who is not known */
    leave(turns, victim, SENT_AWAY);
}

enum problem_code turns_take(struct turns *turns, struct turn *turn)
{
    struct turn_waiter waiter = {.turn = turn, .outcome = WAITING};
    struct timespec until = {.tv_sec = turn->deadline_ms / 1000,
                             .tv_nsec = turn->deadline_ms % 1000 * 1000000};
    int outcome = 0;
    pthread_mutex_lock(&turns->lock);
    pthread_cond_init(&waiter.wake, &turns->monotonic);
    assert((turn->account != 0) == (turn->lane == LANE_KNOWN));
    if (turn->lane == LANE_KNOWN && account_there(turns, turn->account))
        turn->lane = LANE_OTHER;
    join(turns, &waiter);
    settle(turns);
    if (turns->waiting > turns->most_waiting)
        send_away(turns);
    while (waiter.outcome == WAITING && outcome != ETIMEDOUT)
        outcome = pthread_cond_timedwait(&waiter.wake, &turns->lock, &until);
    if (waiter.outcome == WAITING)
        leave(turns, &waiter, SENT_AWAY);
    pthread_cond_destroy(&waiter.wake);
    pthread_mutex_unlock(&turns->lock);
    return waiter.outcome == GRANTED ? PROBLEM_NONE : PROBLEM_busy;
}

void turns_leave(struct turns *turns, const struct turn *turn)
{
    pthread_mutex_lock(&turns->lock);
    turns->running--;
    if (turn->lane == LANE_KNOWN)
        *account_place(turns, turn->account) = 0;
    settle(turns);
    pthread_mutex_unlock(&turns->lock);
}

bool turns_full(struct turns *turns)
{
    pthread_mutex_lock(&turns->lock);
    bool full = turns->waiting >= turns->most_waiting;
    pthread_mutex_unlock(&turns->lock);
    return full;
}

size_t turns_waiting(struct turns *turns)
{
    size_t count = 0;
    pthread_mutex_lock(&turns->lock);
    for (const struct turn_waiter *one = turns->first; one; one = one->next)
        count++;
    pthread_mutex_unlock(&turns->lock);
    return count;
}
