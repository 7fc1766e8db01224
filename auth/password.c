/* Passwords. Rule: a password is never kept, logged or compared but by its hash, and every comparison costs
 * the same, whether there is somebody of that name or not. */
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
#define WAITING_MAX 8
#define WAIT_MAX_MS 3000

_Static_assert(crypto_pwhash_STRBYTES <= PASSWORD_HASH_BYTES, "a hash fits");

static struct {
    pthread_once_t once;
    pthread_mutex_t lock;
    pthread_cond_t freed; /* on CLOCK_MONOTONIC */
    int running, waiting;
    char nobody[crypto_pwhash_STRBYTES]; /* the hash of a password that nobody knows */
} places = {.once = PTHREAD_ONCE_INIT, .lock = PTHREAD_MUTEX_INITIALIZER};

static void begin(void)
{
    pthread_condattr_t attributes;
    char unknown[32];
    if (sodium_init() < 0)
        abort();
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&places.freed, &attributes);
    pthread_condattr_destroy(&attributes);
    randombytes_buf(unknown, sizeof unknown);
    if (crypto_pwhash_str_alg(places.nobody, unknown, sizeof unknown, PASSES, MEMORY_BYTES,
                              crypto_pwhash_ALG_ARGON2ID13) != 0)
        abort(); /* memory is exhausted */
}

static enum problem_code place_take(int64_t deadline_ms)
{
    int64_t last_ms = clock_monotonic_ms() + WAIT_MAX_MS;
    if (deadline_ms < last_ms)
        last_ms = deadline_ms;
    struct timespec until = {.tv_sec = last_ms / 1000, .tv_nsec = last_ms % 1000 * 1000000};
    pthread_once(&places.once, begin);
    pthread_mutex_lock(&places.lock);
    bool got = places.running < AT_ONCE;
    if (!got && places.waiting < WAITING_MAX) {
        int outcome = 0;
        places.waiting++;
        while (places.running >= AT_ONCE && outcome != ETIMEDOUT)
            outcome = pthread_cond_timedwait(&places.freed, &places.lock, &until);
        places.waiting--;
        got = places.running < AT_ONCE;
    }
    places.running += got;
    pthread_mutex_unlock(&places.lock);
    return got ? PROBLEM_NONE : PROBLEM_busy;
}

static void place_leave(void)
{
    pthread_mutex_lock(&places.lock);
    places.running--;
    pthread_cond_signal(&places.freed);
    pthread_mutex_unlock(&places.lock);
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

enum problem_code password_hash(struct span password, int64_t deadline_ms,
                                char ret_hash[PASSWORD_HASH_BYTES])
{
    char hash[crypto_pwhash_STRBYTES];
    struct password_text text;
    enum problem_code problem = place_take(deadline_ms);
    if (problem != PROBLEM_NONE)
        return problem;
    int failed = password_text(password, &text) != FAULT_COUNT ||
                 crypto_pwhash_str_alg(hash, text.bytes, text.len, PASSES, MEMORY_BYTES,
                                       crypto_pwhash_ALG_ARGON2ID13);
    password_text_wipe(&text);
    place_leave();
    if (failed)
        return PROBLEM_busy; /* no memory for it just now */
    memcpy(ret_hash, hash, sizeof hash);
    return PROBLEM_NONE;
}

enum problem_code password_verify(struct span password, const char *hash, int64_t deadline_ms,
                                  bool *ret_right)
{
    enum problem_code problem = place_take(deadline_ms);
    if (problem != PROBLEM_NONE)
        return problem;
    struct password_text
        text; /* what can be no password is compared as the empty one, at the same cost */
    if (!password.ptr || password_text(password, &text) != FAULT_COUNT)
        text.len = 0;
    bool same = crypto_pwhash_str_verify(hash ? hash : places.nobody, text.bytes, text.len) == 0;
    *ret_right = same && hash && text.len > 0;
    password_text_wipe(&text);
    place_leave();
    return PROBLEM_NONE;
}
