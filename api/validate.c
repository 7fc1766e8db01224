/* The face of validation. Never to be broken: a parameter's text becomes a value only in its strict
 * form, so that what PostgreSQL reads is what was checked. */
#include "api/validate.h"

#include "api/check.h"
#include "api/patterns.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>

void validate_init(void)
{
    patterns_init();
}

void validate_json(const struct schema *schema, const json_t *value, bool merge_patch,
                   struct faults *faults)
{
    struct check check = {.root = schema, .faults = faults};
    check_value(&check, schema, value, NULL, merge_patch);
}

bool validate_holds(const struct schema *schema, const json_t *value)
{
    struct check check = {.root = schema};
    check_value(&check, schema, value, NULL, false);
    return !check.failed;
}

/* The grammar of RFC 8259 section 6; *ret_integer when it has neither point nor exponent. */
static bool is_number(struct span text, bool *ret_integer)
{
    size_t i = text.len && text.ptr[0] == '-', start = i;
#define SKIP_DIGITS()                                                                              \
    while (i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9')                               \
    i++
    SKIP_DIGITS();
    if (i == start || (text.ptr[start] == '0' && i > start + 1))
        return false;
    *ret_integer = i == text.len;
    if (i < text.len && text.ptr[i] == '.') {
        start = ++i;
        SKIP_DIGITS();
        if (i == start)
            return false;
    }
    if (i < text.len && (text.ptr[i] == 'e' || text.ptr[i] == 'E')) {
        i++;
        if (i < text.len && (text.ptr[i] == '+' || text.ptr[i] == '-'))
            i++;
        start = i;
        SKIP_DIGITS();
        if (i == start)
            return false;
    }
#undef SKIP_DIGITS
    return i == text.len;
}

/* The number as a new value; NULL when it is out of range. */
static json_t *number_new(struct arena *arena, struct span text, bool integer)
{
    const char *copy = arena_cstr(arena, text);
    errno = 0;
    if (integer) {
        long long value = strtoll(copy, NULL, 10);
        return errno == ERANGE ? NULL : json_integer(value);
    }
    double value = strtod(copy, NULL);
    return isfinite(value) ? json_real(value) : NULL;
}

/* Types of a schema, or of all its alternatives where it has none of its own. */
static unsigned types_of(const struct schema *schema)
{
    unsigned types = schema->types;
    for (uint16_t i = 0; i < schema->any_of_count && !schema->types; i++)
        types |= types_of(schema->any_of[i]);
    for (uint16_t i = 0; i < schema->one_of_count && !schema->types; i++)
        types |= types_of(schema->one_of[i]);
    return types;
}

/* The text as a value of the schema's types: the narrowest that reads it, else a string. */
static json_t *value_new(struct arena *arena, unsigned types, struct span text,
                         enum fault_code *ret_fault)
{
    bool integer = false;
    if ((types & (SCHEMA_INTEGER | SCHEMA_NUMBER)) && is_number(text, &integer) &&
        (integer || (types & SCHEMA_NUMBER))) {
        json_t *number = number_new(arena, text, integer && (types & SCHEMA_INTEGER));
        if (!number)
            *ret_fault = FAULT_number_range;
        return number;
    }
    if ((types & SCHEMA_BOOLEAN) && (span_is(text, "true") || span_is(text, "false")))
        return json_boolean(text.len == 4);
    json_t *string = json_stringn(text.ptr ? text.ptr : "", text.len);
    if (!string)
        *ret_fault = FAULT_bad_utf8;
    return string;
}

void validate_text(const struct schema *schema, struct span name, struct span text,
                   struct faults *faults)
{
    struct check check = {.root = schema, .faults = faults, .parameter = name};
    enum fault_code fault = FAULT_COUNT;
    json_t *value = value_new(faults->arena, types_of(schema), text, &fault);
    if (!value) {
        check_fail(&check, NULL, fault, SPAN_NONE);
        return;
    }
    check_value(&check, schema, value, NULL, false);
    json_decref(value);
}
