/* Text forms of JSON values. Never to be broken: a string reaches PostgreSQL byte for byte, and a
 * number as the decimal the client wrote. */
#include "api/bind.h"

#include "api/base/buffer.h"
#include "api/decimal.h"
#include <inttypes.h>
#include <math.h>

static struct span string_of(const json_t *value)
{
    return (struct span){json_string_value(value), json_string_length(value)};
}

static void add_number(struct buffer *buffer, const json_t *value)
{
    if (json_is_integer(value)) {
        buffer_printf(buffer, "%" PRId64, (int64_t)json_integer_value(value));
        return;
    }
    double real = json_real_value(value);
    if (decimal_is_int64(real)) {
        buffer_printf(buffer, "%" PRId64, (int64_t)real);
        return;
    }
    char text[DECIMAL_TEXT_MAX];
    size_t len = decimal_text(real, text);
    buffer_add(buffer, text, len);
}

/* jansson's own dump writes 0.1 as 0.10000000000000001. Depth is bounded by json_scan. */
static void add_json(struct buffer *buffer, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT: {
        const char *key;
        json_t *member;
        char comma = '{';
        json_object_foreach((json_t *)value, key, member)
        { /* jansson takes no const here */
            buffer_char(buffer, comma);
            buffer_json_string(buffer, span_of(key));
            buffer_char(buffer, ':');
            add_json(buffer, member);
            comma = ',';
        }
        if (comma == '{')
            buffer_char(buffer, '{');
        buffer_char(buffer, '}');
        break;
    }
    case JSON_ARRAY:
        buffer_char(buffer, '[');
        for (size_t i = 0; i < json_array_size(value); i++) {
            if (i)
                buffer_char(buffer, ',');
            add_json(buffer, json_array_get(value, i));
        }
        buffer_char(buffer, ']');
        break;
    case JSON_STRING:
        buffer_json_string(buffer, string_of(value));
        break;
    case JSON_INTEGER:
    case JSON_REAL:
        add_number(buffer, value);
        break;
    case JSON_TRUE:
        BUFFER_LITERAL(buffer, "true");
        break;
    case JSON_FALSE:
        BUFFER_LITERAL(buffer, "false");
        break;
    case JSON_NULL:
        BUFFER_LITERAL(buffer, "null");
        break;
    }
}

/* An element of an array literal is quoted, so that neither commas, braces nor the word null in it
 * count. */
static void add_element(struct buffer *buffer, const json_t *value)
{
    if (json_is_null(value)) {
        BUFFER_LITERAL(buffer, "NULL");
        return;
    }
    if (!json_is_string(value)) {
        add_json(buffer, value);
        return;
    }
    struct span text = string_of(value);
    buffer_char(buffer, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"' || text.ptr[i] == '\\')
            buffer_char(buffer, '\\');
        buffer_char(buffer, text.ptr[i]);
    }
    buffer_char(buffer, '"');
}

static void add_list(struct buffer *buffer, const json_t *list)
{
    buffer_char(buffer, '{');
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (i)
            buffer_char(buffer, ',');
        add_element(buffer, json_array_get(list, i));
    }
    buffer_char(buffer, '}');
}

struct span bind_json(struct arena *arena, const json_t *value, enum value_type type)
{
    bool list = type == VALUE_TEXT_LIST || type == VALUE_INTEGER_LIST || type == VALUE_UUID_LIST;
    if (json_is_null(value))
        return SPAN_NONE;
    struct buffer buffer = {0};
    if (json_is_string(value) && type == VALUE_UUID)
        return arena_lower(arena, string_of(value)); /* as PostgreSQL gives it back */
    if (json_is_string(value) && type != VALUE_JSON)
        buffer_span(&buffer, string_of(value));
    else if (json_is_array(value) && list)
        add_list(&buffer, value);
    else
        add_json(&buffer, value);
    char *text = arena_cstr(arena, (struct span){buffer.data ? buffer.data : "", buffer.len});
    struct span bound = {text, buffer.len};
    buffer_free(&buffer);
    return bound;
}
