/* Patterns as JSON Schema means them (ECMA 262): "$" is the very end, "\d" is ASCII. Never to be
 * broken: a match is bounded, so that no text makes a thread spin. */
#include "api/patterns.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include "api/base/arena.h"
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>

#define MATCH_LIMIT 200000
#define DEPTH_LIMIT 1000

static pcre2_code **codes;          /* by index; written by patterns_init alone */
static pcre2_match_context *limits; /* only read by matches, so threads share it */

static pcre2_code *compile(const char *pattern, pcre2_compile_context *context)
{
    int error;
    PCRE2_SIZE offset;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                                     PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_ALT_BSUX |
                                         PCRE2_NEVER_BACKSLASH_C,
                                     &error, &offset, context);
    if (!code) {
        PCRE2_UCHAR message[160];
        pcre2_get_error_message(error, message, sizeof(message));
        fprintf(stderr, "pattern %s: %s at offset %zu\n", pattern, (const char *)message,
                (size_t)offset);
        abort();
    }
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE); /* without JIT the same matches, more slowly */
    return code;
}

void patterns_init(void)
{
    if (codes)
        return;
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    limits = pcre2_match_context_create(NULL);
    if (!context || !limits)
        abort();
    pcre2_set_newline(context, PCRE2_NEWLINE_ANYCRLF);
    pcre2_set_match_limit(limits, MATCH_LIMIT);
    pcre2_set_depth_limit(limits, DEPTH_LIMIT);
    codes = memory_alloc((contract_pattern_count + 1u) * sizeof(pcre2_code *));
    for (uint16_t i = 0; i < contract_pattern_count; i++)
        codes[i] = compile(contract_patterns[i], context);
    pcre2_compile_context_free(context);
}

bool patterns_match(uint16_t index, struct span text)
{
    PCRE2_SPTR subject = (PCRE2_SPTR)(text.ptr ? text.ptr : "");
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    if (!data)
        abort();
    int found = pcre2_match(codes[index], subject, text.len, 0, 0, data, limits);
    if (found == PCRE2_ERROR_JIT_STACKLIMIT)
        found = pcre2_match(codes[index], subject, text.len, 0, PCRE2_NO_JIT, data, limits);
    pcre2_match_data_free(data);
    return found >= 0;
}
