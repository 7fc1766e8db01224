/* Token buckets in memory. A bucket holds at most a minute's quota and fills at that rate; everything is counted in
 * thousandths of a request. It knows neither clients nor the database: api/limit.c does. */
#ifndef API_BUCKET_H
#define API_BUCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUCKET_KEY_BYTES 16

struct buckets;
struct buckets *buckets_new(size_t entries);
void buckets_free(struct buckets *buckets);

struct bucket_level {
    int64_t left;    /* >= 0 */
    int64_t wait_us; /* refused: until there is enough */
};
/* Takes the cost, or nothing and false. A cost above the quota is taken from a full bucket. A bucket that is not known is
 * full. */
bool bucket_take(struct buckets *buckets, const unsigned char key[BUCKET_KEY_BYTES], int64_t quota,
                 int64_t cost, int64_t now_us, struct bucket_level *ret_level);
/* Gives back what was taken (or, negative, takes more). What is left then. */
int64_t bucket_give(struct buckets *buckets, const unsigned char key[BUCKET_KEY_BYTES],
                    int64_t amount);

/* Between processes. */
struct bucket_spent {
    unsigned char key[BUCKET_KEY_BYTES];
    int64_t spent, quota;
};
/* Up to `most` buckets with something spent since the last time; it is then counted as told. */
size_t buckets_collect(struct buckets *buckets, struct bucket_spent *ret_spent, size_t most);
/* What is in a bucket when all processes have told; or, when that failed, tells it again the next time. */
void bucket_settle(struct buckets *buckets, const unsigned char key[BUCKET_KEY_BYTES],
                   int64_t tokens, int64_t now_us);
void bucket_untold(struct buckets *buckets, const struct bucket_spent *spent);

#endif
