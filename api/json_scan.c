/* One pass over a JSON body before any tree is built. Never to be broken: whatever this accepts,
 * jansson reads as the same document; where the two disagree the body is refused. RFC 8259,
 * strictly. */
#include "api/json_scan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/base/buffer.h"
#include "api/base/utf8.h"
#include "api/json_place.h"

enum flaw { FLAW_UTF8 = 1, FLAW_NUL = 2, FLAW_SURROGATE = 4 };

struct scan {
    struct arena *arena;
    struct faults *faults;
    const char *start, *at, *end;
    enum reason error; /* what breaks the syntax, at `at` */
    size_t values, found;
    struct span *keys; /* of every object that is open, the innermost last */
    size_t key_count, key_cap;
};

static bool scan_value(struct scan *scan, const struct json_place *place, size_t depth);

static bool syntax(struct scan *scan, enum reason error)
{
    scan->error = error;
    return false;
}

static void fault(struct scan *scan, const struct json_place *place, enum fault_code code,
                  struct span argument)
{
    struct fault fault = {.code = code, .argument = argument};
    if (scan->faults->count < FAULTS_MAX)
        fault.pointer = json_place_pointer(scan->arena, place);
    scan->found++;
    faults_add(scan->faults, fault);
}

static void limit_fault(struct scan *scan, const struct json_place *place, enum fault_code code,
                        unsigned limit)
{
    fault(scan, place, code, span_of(arena_printf(scan->arena, "%u", limit)));
}

static void flaw_faults(struct scan *scan, const struct json_place *place, unsigned flaws)
{
    if (flaws & FLAW_UTF8)
        fault(scan, place, FAULT_bad_utf8, SPAN_NONE);
    if (flaws & FLAW_NUL)
        fault(scan, place, FAULT_null_character, SPAN_NONE);
    if (flaws & FLAW_SURROGATE)
        fault(scan, place, FAULT_surrogate, SPAN_NONE);
}

static void skip_space(struct scan *scan)
{
    while (scan->at < scan->end &&
           (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\r' || *scan->at == '\t'))
        scan->at++;
}

/* The character that comes next, or -1 at the end. */
static int peek(const struct scan *scan)
{
    return scan->at < scan->end ? (unsigned char)*scan->at : -1;
}

/* Bytes of the character at `at`, 0 when it is no UTF-8. */
static size_t character_bytes(const char *at, const char *end)
{
    return utf8_character((struct span){at, (size_t)(end - at)});
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The code unit of the four hexadecimal digits at `at`, or -1. */
static int hex_unit(const char *at, const char *end)
{
    if (end - at < 4)
        return -1;
    int unit = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(at[i]);
        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

/* Behind a backslash: the code point of the escape, UINT32_MAX when it is none, 0xD800..0xDFFF for
 * half a pair. */
static uint32_t read_escape(const char **at, const char *end)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    if (*at == end)
        return UINT32_MAX;
    char c = *(*at)++;
    if (c != 'u') {
        const char *found = c ? strchr(names, c) : NULL;
        return found ? (uint32_t)values[found - names] : UINT32_MAX;
    }
    int high = hex_unit(*at, end);
    if (high < 0)
        return UINT32_MAX;
    *at += 4;
    if (high < 0xD800 || high > 0xDBFF || end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u')
        return (uint32_t)high;
    int low = hex_unit(*at + 2, end);
    if (low < 0xDC00 || low > 0xDFFF)
        return (uint32_t)high;
    *at += 6;
    return 0x10000u + (((uint32_t)high - 0xD800u) << 10) + ((uint32_t)low - 0xDC00u);
}

static void add_code_point(struct buffer *buffer, uint32_t point)
{
    if (point < 0x80) {
        buffer_char(buffer, (char)point);
    } else if (point < 0x800) {
        buffer_char(buffer, (char)(0xC0 | (point >> 6)));
        buffer_char(buffer, (char)(0x80 | (point & 0x3F)));
    } else if (point < 0x10000) {
        buffer_char(buffer, (char)(0xE0 | (point >> 12)));
        buffer_char(buffer, (char)(0x80 | ((point >> 6) & 0x3F)));
        buffer_char(buffer, (char)(0x80 | (point & 0x3F)));
    } else {
        buffer_char(buffer, (char)(0xF0 | (point >> 18)));
        buffer_char(buffer, (char)(0x80 | ((point >> 12) & 0x3F)));
        buffer_char(buffer, (char)(0x80 | ((point >> 6) & 0x3F)));
        buffer_char(buffer, (char)(0x80 | (point & 0x3F)));
    }
}

/* The content of a scanned string without its escapes; what is flawed in it becomes U+FFFD. */
static struct span unescape(struct scan *scan, struct span raw)
{
    struct buffer buffer = {0};
    const char *at = raw.ptr, *end = raw.ptr + raw.len;
    while (at < end) {
        uint32_t point = 0;
        if (*at == '\\') {
            at++;
            point = read_escape(&at, end);
        } else {
            size_t bytes = character_bytes(at, end);
            if (bytes) {
                buffer_add(&buffer, at, bytes);
                at += bytes;
                continue;
            }
            at++;
        }
        bool flawed = point == 0 || (point >= 0xD800 && point <= 0xDFFF);
        add_code_point(&buffer, flawed ? 0xFFFD : point);
    }
    struct span text = arena_copy(scan->arena, (struct span){buffer.data, buffer.len});
    buffer_free(&buffer);
    return text.ptr ? text : SPAN("");
}

/* Reads a string whose opening quote is next; ret_raw is what stands between the quotes. */
static bool scan_string(struct scan *scan, struct span *ret_raw, bool *ret_escaped,
                        unsigned *ret_flaws)
{
    const char *start = ++scan->at;
    unsigned flaws = 0;
    bool escaped = false;
    while (scan->at < scan->end && *scan->at != '"') {
        unsigned char c = (unsigned char)*scan->at;
        if (c < 0x20)
            return syntax(scan, REASON_json_control);
        if (c == '\\') {
            const char *at = scan->at + 1;
            uint32_t point = read_escape(&at, scan->end);
            if (point == UINT32_MAX)
                return syntax(scan, REASON_json_escape);
            if (point == 0)
                flaws |= FLAW_NUL;
            if (point >= 0xD800 && point <= 0xDFFF)
                flaws |= FLAW_SURROGATE;
            escaped = true;
            scan->at = at;
            continue;
        }
        size_t bytes = c < 0x80 ? 1 : character_bytes(scan->at, scan->end);
        if (!bytes)
            flaws |= FLAW_UTF8;
        scan->at += bytes ? bytes : 1;
    }
    if (scan->at == scan->end)
        return syntax(scan, REASON_json_string_end);
    *ret_raw = (struct span){start, (size_t)(scan->at++ - start)};
    *ret_escaped = escaped;
    *ret_flaws = flaws;
    return true;
}

static size_t skip_digits(struct scan *scan)
{
    const char *start = scan->at;
    while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9')
        scan->at++;
    return (size_t)(scan->at - start);
}

/* Integers are int64, all else is a finite double; the text is one number of RFC 8259. */
static bool number_fits(struct scan *scan, struct span text, bool integer)
{
    struct span digits = text;
    bool negative = text.ptr[0] == '-';
    if (negative)
        digits = (struct span){text.ptr + 1, text.len - 1};
    if (integer) {
        const char *most = negative ? "9223372036854775808" : "9223372036854775807";
        return digits.len < 19 || (digits.len == 19 && memcmp(digits.ptr, most, 19) <= 0);
    }
    /* 300 digits and no exponent cannot overflow: the common case needs no copy */
    if (text.len <= 300 && !memchr(text.ptr, 'e', text.len) && !memchr(text.ptr, 'E', text.len))
        return true;
    return isfinite(strtod(arena_cstr(scan->arena, text), NULL));
}

static bool scan_number(struct scan *scan, const struct json_place *place)
{
    const char *start = scan->at;
    bool integer = true;
    if (*scan->at == '-')
        scan->at++;
    if (peek(scan) == '0')
        scan->at++;
    else if (!skip_digits(scan))
        return syntax(scan, REASON_json_number);
    if (peek(scan) == '.') {
        integer = false;
        scan->at++;
        if (!skip_digits(scan))
            return syntax(scan, REASON_json_number);
    }
    if (peek(scan) == 'e' || peek(scan) == 'E') {
        integer = false;
        scan->at++;
        if (peek(scan) == '+' || peek(scan) == '-')
            scan->at++;
        if (!skip_digits(scan))
            return syntax(scan, REASON_json_number);
    }
    if (!number_fits(scan, (struct span){start, (size_t)(scan->at - start)}, integer))
        fault(scan, place, FAULT_number_range, SPAN_NONE);
    return true;
}

static void key_push(struct scan *scan, struct span key)
{
    if (scan->key_count == scan->key_cap) {
        scan->key_cap = scan->key_cap ? 2 * scan->key_cap : 64;
        scan->keys = memory_grow(scan->keys, scan->key_cap * sizeof(*scan->keys));
    }
    scan->keys[scan->key_count++] = key;
}

static int key_compare(const void *left, const void *right)
{
    const struct span *a = left, *b = right;
    if (a->len != b->len)
        return a->len < b->len ? -1 : 1;
    return a->len ? memcmp(a->ptr, b->ptr, a->len) : 0;
}

/* Sorting, not hashing: no choice of names makes it slow. Each repeated name is told once. */
static void duplicate_faults(struct scan *scan, const struct json_place *place, size_t first)
{
    size_t count = scan->key_count - first;
    scan->key_count = first;
    if (count < 2)
        return;
    struct span *keys = scan->keys + first;
    qsort(keys, count, sizeof(*keys), key_compare);
    for (size_t i = 1; i < count; i++) {
        if (!span_equal(keys[i], keys[i - 1]) || (i > 1 && span_equal(keys[i], keys[i - 2])))
            continue;
        struct json_place member = {place, keys[i], 0};
        fault(scan, &member, FAULT_duplicate_field, SPAN_NONE);
    }
}

static bool scan_member(struct scan *scan, const struct json_place *place, size_t depth)
{
    if (peek(scan) != '"')
        return syntax(scan, REASON_json_name);
    struct span raw;
    bool escaped;
    unsigned flaws;
    if (!scan_string(scan, &raw, &escaped, &flaws))
        return false;
    struct json_place member = {place, escaped || flaws ? unescape(scan, raw) : raw, 0};
    flaw_faults(scan, &member, flaws);
    if (!flaws) /* a flawed name is refused already, and what is left of it may look like another */
        key_push(scan, member.key);
    skip_space(scan);
    if (peek(scan) != ':')
        return syntax(scan, REASON_json_colon);
    scan->at++;
    return scan_value(scan, &member, depth);
}

static bool scan_object(struct scan *scan, const struct json_place *place, size_t depth)
{
    size_t first = scan->key_count;
    scan->at++;
    skip_space(scan);
    if (peek(scan) == '}') {
        scan->at++;
        return true;
    }
    for (;;) {
        skip_space(scan);
        if (!scan_member(scan, place, depth))
            return false;
        skip_space(scan);
        if (peek(scan) == '}')
            break;
        if (peek(scan) != ',')
            return syntax(scan, REASON_json_object_end);
        scan->at++;
    }
    scan->at++;
    duplicate_faults(scan, place, first);
    return true;
}

static bool scan_array(struct scan *scan, const struct json_place *place, size_t depth)
{
    scan->at++;
    skip_space(scan);
    if (peek(scan) == ']') {
        scan->at++;
        return true;
    }
    struct json_place item = {place, SPAN_NONE, 0};
    for (;; item.index++) {
        if (!scan_value(scan, &item, depth))
            return false;
        skip_space(scan);
        if (peek(scan) == ']')
            break;
        if (peek(scan) != ',')
            return syntax(scan, REASON_json_array_end);
        scan->at++;
    }
    scan->at++;
    return true;
}

static bool scan_word(struct scan *scan, const char *word)
{
    size_t bytes = strlen(word);
    if ((size_t)(scan->end - scan->at) < bytes || memcmp(scan->at, word, bytes) != 0)
        return syntax(scan, REASON_json_value);
    scan->at += bytes;
    return true;
}

/* False: stop, with a syntax error or with the fault of a limit. `depth` counts the open
 * containers. */
static bool scan_value(struct scan *scan, const struct json_place *place, size_t depth)
{
    skip_space(scan);
    int c = peek(scan);
    if (c < 0)
        return syntax(scan, REASON_json_end);
    if (++scan->values > JSON_VALUES_MAX) {
        limit_fault(scan, NULL, FAULT_too_many_values, JSON_VALUES_MAX);
        return false;
    }
    if (c == '{' || c == '[') {
        if (depth == JSON_DEPTH_MAX) {
            limit_fault(scan, place, FAULT_too_deep, JSON_DEPTH_MAX);
            return false;
        }
        return c == '{' ? scan_object(scan, place, depth + 1) : scan_array(scan, place, depth + 1);
    }
    if (c == '"') {
        struct span raw;
        bool escaped;
        unsigned flaws;
        if (!scan_string(scan, &raw, &escaped, &flaws))
            return false;
        flaw_faults(scan, place, flaws);
        return true;
    }
    if (c == '-' || (c >= '0' && c <= '9'))
        return scan_number(scan, place);
    return scan_word(scan, c == 't' ? "true" : c == 'f' ? "false" : "null");
}

static void scan_document(struct scan *scan)
{
    if (scan->end - scan->at >= 3 && memcmp(scan->at, "\xEF\xBB\xBF", 3) == 0) {
        syntax(scan, REASON_json_mark);
        return;
    }
    if (!scan_value(scan, NULL, 0))
        return;
    skip_space(scan);
    if (scan->at < scan->end)
        syntax(scan, REASON_json_more);
}

/* Columns count characters, so that an editor finds the place. */
static struct span syntax_arguments(struct scan *scan)
{
    size_t line = 1, column = 1;
    for (const char *p = scan->start; p < scan->at; p++) {
        if (*p == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)*p & 0xC0) != 0x80) {
            column++;
        }
    }
    return reason_arguments(scan->arena, (struct said){.reason = REASON_json_place,
                                                       .inner = scan->error,
                                                       .line = line,
                                                       .column = column});
}

enum problem_code json_scan(struct arena *arena, struct span body, json_t **ret_json,
                            struct faults *faults, struct span *ret_arguments)
{
    struct span text = body.ptr ? body : SPAN("");
    struct scan scan = {.arena = arena,
                        .faults = faults,
                        .start = text.ptr,
                        .at = text.ptr,
                        .end = text.ptr + text.len};
    size_t count_before = faults->count, dropped_before = faults->dropped;
    scan_document(&scan);
    free(scan.keys);
    if (!scan.error && scan.found)
        return PROBLEM_invalid_body;
    json_error_t error;
    json_t *json = NULL;
    if (!scan.error) {
        json = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
        if (!json)
            syntax(&scan, REASON_json_unread);
    }
    if (scan.error) { /* of text that is no JSON only that is told */
        faults->count = count_before;
        faults->dropped = dropped_before;
        *ret_arguments = syntax_arguments(&scan);
        return PROBLEM_invalid_json;
    }
    *ret_json = json;
    return PROBLEM_NONE;
}
