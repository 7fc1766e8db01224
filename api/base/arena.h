/* Memory of one request: allocated from blocks, freed all at once. Exhausted memory aborts, so no
 * caller checks for NULL. An arena belongs to one thread. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "api/base/span.h"
#include <stdarg.h>

struct arena;

#define ARENA_REQUEST_BYTES 32768 /* the block of a request; each thread keeps one for its next */

struct arena *arena_new(size_t block_bytes); /* owned by the caller */
void arena_free(struct arena *arena);        /* NULL is fine */
void arena_reset(struct arena *arena);       /* everything lent from it is gone; keeps one block */
void *arena_alloc(struct arena *arena, size_t bytes); /* zeroed, aligned for any type */
size_t arena_bytes(const struct arena *arena);        /* bytes lent since the last reset */

/* A copy with a NUL behind it. Absent stays absent for arena_copy() and is "" for arena_cstr(). */
struct span arena_copy(struct arena *arena, struct span source);
char *arena_cstr(struct arena *arena, struct span source);
struct span arena_lower(struct arena *arena, struct span source); /* a copy, A to Z as a to z */
char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *arena, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/* malloc and friends that abort when memory is exhausted; for what outlives a request. */
void *memory_alloc(size_t bytes); /* zeroed */
void *memory_grow(void *old, size_t bytes);
char *memory_copy(const char *text);

#endif
