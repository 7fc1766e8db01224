/* JSON pointers from places. Never to be broken: "~" and "/" of a key are escaped (RFC 6901 section
 * 3), so that a pointer leads to exactly one place. */
#include "api/json_place.h"

#include <stdio.h>

#define INDEX_TEXT_MAX 24

/* The bytes of the key that are shown; a cut never splits a UTF-8 sequence. */
static size_t shown_bytes(struct span key)
{
    if (key.len <= JSON_PLACE_KEY_MAX)
        return key.len;
    size_t shown = JSON_PLACE_KEY_MAX;
    while (shown > 0 && ((unsigned char)key.ptr[shown] & 0xC0) == 0x80)
        shown--;
    return shown;
}

static char *add_key(char *at, struct span key)
{
    size_t shown = shown_bytes(key);
    for (size_t i = 0; i < shown; i++) {
        if (key.ptr[i] == '~' || key.ptr[i] == '/') {
            *at++ = '~';
            *at++ = key.ptr[i] == '~' ? '0' : '1';
        } else {
            *at++ = key.ptr[i];
        }
    }
    if (shown < key.len) {
        for (int i = 0; i < 3; i++)
            *at++ = '.';
    }
    return at;
}

static char *add_place(char *at, const struct json_place *place, bool pattern)
{
    if (!place)
        return at;
    at = add_place(at, place->parent, pattern);
    *at++ = '/';
    if (place->key.ptr)
        return add_key(at, place->key);
    if (pattern) {
        *at++ = '*';
        return at;
    }
    return at + snprintf(at, INDEX_TEXT_MAX, "%zu", place->index);
}

static struct span place_text(struct arena *arena, const struct json_place *place, bool pattern)
{
    size_t most = 1;
    for (const struct json_place *p = place; p; p = p->parent)
        most += 1 + (p->key.ptr ? 2 * shown_bytes(p->key) + 3 : INDEX_TEXT_MAX);
    char *text = arena_alloc(arena, most);
    char *end = add_place(text, place, pattern);
    return (struct span){text, (size_t)(end - text)};
}

struct span json_place_pointer(struct arena *arena, const struct json_place *place)
{
    return place_text(arena, place, false);
}

struct span json_place_pattern(struct arena *arena, const struct json_place *place)
{
    return place_text(arena, place, true);
}
