/* See network.h. Rule: the memory is bounded and may forget; it never makes anybody wait longer than the database said. */
#include "auth/network.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>

#include "api/base/clock.h"

#define RESTS 4096
#define BELIEVED_S 10

static struct {
    pthread_mutex_t lock;
    struct rest {
        uint64_t network;
        int64_t until_ms;
    } list[RESTS];
} rests = {.lock = PTHREAD_MUTEX_INITIALIZER};

static const int bits_of[2][3] = {{32, 24, 0},
                                  {64, 56, 48}}; /* [IPv6], as db/functions/login.sql */

/* The first eight bytes; those of IPv4 at the front. */
static bool address_read(const char *address, unsigned char ret_front[8], bool *ret_six)
{
    char text[64];
    unsigned char bytes[16];
    size_t len = strcspn(address, "/");
    if (len >= sizeof text)
        return false;
    memcpy(text, address, len);
    text[len] = '\0';
    memset(ret_front, 0, 8);
    const char *four = strncasecmp(text, "::ffff:", 7) == 0 && strchr(text, '.') ? text + 7 : text;
    *ret_six = false;
    if (inet_pton(AF_INET, four, ret_front) == 1)
        return true;
    if (inet_pton(AF_INET6, text, bytes) != 1)
        return false;
    memcpy(ret_front, bytes, 8);
    *ret_six = true;
    return true;
}

/* The finalizer of splitmix64; never 0. */
static uint64_t number_of(const unsigned char front[8], bool six, int bits)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | front[i];
    value &= ~UINT64_C(0) << (64 - bits);
    value ^= ((uint64_t)bits << 1 | six) * 0x9e3779b97f4a7c15U;
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9U;
    value = (value ^ value >> 27) * 0x94d049bb133111ebU;
    return (value ^ value >> 31) | 1;
}

uint64_t network_of(const char *address, int bits)
{
    unsigned char front[8];
    bool six;
    return bits > 0 && bits <= 64 && address_read(address, front, &six)
               ? number_of(front, six, bits)
               : 0;
}

uint64_t network_crowd(const char *address)
{
    unsigned char front[8];
    bool six;
    return address_read(address, front, &six) ? number_of(front, six, six ? 48 : 24) : 0;
}

int64_t network_rest_s(const char *address)
{
    unsigned char front[8];
    bool six;
    int64_t now_ms = clock_monotonic_ms(), longest_ms = 0;
    if (!address_read(address, front, &six))
        return 0;
    pthread_mutex_lock(&rests.lock);
    for (size_t i = 0; i < 3 && bits_of[six][i]; i++) {
        uint64_t network = number_of(front, six, bits_of[six][i]);
        const struct rest *rest = &rests.list[network / 2 % RESTS];
        if (rest->network == network && rest->until_ms - now_ms > longest_ms)
            longest_ms = rest->until_ms - now_ms;
    }
    pthread_mutex_unlock(&rests.lock);
    return (longest_ms + 999) / 1000;
}

void network_rest(const char *address, int bits, int64_t seconds)
{
    uint64_t network = network_of(address, bits);
    if (!network)
        return;
    int64_t believed_s = seconds < BELIEVED_S ? seconds : BELIEVED_S;
    pthread_mutex_lock(&rests.lock);
    rests.list[network / 2 % RESTS] = (struct rest){network,
                                                    clock_monotonic_ms() + believed_s * 1000};
    pthread_mutex_unlock(&rests.lock);
}
