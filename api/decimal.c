/* Decimals by way of the shortest text of a double. Never to be broken: no rounding decides; 0.0075
 * is a multiple of 0.0001 although neither is a double. */
#include "api/decimal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define DOUBLE_DIGITS 17 /* always enough to read the same double back */

/* Significant digits that are needed: 15 is enough for what people write. */
static int digits_needed(double value)
{
    char text[DECIMAL_TEXT_MAX];
    for (int digits = 15; digits < DOUBLE_DIGITS; digits++) {
        snprintf(text, sizeof(text), "%.*e", digits - 1, value);
        if (strtod(text, NULL) == value) /* finite: equality is meant */
            return digits;
    }
    return DOUBLE_DIGITS;
}

size_t decimal_text(double value, char ret_text[DECIMAL_TEXT_MAX])
{
    return (size_t)snprintf(ret_text, DECIMAL_TEXT_MAX, "%.*g", digits_needed(value), value);
}

struct decimal decimal_of_double(double value)
{
    char text[DECIMAL_TEXT_MAX];
    snprintf(text, sizeof(text), "%.*e", digits_needed(value) - 1, value);
    struct decimal decimal = {.negative = text[0] == '-'};
    const char *at = text + decimal.negative;
    int decimals = 0;
    for (bool behind = false; *at && *at != 'e'; at++) {
        if (*at == '.') {
            behind = true;
            continue;
        }
        decimal.digits = decimal.digits * 10 + (uint64_t)(*at - '0');
        decimals += behind;
    }
    decimal.exponent = (*at == 'e' ? (int)strtol(at + 1, NULL, 10) : 0) - decimals;
    while (decimal.digits && decimal.digits % 10 == 0) {
        decimal.digits /= 10;
        decimal.exponent++;
    }
    return decimal;
}

struct decimal decimal_of_json(const json_t *number)
{
    if (json_is_real(number))
        return decimal_of_double(json_real_value(number));
    json_int_t value = json_integer_value(number);
    return (struct decimal){value < 0, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 0};
}

bool decimal_is_multiple(struct decimal value, struct decimal unit)
{
    if (value.digits == 0)
        return true;
    if (value.exponent >= unit.exponent) {
        /* digits * 10^shift mod unit, a digit at a time: both factors stay below 2^64 * 10 */
        unsigned __int128 rest = value.digits % unit.digits;
        for (int shift = value.exponent - unit.exponent; shift > 0 && rest; shift--)
            rest = rest * 10 % unit.digits;
        return rest == 0;
    }
    /* the unit has fewer decimals: what the value has beyond them must be zeros */
    uint64_t digits = value.digits;
    for (int shift = unit.exponent - value.exponent; shift > 0; shift--) {
        if (digits % 10)
            return false;
        digits /= 10;
    }
    return digits % unit.digits == 0;
}

bool decimal_is_int64(double value)
{
    /* -2^63 and 2^63 are doubles; the latter is the first beyond */
    return value >= -9223372036854775808.0 && value < 9223372036854775808.0 &&
           trunc(value) == value;
}
