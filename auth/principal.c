/* Reach: from assignments to what a statement binds. Rule: in doubt less. No limit at all is given
 * only to an assignment to Indonesia whose role may write at every rank. */
#include "auth/principal.h"

#include <stdlib.h>

#include "api/base/buffer.h"

#define RANK_NATIONAL 1

/* An element of an array literal, always quoted: a bare NULL, comma or brace would mean something
 * else. */
static void element_add(struct buffer *literal, const char *text)
{
    buffer_char(literal, literal->len == 0 ? '{' : ',');
    buffer_char(literal, '"');
    for (const char *at = text; *at; at++) {
        if (*at == '"' || *at == '\\')
            buffer_char(literal, '\\');
        buffer_char(literal, *at);
    }
    buffer_char(literal, '"');
}

static const char *literal_take(struct arena *arena, struct buffer *literal)
{
    if (literal->len == 0)
        return "{}";
    buffer_char(literal, '}');
    const char *text = arena_cstr(arena, (struct span){literal->data, literal->len});
    buffer_free(literal);
    return text;
}

/* A region and all below it is [code, code + "/"): '/' follows '.' and comes before the digits. */
static void range_add(struct buffer *from, struct buffer *to, struct buffer *rank,
                      const struct assignment *one)
{
    struct buffer end = {NULL, 0, 0};
    element_add(from, one->region);
    buffer_printf(&end, "%s%c", one->region,
                  one->region[0] ? '/' : ':'); /* ':' follows every digit */
    buffer_char(&end, '\0');
    element_add(to, end.data);
    buffer_free(&end);
    buffer_printf(rank, "%c%d", rank->len ? ',' : '{', one->rank);
}

static bool counts(const struct principal *principal, const struct assignment *one,
                   const uint32_t *alternatives, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if ((principal->scopes & alternatives[i]) == alternatives[i] &&
            (one->scopes & alternatives[i]) == alternatives[i])
            return true;
    return false;
}

void principal_reach_any(struct arena *arena, const struct principal *principal,
                         const uint32_t *alternatives, size_t count, struct reach *ret_reach)
{
    struct buffer from = {NULL, 0, 0}, to = {NULL, 0, 0}, rank = {NULL, 0, 0},
                  libraries = {NULL, 0, 0};
    struct reach reach = {.national = false};
    for (size_t i = 0; i < principal->assignment_count; i++) {
        const struct assignment *one = &principal->assignments[i];
        if (!counts(principal, one, alternatives, count))
            continue;
        if (one->library_id)
            element_add(&libraries, one->library_id);
        else if (one->region && one->region[0] == '\0' && one->rank == RANK_NATIONAL)
            reach.national = true;
        else if (one->region)
            range_add(&from, &to, &rank, one);
    }
    reach.from = literal_take(arena, &from);
    reach.to = literal_take(arena, &to);
    reach.rank = literal_take(arena, &rank);
    reach.libraries = literal_take(arena, &libraries);
    *ret_reach = reach;
}

void principal_reach(struct arena *arena, const struct principal *principal, uint32_t scope,
                     struct reach *ret_reach)
{
    principal_reach_any(arena, principal, &scope, 1, ret_reach);
}
