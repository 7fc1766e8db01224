/* The keys in force. They are swapped whole: who holds a set sees that set, and no half of another,
 * for as long as it is held. */
#ifndef AUTH_KEY_STORE_H
#define AUTH_KEY_STORE_H

#include <stdint.h>

#include "auth/keys.h"

struct key_set { /* read only; freed when the store and every holder have let go of it */
    struct key_ring *ring;
    uint64_t generation; /* another one as soon as a key went: what an older set verified is void */
};

struct key_store;
struct key_store *key_store_new(struct key_ring *ring); /* takes the ring */
void key_store_free(struct key_store *store);           /* when nobody holds a set any more */

struct key_set *key_store_hold(struct key_store *store); /* to be released; never NULL */
void key_store_release(struct key_set *set);
void key_store_swap(struct key_store *store, struct key_ring *fresh); /* takes the ring */

#endif
