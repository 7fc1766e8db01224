/* Places in turn: lanes, networks, and who goes when too many wait. */
#include "auth/turns.h"

#include <pthread.h>
#include <unistd.h>

#include "api/base/clock.h"
#include "tests/unit/api/check.h"

#define MOST 100

static struct turns turns;
static struct turn own; /* of the test itself */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int order[MOST], served, refused;

struct one {
    pthread_t thread;
    struct turn turn;
    int number;
};

static void *wait_in_turn(void *argument)
{
    struct one *one = argument;
    enum problem_code code = turns_take(&turns, &one->turn);
    pthread_mutex_lock(&lock);
    if (code == PROBLEM_NONE)
        order[served++] = one->number;
    else
        refused++;
    pthread_mutex_unlock(&lock);
    if (code == PROBLEM_NONE)
        turns_leave(&turns, &one->turn);
    return NULL;
}

static int queued_or_gone(void)
{
    int count = 0;
    pthread_mutex_lock(&lock);
    count = refused;
    pthread_mutex_unlock(&lock);
    return count + (int)turns_waiting(&turns);
}

/* One after the other, so that it is known who came first. */
static void queue_up(struct one *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int before = queued_or_gone();
        list[i].turn.deadline_ms = clock_monotonic_ms() + 30000;
        list[i].number = (int)i;
        assert_int_equal(pthread_create(&list[i].thread, NULL, wait_in_turn, &list[i]), 0);
        while (queued_or_gone() == before)
            usleep(500);
    }
}

static void all_served(struct one *list, size_t count)
{
    turns_leave(&turns, &own);
    for (size_t i = 0; i < count; i++)
        pthread_join(list[i].thread, NULL);
}

static void begin(size_t most_waiting)
{
    own = (struct turn){LANE_KNOWN, 9, clock_monotonic_ms() + 1000, 19};
    turns_init(&turns, 1, most_waiting);
    served = refused = 0;
    assert_int_equal(turns_take(&turns, &own), PROBLEM_NONE);
}

static void test_in_turn(void **state)
{
    (void)state;
    struct one list[] = {{.turn = {LANE_OTHER, 1, 0, 0}},
                         {.turn = {LANE_OTHER, 1, 0, 0}},
                         {.turn = {LANE_OTHER, 1, 0, 0}}};
    begin(10);
    queue_up(list, 3);
    all_served(list, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(order[i], i);
}

/* Who is known goes first, then who is unsuspicious; a crowd behind one network has every other turn, no more. */
static void test_lanes_and_networks(void **state)
{
    (void)state;
    struct one list[] = {
        {.turn = {LANE_OTHER, 1, 0, 0}}, {.turn = {LANE_OTHER, 1, 0, 0}},
        {.turn = {LANE_OTHER, 1, 0, 0}}, {.turn = {LANE_OTHER, 2, 0, 0}},
        {.turn = {LANE_QUIET, 3, 0, 0}}, {.turn = {LANE_KNOWN, 1, 0, 11}},
    };
    const int expected[] = {5, 4, 3, 0, 1, 2};
    begin(10);
    queue_up(list, 6);
    all_served(list, 6);
    for (int i = 0; i < 6; i++)
        assert_int_equal(order[i], expected[i]);
}

/* A crowd of those who are known has two of three places; who is unsuspicious gets the third, and the rest the sixth. */
static void test_no_lane_starves(void **state)
{
    (void)state;
    struct one list[10];
    const int expected[] = {0, 1, 8, 2, 3, 9, 4, 5, 6, 7};
    for (int i = 0; i < 8; i++)
        list[i].turn = (struct turn){LANE_KNOWN, 1, 0, (uint64_t)i + 1};
    list[8].turn = (struct turn){LANE_QUIET, 2, 0, 0};
    list[9].turn = (struct turn){LANE_OTHER, 3, 0, 0};
    begin(20);
    queue_up(list, 10);
    all_served(list, 10);
    for (int i = 0; i < 10; i++)
        assert_int_equal(order[i], expected[i]);
}

/* An account that is at work or waits has no second place among those who are known. */
static void test_one_of_an_account(void **state)
{
    (void)state;
    struct one list[] = {
        {.turn = {LANE_OTHER, 2, 0, 0}},
        {.turn = {LANE_KNOWN, 1, 0, 5}},
        {.turn = {LANE_KNOWN, 1, 0, 5}},
        {.turn = {LANE_KNOWN, 1, 0, 19}}, /* that of the place which is taken */
        {.turn = {LANE_KNOWN, 1, 0, 7}},
    };
    const int expected[] = {1, 4, 0, 2, 3};
    begin(10);
    queue_up(list, 5);
    assert_int_equal(list[1].turn.lane, LANE_KNOWN);
    assert_int_equal(list[2].turn.lane, LANE_OTHER);
    assert_int_equal(list[3].turn.lane, LANE_OTHER);
    all_served(list, 5);
    for (int i = 0; i < 5; i++)
        assert_int_equal(order[i], expected[i]);
    begin(10);
    turns_leave(&turns, &own);
    own.deadline_ms = clock_monotonic_ms() + 1000;
    assert_int_equal(turns_take(&turns, &own), PROBLEM_NONE);
    assert_int_equal(own.lane, LANE_KNOWN); /* the place was given back, and the account with it */
    turns_leave(&turns, &own);
}

/* The queue is full: of the largest crowd the last one goes, whoever comes. */
static void test_a_full_queue(void **state)
{
    (void)state;
    struct one list[5] = {{.turn = {LANE_OTHER, 1, 0, 0}},
                          {.turn = {LANE_OTHER, 1, 0, 0}},
                          {.turn = {LANE_OTHER, 1, 0, 0}}};
    list[3].turn = (struct turn){LANE_OTHER, 2, 0, 0};
    list[4].turn = (struct turn){LANE_KNOWN, 1, 0, 11};
    begin(3);
    queue_up(list, 3);
    assert_true(turns_full(&turns));
    queue_up(list + 3, 1);
    assert_int_equal(refused, 1); /* the third of network 1 made room for network 2 */
    queue_up(list + 4, 1);
    assert_int_equal(refused, 1); /* who is known takes nobody's room */
    all_served(list, 5);
    assert_int_equal(served, 4);
}

static void test_no_longer_than_asked(void **state)
{
    (void)state;
    struct turn soon = {LANE_OTHER, 1, clock_monotonic_ms() + 50, 0};
    struct turn over = {LANE_OTHER, 1, clock_monotonic_ms() - 50, 0};
    begin(3);
    assert_int_equal(turns_take(&turns, &over), PROBLEM_busy);
    assert_int_equal(turns_take(&turns, &soon), PROBLEM_busy);
    assert_false(turns_full(&turns));
    turns_leave(&turns, &own);
    assert_int_equal(turns_take(&turns, &over), PROBLEM_NONE); /* a free place needs no wait */
    turns_leave(&turns, &over);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_turn),         cmocka_unit_test(test_lanes_and_networks),
        cmocka_unit_test(test_no_lane_starves), cmocka_unit_test(test_one_of_an_account),
        cmocka_unit_test(test_a_full_queue),    cmocka_unit_test(test_no_longer_than_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
