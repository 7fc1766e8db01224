/* The form of a body's texts. Never to be broken: what is checked, compared and stored is this form, and no other code
 * changes a text. */
#include "api/text_form.h"

#include "api/base/text.h"
#include <stdlib.h>

static bool takes(const struct schema *schema, enum schema_type type)
{
    if (schema->types)
        return schema->types & type;
    for (uint16_t i = 0; i < schema->any_of_count; i++)
        if (takes(schema->any_of[i], type))
            return true;
    for (uint16_t i = 0; i < schema->one_of_count; i++)
        if (takes(schema->one_of[i], type))
            return true;
    return false;
}

/* The kind that the schema says of a string, itself or in the first of its branches that says one. */
static enum text_kind kind_of(const struct schema *schema)
{
    enum text_kind kind = (enum text_kind)schema->text;
    for (uint16_t i = 0; i < schema->any_of_count && !kind; i++)
        kind = kind_of(schema->any_of[i]);
    for (uint16_t i = 0; i < schema->one_of_count && !kind; i++)
        kind = kind_of(schema->one_of[i]);
    for (uint16_t i = 0; i < schema->all_of_count && !kind; i++)
        kind = kind_of(schema->all_of[i]);
    return kind;
}

/* The string in its form; true when it says that there is nothing, where null may stand. */
static bool form_string(struct arena *arena, const struct schema *schema, json_t *string)
{
    enum text_kind kind = kind_of(schema);
    struct span text = {json_string_value(string), json_string_length(string)};
    struct span clean = text_clean(arena, kind, text);
    bool absent = text_is_absent(kind,
                                 clean); /* asked first: it may lie in what is replaced below */
    if (!span_equal(clean, text) && json_string_setn_nocheck(string, clean.ptr, clean.len))
        abort(); /* memory is exhausted */
    return absent && takes(schema, SCHEMA_NULL);
}

static void form_object(struct arena *arena, const struct schema *schema, json_t *object)
{
    for (uint16_t i = 0; i < schema->property_count; i++) {
        const struct schema_property *property = &schema->properties[i];
        json_t *member = json_object_get(object, property->name);
        if (!json_is_string(member))
            text_form(arena, property->schema, member);
        else if (form_string(arena, property->schema, member))
            json_object_set_new(object, property->name, json_null());
    }
}

void text_form(struct arena *arena, const struct schema *schema, json_t *body)
{
    if (!body || json_is_null(body))
        return;
    if (json_is_string(body))
        form_string(arena, schema, body);
    else if (json_is_object(body))
        form_object(arena, schema, body);
    for (size_t i = 0; schema->items && i < json_array_size(body); i++)
        text_form(arena, schema->items, json_array_get(body, i));
    for (uint16_t i = 0; i < schema->any_of_count && !json_is_string(body); i++)
        text_form(arena, schema->any_of[i], body);
    for (uint16_t i = 0; i < schema->one_of_count && !json_is_string(body); i++)
        text_form(arena, schema->one_of[i], body);
    for (uint16_t i = 0; i < schema->all_of_count && !json_is_string(body); i++)
        text_form(arena, schema->all_of[i], body);
}
