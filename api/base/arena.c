/* Block allocator behind one request. Never hand out memory from malloc() here without aborting on
 * NULL: the whole program relies on allocation not failing. */
#include "api/base/arena.h"

#include <assert.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#endif
#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(ptr, len) ASAN_POISON_MEMORY_REGION((ptr), (len))
#define UNPOISON(ptr, len) ASAN_UNPOISON_MEMORY_REGION((ptr), (len))
#else
#define POISON(ptr, len) ((void)(ptr), (void)(len))
#define UNPOISON(ptr, len) ((void)(ptr), (void)(len))
#endif

#define ALIGNMENT _Alignof(max_align_t)
#define SPARE_BYTES ARENA_REQUEST_BYTES /* an arena of another size is rare and leaves nothing */

struct block {
    struct block *next;
    size_t size, used;
    _Alignas(max_align_t) unsigned char data[];
};

/* `first` is the newest block of the usual size, and the one that a reset keeps; blocks of
 * oversized requests hang behind it, so that what is left of it stays in use. */
struct arena {
    struct block *first;
    size_t block_bytes, lent;
};

/* The block that the last arena of this thread left, for its next one: a thread that answers one
 * request after another asks malloc() for none. Freed when the thread ends. */
static _Thread_local struct block *spare;
static pthread_key_t spare_key;
static pthread_once_t spare_once = PTHREAD_ONCE_INIT;

static void memory_exhausted(size_t bytes)
{
    fprintf(stderr, "{\"level\":\"error\",\"event\":\"out_of_memory\",\"bytes\":%zu}\n", bytes);
    abort();
}

void *memory_alloc(size_t bytes)
{
    void *memory = calloc(1, bytes ? bytes : 1);
    if (!memory)
        memory_exhausted(bytes);
    return memory;
}

void *memory_grow(void *old, size_t bytes)
{
    void *memory = realloc(old, bytes ? bytes : 1);
    if (!memory)
        memory_exhausted(bytes);
    return memory;
}

char *memory_copy(const char *text)
{
    size_t len = strlen(text) + 1;
    char *copy = memory_alloc(len);
    memcpy(copy, text, len);
    return copy;
}

static struct block *block_new(size_t size)
{
    if (size > SIZE_MAX - sizeof(struct block))
        memory_exhausted(size);
    struct block *block = malloc(sizeof(struct block) + size);
    if (!block)
        memory_exhausted(size);
    block->next = NULL;
    block->size = size;
    block->used = 0;
    POISON(block->data, size);
    return block;
}

static void blocks_free(struct block *block)
{
    while (block) {
        struct block *next = block->next;
        UNPOISON(block->data, block->size);
        free(block);
        block = next;
    }
}

static void spare_free(void *block)
{
    spare = NULL;
    blocks_free(block);
}

static void spare_key_make(void)
{
    if (pthread_key_create(&spare_key, spare_free) != 0)
        abort();
}

/* Keeps a block of the usual size; whatever hangs behind it goes. */
static void spare_keep(struct block *block)
{
    blocks_free(block->next);
    block->next = NULL;
    block->used = 0;
    POISON(block->data, block->size);
    pthread_once(&spare_once, spare_key_make);
    if (spare || pthread_setspecific(spare_key, block) != 0)
        blocks_free(block);
    else
        spare = block;
}

struct arena *arena_new(size_t block_bytes)
{
    struct arena *arena = memory_alloc(sizeof(struct arena));
    arena->block_bytes = block_bytes < 64 ? 64 : block_bytes;
    if (spare && spare->size == arena->block_bytes) {
        arena->first = spare;
        spare = NULL;
        pthread_setspecific(spare_key, NULL);
    } else {
        arena->first = block_new(arena->block_bytes);
    }
    return arena;
}

void arena_free(struct arena *arena)
{
    if (!arena)
        return;
    if (!spare && arena->block_bytes == SPARE_BYTES)
        spare_keep(arena->first);
    else
        blocks_free(arena->first);
    free(arena);
}

void arena_reset(struct arena *arena)
{
    blocks_free(arena->first->next);
    arena->first->next = NULL;
    arena->first->used = 0;
    arena->lent = 0;
    POISON(arena->first->data, arena->first->size);
}

size_t arena_bytes(const struct arena *arena)
{
    return arena->lent;
}

static struct block *block_with_room(struct arena *arena, size_t bytes)
{
    struct block *first = arena->first;
    if (first->size - first->used >= bytes)
        return first;
    /* A large request gets a block of its own behind the first, whose rest is not wasted so. */
    bool large = bytes > arena->block_bytes / 4;
    struct block *block = block_new(large ? bytes : arena->block_bytes);
    if (large) {
        block->next = first->next;
        first->next = block;
    } else {
        block->next = first;
        arena->first = block;
    }
    return block;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
    size_t wanted = bytes ? bytes : 1;
    if (wanted > SIZE_MAX - ALIGNMENT)
        memory_exhausted(bytes);
    size_t rounded = (wanted + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    struct block *block = block_with_room(arena, rounded);
    void *memory = block->data + block->used;
    block->used += rounded;
    arena->lent += rounded;
    UNPOISON(memory, wanted);
    memset(memory, 0, wanted);
    return memory;
}

struct span arena_copy(struct arena *arena, struct span source)
{
    if (!source.ptr)
        return SPAN_NONE;
    return (struct span){arena_cstr(arena, source), source.len};
}

struct span arena_lower(struct arena *arena, struct span text)
{
    char *copy = arena_cstr(arena, text);
    for (size_t i = 0; i < text.len; i++)
        if (copy[i] >= 'A' && copy[i] <= 'Z')
            copy[i] = (char)(copy[i] - 'A' + 'a');
    return (struct span){copy, text.len};
}

char *arena_cstr(struct arena *arena, struct span source)
{
    char *copy = arena_alloc(arena, source.len + 1);
    if (source.len)
        memcpy(copy, source.ptr, source.len);
    return copy;
}

char *arena_vprintf(struct arena *arena, const char *format, va_list args)
{
    char brief[256]; /* most are; the others are formatted twice */
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(brief, sizeof brief, format, args);
    assert(len >= 0);
    char *text = arena_alloc(arena, (size_t)len + 1);
    if ((size_t)len < sizeof brief)
        memcpy(text, brief, (size_t)len);
    else
        vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    return text;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = arena_vprintf(arena, format, args);
    va_end(args);
    return text;
}
