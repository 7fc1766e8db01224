/* Passwords. Rule: a password is never kept, logged or compared but by its hash, and every comparison takes
 * as long, whether there is somebody of that name or not. */
#include "auth/password.h"

#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <time.h>

#include "api/base/clock.h"
#include "auth/password_text.h"

#define PASSES 2
#define MEMORY_BYTES ((size_t)19 << 20)
#define AT_ONCE 2
#define WAITING_MAX 64
#define WAIT_MAX_MS 5000
#define SAMPLES 32

_Static_assert(crypto_pwhash_STRBYTES <= PASSWORD_HASH_BYTES, "a hash fits");

static struct {
    pthread_once_t once;
    struct turns turns;
    pthread_mutex_t lock; /* of how long the last comparisons took, waiting included */
    uint32_t samples_us[SAMPLES];
    size_t sampled;
} places = {.once = PTHREAD_ONCE_INIT, .lock = PTHREAD_MUTEX_INITIALIZER};

static void sample_add(int64_t began_us)
{
    pthread_mutex_lock(&places.lock);
    places.samples_us[places.sampled++ % SAMPLES] = (uint32_t)(clock_monotonic_us() - began_us);
    pthread_mutex_unlock(&places.lock);
}

static int64_t sample_pick(void)
{
    pthread_mutex_lock(&places.lock);
    size_t known = places.sampled < SAMPLES ? places.sampled : SAMPLES;
    int64_t us = places.samples_us[randombytes_uniform((uint32_t)known)];
    pthread_mutex_unlock(&places.lock);
    return us;
}

static void begin(void)
{
    char unknown[32], hash[crypto_pwhash_STRBYTES];
    if (sodium_init() < 0)
        abort();
    turns_init(&places.turns, AT_ONCE, WAITING_MAX);
    randombytes_buf(unknown, sizeof unknown);
    for (int i = 0; i < 2; i++) { /* the second finds memory and caches as any later one does */
        int64_t began_us = clock_monotonic_us();
        if (crypto_pwhash_str_alg(hash, unknown, sizeof unknown, PASSES, MEMORY_BYTES,
                                  crypto_pwhash_ALG_ARGON2ID13) != 0)
            abort(); /* memory is exhausted */
        if (i > 0)
            sample_add(began_us);
    }
}

static enum problem_code place_take(struct turn *turn)
{
    int64_t last_ms = clock_monotonic_ms() + WAIT_MAX_MS;
    if (last_ms < turn->deadline_ms)
        turn->deadline_ms = last_ms;
    pthread_once(&places.once, begin);
    return turns_take(&places.turns, turn);
}

static void place_leave(const struct turn *turn)
{
    turns_leave(&places.turns, turn);
}

/* Nobody of that name: nothing is hashed, so that made-up names keep nobody's password waiting; it takes as long as one of the last
 * comparisons did, and is refused when those are. */
static enum problem_code pretend(const struct turn *turn)
{
    pthread_once(&places.once, begin);
    if (turn->lane != LANE_KNOWN && turns_full(&places.turns))
        return PROBLEM_busy;
    int64_t us = sample_pick();
    struct timespec pause = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    while (nanosleep(&pause, &pause) != 0 && errno == EINTR)
        ;
    return PROBLEM_NONE;
}

bool password_same(struct span one, struct span other)
{
    struct password_text first, second;
    bool same = password_text(one, &first) == FAULT_COUNT &&
                password_text(other, &second) == FAULT_COUNT && first.len == second.len &&
                memcmp(first.bytes, second.bytes, first.len) == 0;
    password_text_wipe(&first);
    password_text_wipe(&second);
    return same;
}

enum problem_code password_hash(struct span password, const char *user_id, int64_t deadline_ms,
                                char ret_hash[PASSWORD_HASH_BYTES])
{
    char hash[crypto_pwhash_STRBYTES];
    struct password_text text;
    struct turn turn = {LANE_KNOWN, 0, deadline_ms, turn_account(user_id)};
    enum problem_code problem = place_take(&turn);
    if (problem != PROBLEM_NONE)
        return problem;
    int failed = password_text(password, &text) != FAULT_COUNT ||
                 crypto_pwhash_str_alg(hash, text.bytes, text.len, PASSES, MEMORY_BYTES,
                                       crypto_pwhash_ALG_ARGON2ID13);
    password_text_wipe(&text);
    place_leave(&turn);
    if (failed)
        return PROBLEM_busy; /* no memory for it just now */
    memcpy(ret_hash, hash, sizeof hash);
    return PROBLEM_NONE;
}

enum problem_code password_verify(struct span password, const char *hash, const struct turn *turn,
                                  bool *ret_right)
{
    int64_t began_us = clock_monotonic_us();
    *ret_right = false;
    if (!hash)
        return pretend(turn);
    struct turn own = *turn;
    enum problem_code problem = place_take(&own);
    if (problem != PROBLEM_NONE)
        return problem;
    struct password_text
        text; /* what can be no password is compared as the empty one, at the same cost */
    if (!password.ptr || password_text(password, &text) != FAULT_COUNT)
        text.len = 0;
    bool same = crypto_pwhash_str_verify(hash, text.bytes, text.len) == 0;
    *ret_right = same && text.len > 0;
    password_text_wipe(&text);
    place_leave(&own);
    sample_add(began_us);
    return PROBLEM_NONE;
}
