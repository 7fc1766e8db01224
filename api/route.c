/* The walk down the trie. The compiler has refused ambiguous paths, so there is one way down and
 * never a way back. */
#include "api/route.h"

#include "api/base/buffer.h"

/* strcmp() of a literal with bytes that are not NUL-terminated. */
static int compare(const char *literal, struct span segment)
{
    size_t len = strlen(literal);
    int order = memcmp(literal, segment.ptr, len < segment.len ? len : segment.len);
    if (order)
        return order;
    return len < segment.len ? -1 : len > segment.len;
}

/* The child of that literal, else the one for a parameter, else NULL. */
static const struct route *child_of(const struct route *route, struct span segment)
{
    size_t count = route->child_count;
    const struct route *parameter = NULL;
    if (count && !route->children[count - 1].literal)
        parameter = &route->children[--count];
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(route->children[middle].literal, segment);
        if (order == 0)
            return &route->children[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return parameter;
}

static bool has_operation(const struct route *route)
{
    for (int method = 0; method < METHOD_COUNT; method++)
        if (route->operations[method])
            return true;
    return false;
}

const struct route *route_walk(const struct route *root, const struct span *segments, size_t count,
                               struct span *ret_values, size_t *ret_value_count)
{
    if (count > SEGMENTS_MAX)
        return NULL;
    const struct route *route = root;
    size_t values = 0;
    for (size_t i = 0; i < count; i++) {
        route = segments[i].len ? child_of(route, segments[i]) : NULL;
        if (!route)
            return NULL;
        if (!route->literal)
            ret_values[values++] = segments[i];
    }
    if (!has_operation(route))
        return NULL;
    *ret_value_count = values;
    return route;
}

const struct route *route_find(const struct span *segments, size_t count, struct span *ret_values,
                               size_t *ret_value_count)
{
    return route_walk(&contract_root, segments, count, ret_values, ret_value_count);
}

struct span route_allow(struct arena *arena, const struct route *route)
{
    struct buffer allow = {0};
    for (int method = 0; method < METHOD_COUNT; method++) {
        bool served = route->operations[method] || method == METHOD_OPTIONS ||
                      (method == METHOD_HEAD && route->operations[METHOD_GET]);
        if (!served)
            continue;
        if (allow.len)
            BUFFER_LITERAL(&allow, ", ");
        buffer_span(&allow, span_of(method_names[method]));
    }
    struct span text = arena_copy(arena, (struct span){allow.data, allow.len});
    buffer_free(&allow);
    return text;
}
