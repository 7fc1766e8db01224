/* Where one is inside a JSON document: a chain on the C stack, turned into a JSON pointer (RFC
 * 6901) only when a fault is told. */
#ifndef API_JSON_PLACE_H
#define API_JSON_PLACE_H

#include "api/base/arena.h"

struct json_place { /* the root is NULL */
    const struct json_place *parent;
    struct span key; /* ptr == NULL: the item `index` of a list */
    size_t index;
};

/* A key longer than so many bytes is cut in a pointer, with "..." at its end: a pointer stands in
 * every fault, and a huge field name must not come back a hundred times. */
#define JSON_PLACE_KEY_MAX 128

/* "/members/0/role"; "" for the root. In the arena, valid UTF-8 when the keys are. */
struct span json_place_pointer(struct arena *arena, const struct json_place *place);
/* The same with "*" for every index: /members/<any>/role, the any being a star. */
struct span json_place_pattern(struct arena *arena, const struct json_place *place);

#endif
