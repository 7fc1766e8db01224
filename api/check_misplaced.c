/* Unknown fields. Never to be broken: a home is named only when there is exactly one, so the advice
 * is never wrong. */
#include "api/check.h"

#define SEARCH_DEPTH_MAX 8

struct search {
    struct arena *arena;
    struct span name, here; /* the field, and the pattern of where it stands */
    struct span home;
    size_t homes;
};

static void search_schema(struct search *search, const struct schema *schema,
                          const struct json_place *place, size_t depth);

static void found(struct search *search, const struct json_place *place)
{
    struct span pattern = json_place_pattern(search->arena, place);
    /* the alternatives of anyOf may name the same place more than once */
    if (span_equal(pattern, search->here) || (search->homes && span_equal(pattern, search->home)))
        return;
    search->home = pattern;
    search->homes++;
}

static void search_list(struct search *search, const struct schema *const *list, uint16_t count,
                        const struct json_place *place, size_t depth)
{
    for (uint16_t i = 0; i < count; i++)
        search_schema(search, list[i], place, depth + 1);
}

static void search_schema(struct search *search, const struct schema *schema,
                          const struct json_place *place, size_t depth)
{
    if (depth > SEARCH_DEPTH_MAX || search->homes > 1)
        return;
    for (uint16_t i = 0; i < schema->property_count; i++) {
        const struct schema_property *property = &schema->properties[i];
        struct json_place at = {place, span_of(property->name), 0};
        if (span_equal(at.key, search->name) && !property->schema->never)
            found(search, &at);
        search_schema(search, property->schema, &at, depth + 1);
    }
    if (schema->items) {
        struct json_place item = {place, SPAN_NONE, 0};
        search_schema(search, schema->items, &item, depth + 1);
    }
    search_list(search, schema->any_of, schema->any_of_count, place, depth);
    search_list(search, schema->all_of, schema->all_of_count, place, depth);
    search_list(search, schema->one_of, schema->one_of_count, place, depth);
}

void check_unknown_field(struct check *check, const struct json_place *place)
{
    if (!check->faults || check->faults->count >= FAULTS_MAX) {
        check_fail(check, place, FAULT_unknown_field, SPAN_NONE);
        return;
    }
    struct search search = {.arena = check->faults->arena, .name = place->key};
    search.here = json_place_pattern(search.arena, place);
    search_schema(&search, check->root, NULL, 0);
    if (search.homes == 1)
        check_fail(check, place, FAULT_misplaced_field, search.home);
    else
        check_fail(check, place, FAULT_unknown_field, SPAN_NONE);
}
