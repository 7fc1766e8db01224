/* See key_store.h. Rule: a set is counted while the lock is held, so that nobody can free it between
 * the look and the count; and it is freed outside of it, for wiping keys takes its time. */
#include "auth/key_store.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "api/base/arena.h"

struct counted_set {
    struct key_set set; /* first, so that one pointer is the other */
    atomic_size_t holders;
};

struct key_store {
    pthread_rwlock_t lock; /* of `current` */
    struct counted_set *current;
};

static struct counted_set *counted_new(struct key_ring *ring, uint64_t generation)
{
    struct counted_set *counted = memory_alloc(sizeof *counted);
    counted->set = (struct key_set){ring, generation};
    atomic_init(&counted->holders, 1); /* the store */
    return counted;
}

struct key_store *key_store_new(struct key_ring *ring)
{
    struct key_store *store = memory_alloc(sizeof *store);
    pthread_rwlock_init(&store->lock, NULL);
    store->current = counted_new(ring, 1);
    return store;
}

void key_store_free(struct key_store *store)
{
    if (!store)
        return;
    key_store_release(&store->current->set);
    pthread_rwlock_destroy(&store->lock);
    free(store);
}

struct key_set *key_store_hold(struct key_store *store)
{
    pthread_rwlock_rdlock(&store->lock);
    struct counted_set *counted = store->current;
    atomic_fetch_add_explicit(&counted->holders, 1, memory_order_relaxed);
    pthread_rwlock_unlock(&store->lock);
    return &counted->set;
}

void key_store_release(struct key_set *set)
{
    struct counted_set *counted = (struct counted_set *)set;
    if (atomic_fetch_sub_explicit(&counted->holders, 1, memory_order_acq_rel) > 1)
        return;
    key_ring_free(counted->set.ring);
    free(counted);
}

/* True when `fresh` verifies all that `old` did. */
static bool keeps_all(const struct key_ring *old, const struct key_ring *fresh)
{
    for (size_t i = 0; i < key_ring_count(old); i++)
        if (!key_ring_find(fresh, span_of(key_ring_at(old, i)->id)))
            return false;
    return true;
}

void key_store_swap(struct key_store *store, struct key_ring *fresh)
{
    struct counted_set *next = counted_new(fresh, 0);
    pthread_rwlock_wrlock(&store->lock);
    struct counted_set *old = store->current;
    next->set.generation = old->set.generation + !keeps_all(old->set.ring, fresh);
    store->current = next;
    pthread_rwlock_unlock(&store->lock);
    key_store_release(&old->set);
}
