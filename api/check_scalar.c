/* Checks of what is no container: types, enumerations, strings and numbers. Never to be broken: the
 * limits hold for the decimal the client wrote, not for its double. */
#include "api/check.h"

#include "api/base/buffer.h"
#include "api/base/text.h"
#include "api/decimal.h"
#include "api/formats.h"
#include "api/patterns.h"
#include <inttypes.h>
#include <stdio.h>

static struct span string_of(const json_t *value)
{
    return (struct span){json_string_value(value), json_string_length(value)};
}

/* Exact for int64 and double alike: long double has at least 64 bits of mantissa where we run. */
static long double number_of(const json_t *value)
{
    return json_is_integer(value) ? (long double)json_integer_value(value)
                                  : (long double)json_real_value(value);
}

static bool same_objects(const json_t *a, const json_t *b)
{
    const char *key;
    size_t key_len;
    json_t *member;
    if (json_object_size(a) != json_object_size(b))
        return false;
    json_object_keylen_foreach((json_t *)a, key, key_len, member) /* jansson takes no const here */
    {
        const json_t *other = json_object_getn(b, key, key_len);
        if (!other || !json_same(member, other))
            return false;
    }
    return true;
}

bool json_same(const json_t *a, const json_t *b)
{
    if (json_is_number(a) && json_is_number(b))
        return number_of(a) == number_of(b);
    if (json_typeof(a) != json_typeof(b))
        return false;
    if (json_is_object(a))
        return same_objects(a, b);
    if (!json_is_array(a))
        return json_is_string(a) ? span_equal(string_of(a), string_of(b)) : true;
    if (json_array_size(a) != json_array_size(b))
        return false;
    for (size_t i = 0; i < json_array_size(a); i++)
        if (!json_same(json_array_get(a, i), json_array_get(b, i)))
            return false;
    return true;
}

bool check_type(const struct schema *schema, const json_t *value, bool *ret_too_big)
{
    unsigned types = schema->types;
    if (types == 0)
        return true;
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return types & SCHEMA_OBJECT;
    case JSON_ARRAY:
        return types & SCHEMA_ARRAY;
    case JSON_STRING:
        return types & SCHEMA_STRING;
    case JSON_INTEGER:
        return types & (SCHEMA_INTEGER | SCHEMA_NUMBER);
    case JSON_REAL:
        if (types & SCHEMA_NUMBER)
            return true;
        if ((types & SCHEMA_INTEGER) && decimal_is_int64(json_real_value(value)))
            return true;
        /* beyond 2^53 every double is whole */
        *ret_too_big = (types & SCHEMA_INTEGER) && (json_real_value(value) >= 9007199254740992.0 ||
                                                    json_real_value(value) <= -9007199254740992.0);
        return false;
    case JSON_TRUE:
    case JSON_FALSE:
        return types & SCHEMA_BOOLEAN;
    case JSON_NULL:
        return types & SCHEMA_NULL;
    }
    return false;
}

/* An enumeration value is a JSON text; nearly always a string without escapes, which needs no
 * parsing. */
static bool is_choice(const char *text, const json_t *value)
{
    struct span choice = span_of(text);
    if (text[0] == '"' && !memchr(choice.ptr, '\\', choice.len))
        return json_is_string(value) &&
               span_equal(string_of(value), (struct span){choice.ptr + 1, choice.len - 2});
    json_auto_t *parsed = json_loadb(choice.ptr, choice.len, JSON_DECODE_ANY | JSON_ALLOW_NUL,
                                     NULL);
    return parsed && json_same(parsed, value);
}

bool check_enumeration(const struct schema *schema, const json_t *value)
{
    if (!schema->enumeration) /* an empty one refuses everything */
        return true;
    for (uint16_t i = 0; i < schema->enumeration_count; i++)
        if (is_choice(schema->enumeration[i], value))
            return true;
    return false;
}

static void fail_count(struct check *check, const struct json_place *place, enum fault_code code,
                       uint32_t limit)
{
    char text[16];
    int len = snprintf(text, sizeof(text), "%" PRIu32, limit);
    check_fail(check, place, code, (struct span){text, (size_t)len});
}

static void check_text(struct check *check, enum text_kind kind, struct span text,
                       const struct json_place *place)
{
    char point[TEXT_POINT_MAX];
    enum fault_code fault = text_is_absent(kind, text) ? FAULT_absent
                                                       : text_fault(kind, text, point);
    if (fault == FAULT_absent)
        check_fail(check, place, fault, SPAN_NONE);
    else if (fault != FAULT_COUNT)
        check_fail(check, place, fault, span_of(point));
}

static void check_string(struct check *check, const struct schema *schema, const json_t *value,
                         const struct json_place *place)
{
    struct span text = string_of(value);
    uint32_t points = 0;
    for (size_t i = 0; i < text.len; i++)
        points += ((unsigned char)text.ptr[i] & 0xC0) != 0x80;
    if (text.len && memchr(text.ptr, '\0', text.len))
        check_fail(check, place, FAULT_null_character, SPAN_NONE);
    check_text(check, (enum text_kind)schema->text, text, place);
    if ((schema->has & HAS_MIN_LENGTH) && points < schema->min_length)
        fail_count(check, place, FAULT_min_length, schema->min_length);
    if ((schema->has & HAS_MAX_LENGTH) && points > schema->max_length) {
        fail_count(check, place, FAULT_max_length, schema->max_length);
        return; /* neither a pattern nor a format needs to be tried on what is too long */
    }
    if (schema->pattern && !patterns_match(schema->pattern_index, text))
        check_fail(check, place, FAULT_pattern, span_of(schema->pattern));
    enum fault_code wrong = format_check((enum schema_format)schema->format, text);
    if (wrong != FAULT_COUNT)
        check_fail(check, place, wrong, format_name((enum schema_format)schema->format));
}

static void fail_number(struct check *check, const struct json_place *place, enum fault_code code,
                        double limit)
{
    char text[DECIMAL_TEXT_MAX];
    check_fail(check, place, code, (struct span){text, decimal_text(limit, text)});
}

static void check_number(struct check *check, const struct schema *schema, const json_t *value,
                         const struct json_place *place)
{
    long double number = number_of(value);
    if ((schema->has & HAS_MINIMUM) && number < (long double)schema->minimum)
        fail_number(check, place, FAULT_minimum, schema->minimum);
    if ((schema->has & HAS_MAXIMUM) && number > (long double)schema->maximum)
        fail_number(check, place, FAULT_maximum, schema->maximum);
    if ((schema->has & HAS_EXCLUSIVE_MINIMUM) && number <= (long double)schema->exclusive_minimum)
        fail_number(check, place, FAULT_exclusive_minimum, schema->exclusive_minimum);
    if ((schema->has & HAS_EXCLUSIVE_MAXIMUM) && number >= (long double)schema->exclusive_maximum)
        fail_number(check, place, FAULT_exclusive_maximum, schema->exclusive_maximum);
    if ((schema->has & HAS_MULTIPLE_OF) &&
        !decimal_is_multiple(decimal_of_json(value), decimal_of_double(schema->multiple_of)))
        fail_number(check, place, FAULT_multiple_of, schema->multiple_of);
}

void check_scalar(struct check *check, const struct schema *schema, const json_t *value,
                  const struct json_place *place)
{
    if (json_is_string(value))
        check_string(check, schema, value, place);
    else if (json_is_number(value))
        check_number(check, schema, value, place);
}
