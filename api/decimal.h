/* JSON numbers as exact decimals: what was written, not what a double makes of it. */
#ifndef API_DECIMAL_H
#define API_DECIMAL_H

#include "api/base/span.h"
#include <jansson.h>
#include <stdint.h>

struct decimal { /* (negative ? -1 : 1) * digits * 10^exponent */
    bool negative;
    uint64_t digits;
    int exponent;
};

#define DECIMAL_TEXT_MAX 32

struct decimal decimal_of_double(
    double value); /* the shortest decimal that reads back as it; finite */
struct decimal decimal_of_json(const json_t *number);
/* Is value = k * unit for a whole k? unit > 0. Exact at any size. */
bool decimal_is_multiple(struct decimal value, struct decimal unit);
/* Shortest text that reads back as the same double ("0.1", "1e+100"); bytes written, without a NUL
 * counted. */
size_t decimal_text(double value, char ret_text[DECIMAL_TEXT_MAX]);
/* Is it a whole number within int64? */
bool decimal_is_int64(double value);

#endif
