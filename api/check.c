/* Walks a value along its schema. Never to be broken: every keyword of struct schema is asked here
 * or in check_scalar.c; one that were forgotten would let in what the contract refuses. */
#include "api/check.h"

#include "api/base/buffer.h"
#include <stdlib.h>

void check_fail(struct check *check, const struct json_place *place, enum fault_code code,
                struct span argument)
{
    struct fault fault = {.code = code, .argument = argument};
    check->failed = true;
    if (!check->faults)
        return;
    if (check->parameter.ptr)
        fault.parameter = check->parameter;
    else if (check->faults->count < FAULTS_MAX) /* what is only counted needs no pointer */
        fault.pointer = json_place_pointer(check->faults->arena, place);
    faults_add(check->faults, fault);
}

/* Nobody looks at further faults. */
static bool is_over(const struct check *check)
{
    return check->failed && !check->faults;
}

static struct span arena_text(struct check *check, struct buffer *buffer)
{
    struct span text = arena_copy(check->faults->arena, (struct span){buffer->data, buffer->len});
    buffer_free(buffer);
    return text;
}

/* "integer or null" */
static void fail_type(struct check *check, const struct schema *schema,
                      const struct json_place *place)
{
    static const struct {
        enum schema_type type;
        const char *name;
    } names[] = {{SCHEMA_OBJECT, "object"}, {SCHEMA_ARRAY, "list"},
                 {SCHEMA_STRING, "text"},   {SCHEMA_INTEGER, "integer"},
                 {SCHEMA_NUMBER, "number"}, {SCHEMA_BOOLEAN, "true or false"},
                 {SCHEMA_NULL, "null"}};
    struct buffer buffer = {0};
    if (!check->faults) {
        check->failed = true;
        return;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (!(schema->types & names[i].type))
            continue;
        if (buffer.len)
            BUFFER_LITERAL(&buffer, " or ");
        buffer_span(&buffer, span_of(names[i].name));
    }
    check_fail(check, place, FAULT_type, arena_text(check, &buffer));
}

/* "village, tbm": strings without their quotes where that is clear. */
static void fail_enumeration(struct check *check, const struct schema *schema,
                             const struct json_place *place)
{
    struct buffer buffer = {0};
    if (!check->faults) {
        check->failed = true;
        return;
    }
    for (uint16_t i = 0; i < schema->enumeration_count; i++) {
        struct span choice = span_of(schema->enumeration[i]);
        if (choice.len > 2 && choice.ptr[0] == '"' && !memchr(choice.ptr, '\\', choice.len))
            choice = (struct span){choice.ptr + 1, choice.len - 2};
        if (i)
            BUFFER_LITERAL(&buffer, ", ");
        buffer_span(&buffer, choice);
    }
    check_fail(check, place, FAULT_enum, arena_text(check, &buffer));
}

static void fail_count(struct check *check, const struct json_place *place, enum fault_code code,
                       size_t limit)
{
    struct span text = SPAN_NONE;
    if (check->faults)
        text = span_of(arena_printf(check->faults->arena, "%zu", limit));
    check_fail(check, place, code, text);
}

static int property_compare(const void *key, const void *property)
{
    return strcmp(key, ((const struct schema_property *)property)->name);
}

static const struct schema_property *property_find(const struct schema *schema, const char *name,
                                                   size_t len)
{
    if (strlen(name) != len || schema->property_count == 0) /* a name with U+0000 is never ours */
        return NULL;
    return bsearch(name, schema->properties, schema->property_count, sizeof(*schema->properties),
                   property_compare);
}

static void check_members(struct check *check, const struct schema *schema, const json_t *object,
                          const struct json_place *place, bool partial)
{
    const char *key;
    size_t key_len;
    json_t *member;
    json_object_keylen_foreach((json_t *)object, key, key_len,
                               member) /* jansson takes no const here */
    {
        struct json_place at = {place, {key, key_len}, 0};
        const struct schema_property *property = property_find(schema, key, key_len);
        if (property)
            check_value(check, property->schema, member, &at, partial);
        else if (schema->additional)
            check_value(check, schema->additional, member, &at, partial);
        else if (schema->additional_refused)
            check_unknown_field(check, &at);
        if (is_over(check))
            return;
    }
}

static void check_object(struct check *check, const struct schema *schema, const json_t *object,
                         const struct json_place *place, bool partial)
{
    size_t count = json_object_size(object);
    for (uint16_t i = 0; i < schema->required_count && !partial; i++) {
        if (json_object_get(object, schema->required[i]))
            continue;
        struct json_place missing = {place, span_of(schema->required[i]), 0};
        check_fail(check, &missing, FAULT_required, SPAN_NONE);
    }
    if ((schema->has & HAS_MIN_PROPERTIES) && count < schema->min_properties)
        fail_count(check, place, FAULT_min_properties, schema->min_properties);
    if ((schema->has & HAS_MAX_PROPERTIES) && count > schema->max_properties)
        fail_count(check, place, FAULT_max_properties, schema->max_properties);
    if (!is_over(check))
        check_members(check, schema, object, place, partial);
}

static bool has_twins(const json_t *array)
{
    for (size_t i = 1; i < json_array_size(array); i++)
        for (size_t j = 0; j < i; j++)
            if (json_same(json_array_get(array, i), json_array_get(array, j)))
                return true;
    return false;
}

/* The items of a list in a merge patch replace the whole list, so they are complete (RFC 7396). */
static void check_array(struct check *check, const struct schema *schema, const json_t *array,
                        const struct json_place *place)
{
    size_t count = json_array_size(array);
    if ((schema->has & HAS_MIN_ITEMS) && count < schema->min_items)
        fail_count(check, place, FAULT_min_items, schema->min_items);
    if ((schema->has & HAS_MAX_ITEMS) && count > schema->max_items)
        fail_count(check, place, FAULT_max_items, schema->max_items);
    else if (schema->unique_items && has_twins(array)) /* quadratic: only within max_items */
        check_fail(check, place, FAULT_unique_items, SPAN_NONE);
    if (!schema->items)
        return;
    for (size_t i = 0; i < count && !is_over(check); i++) {
        struct json_place at = {place, SPAN_NONE, i};
        check_value(check, schema->items, json_array_get(array, i), &at, false);
    }
}

static bool holds(const struct schema *schema, const json_t *value, bool partial)
{
    struct check check = {.root = schema};
    check_value(&check, schema, value, NULL, partial);
    return !check.failed;
}

/* None of the alternatives holds. When one alone has the value's type, the client meant that one.
 */
static void fail_alternatives(struct check *check, const struct schema *const *list, uint16_t count,
                              const json_t *value, const struct json_place *place, bool partial,
                              enum fault_code code)
{
    const struct schema *meant = NULL;
    size_t of_type = 0;
    bool too_big;
    for (uint16_t i = 0; i < count; i++) {
        if (list[i]->never || !check_type(list[i], value, &too_big))
            continue;
        meant = list[i];
        of_type++;
    }
    if (of_type == 1 && check->faults)
        check_value(check, meant, value, place, partial);
    else
        check_fail(check, place, code, SPAN_NONE);
}

static void check_combinations(struct check *check, const struct schema *schema,
                               const json_t *value, const struct json_place *place, bool partial)
{
    uint16_t matches = 0, i;
    for (i = 0; i < schema->all_of_count && !is_over(check); i++)
        check_value(check, schema->all_of[i], value, place, partial);
    for (i = 0; i < schema->any_of_count && !holds(schema->any_of[i], value, partial); i++)
        ;
    if (schema->any_of_count && i == schema->any_of_count)
        fail_alternatives(check, schema->any_of, schema->any_of_count, value, place, partial,
                          FAULT_any_of);
    for (i = 0; i < schema->one_of_count && matches < 2; i++)
        matches = (uint16_t)(matches + holds(schema->one_of[i], value, partial));
    if (schema->one_of_count && matches == 0)
        fail_alternatives(check, schema->one_of, schema->one_of_count, value, place, partial,
                          FAULT_one_of);
    else if (matches > 1)
        check_fail(check, place, FAULT_one_of, SPAN_NONE);
    if (schema->negated && holds(schema->negated, value, partial))
        check_fail(check, place, FAULT_not_allowed, SPAN_NONE);
}

void check_value(struct check *check, const struct schema *schema, const json_t *value,
                 const struct json_place *place, bool partial)
{
    bool too_big = false;
    if (schema->never) {
        check_fail(check, place, FAULT_not_allowed, SPAN_NONE);
        return;
    }
    if (!check_type(schema, value, &too_big)) {
        if (too_big)
            check_fail(check, place, FAULT_number_range, SPAN_NONE);
        else
            fail_type(check, schema, place);
        return; /* the other keywords would only repeat it */
    }
    if (!check_enumeration(schema, value))
        fail_enumeration(check, schema, place);
    else if (json_is_object(value))
        check_object(check, schema, value, place, partial);
    else if (json_is_array(value))
        check_array(check, schema, value, place);
    else
        check_scalar(check, schema, value, place);
    if (!is_over(check))
        check_combinations(check, schema, value, place, partial);
}
