/* What every cmocka test needs, and comparisons of spans that show both sides. */
#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/base/arena.h"
#include "api/base/span.h"

static inline void check_span(struct span got, const char *expected, const char *file, int line)
{
    if (span_is(got, expected))
        return;
    print_error("got \"%.*s\"\nexpected \"%s\"\n", SPAN_ARG(got), expected);
    _fail(file, line);
}

#define assert_span(got, expected) check_span((got), (expected), __FILE__, __LINE__)

#endif
