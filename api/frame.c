/* The guard of raw requests and the splitter of targets. A check either refuses or changes
 * nothing: what passes here is read by the rest exactly as it was sent, never repaired. */
#include "api/frame.h"

#include "api/base/buffer.h"
#include "api/base/utf8.h"

const char *const method_names[METHOD_COUNT] = {
    [METHOD_GET] = "GET",         [METHOD_HEAD] = "HEAD",   [METHOD_POST] = "POST",
    [METHOD_PUT] = "PUT",         [METHOD_PATCH] = "PATCH", [METHOD_DELETE] = "DELETE",
    [METHOD_OPTIONS] = "OPTIONS",
};

/* ---- characters (RFC 9110 5.6.2, RFC 9112 3.2) ----------------------------------------------- */

static bool alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool token_character(char c)
{
    return alphanumeric(c) || c == '-' || (c && strchr("!#$%&'*+.^_`|~", c));
}

static bool control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7F;
}

static bool host_character(char c)
{
    return alphanumeric(c) || (c && strchr("-._~:[]%", c));
}

/* Inline, so that the test of a character is inlined into it: headers are long. */
static inline __attribute__((always_inline)) bool all(struct span text, bool (*is)(char))
{
    for (size_t i = 0; i < text.len; i++)
        if (!is(text.ptr[i]))
            return false;
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* ---- percent-encoding ------------------------------------------------------------------------ */

/* The byte that an escape at the start of the text stands for, or -1. */
static int escaped_byte(struct span text)
{
    if (text.len < 3 || text.ptr[0] != '%')
        return -1;
    int high = hex_digit(text.ptr[1]), low = hex_digit(text.ptr[2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* Without an escape the bytes are lent as they are. A broken escape, which the guard refuses,
 * stays as it stands. Never longer than the input. */
static struct span decode(struct arena *arena, struct span raw, bool plus_is_space)
{
    if (!memchr(raw.ptr, '%', raw.len) && !(plus_is_space && memchr(raw.ptr, '+', raw.len)))
        return raw;
    char *text = arena_alloc(arena, raw.len);
    size_t len = 0;
    for (size_t i = 0; i < raw.len; i++) {
        int byte = escaped_byte((struct span){raw.ptr + i, raw.len - i});
        if (byte >= 0)
            i += 2;
        text[len++] = byte >= 0                            ? (char)byte
                      : plus_is_space && raw.ptr[i] == '+' ? ' '
                                                           : raw.ptr[i];
    }
    return (struct span){text, len};
}

/* Why the text is no percent-encoding of UTF-8 without U+0000, or REASON_NONE. Delimiters are ASCII, so a
 * text that is valid as a whole is valid in each of its parts. */
static enum reason encoding_fault(struct arena *arena, struct span raw)
{
    bool escapes = false;
    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.ptr[i];
        if (c == ' ' || control(c))
            return REASON_blank_unescaped;
        if ((unsigned char)c >= 0x80)
            return REASON_letter_unescaped;
        if (c != '%')
            continue;
        int byte = escaped_byte((struct span){raw.ptr + i, raw.len - i});
        if (byte < 0)
            return REASON_escape_cut;
        if (byte == 0)
            return REASON_escape_null;
        escapes = true;
    }
    if (escapes && !utf8_valid(decode(arena, raw, false)))
        return REASON_escape_utf8;
    return REASON_NONE;
}

/* ---- query strings and forms ----------------------------------------------------------------- */

/* Takes the part before the separator off the front; false when nothing is left. */
static bool next_part(struct span *rest, char separator, struct span *ret_part)
{
    if (!rest->ptr)
        return false;
    const char *end = memchr(rest->ptr, separator, rest->len);
    size_t len = end ? (size_t)(end - rest->ptr) : rest->len;
    *ret_part = (struct span){rest->ptr, len};
    *rest = end ? (struct span){end + 1, rest->len - len - 1} : SPAN_NONE;
    return true;
}

enum reason pairs_fault(struct arena *arena, struct span raw)
{
    enum reason fault = encoding_fault(arena, raw);
    if (fault || !raw.len)
        return fault;
    for (struct span rest = raw, part; next_part(&rest, '&', &part);)
        if (part.len && part.ptr[0] == '=')
            return REASON_pair_unnamed;
    return REASON_NONE;
}

size_t pairs_split(struct arena *arena, struct span raw, struct query_pair ret_pairs[PAIRS_MAX])
{
    size_t count = 0;
    if (!raw.len)
        return 0;
    for (struct span rest = raw, part; next_part(&rest, '&', &part);) {
        if (!part.len)
            continue; /* nothing between two ampersands, or behind the last, is no pair */
        if (count == PAIRS_MAX)
            return PAIRS_MAX + 1;
        const char *equals = memchr(part.ptr, '=', part.len);
        size_t name_len = equals ? (size_t)(equals - part.ptr) : part.len;
        struct span value = {part.ptr + part.len, 0};
        if (equals)
            value = (struct span){equals + 1, part.len - name_len - 1};
        ret_pairs[count++] = (struct query_pair){
            .name = decode(arena, (struct span){part.ptr, name_len}, true),
            .value = decode(arena, value, true),
            .has_value = equals != NULL,
        };
    }
    return count;
}

struct span frame_target(struct arena *arena, struct span raw)
{
    size_t scheme = raw.len > 7 && strncasecmp(raw.ptr, "http://", 7) == 0    ? 7
                    : raw.len > 8 && strncasecmp(raw.ptr, "https://", 8) == 0 ? 8
                                                                              : 0;
    size_t end = scheme;
    while (scheme && end < raw.len && host_character(raw.ptr[end]))
        end++;
    struct span rest = {raw.ptr + end, raw.len - end};
    if (!scheme || end == scheme || (rest.len && rest.ptr[0] != '/' && rest.ptr[0] != '?'))
        return raw;
    if (rest.len && rest.ptr[0] == '/')
        return rest;
    return span_of(arena_printf(arena, "/%.*s", SPAN_ARG(rest)));
}

void target_split(struct arena *arena, struct span raw, struct target *ret_target)
{
    struct target target = {.path = raw, .query = SPAN_NONE};
    const char *mark = memchr(raw.ptr, '?', raw.len);
    if (mark) {
        target.path.len = (size_t)(mark - raw.ptr);
        target.query = (struct span){mark + 1, raw.len - target.path.len - 1};
    }
    if (target.path.len > 1 && target.path.ptr[0] == '/') {
        struct span rest = {target.path.ptr + 1, target.path.len - 1};
        for (struct span part; next_part(&rest, '/', &part);) {
            if (target.segment_count == SEGMENTS_MAX) {
                target.segment_count = SEGMENTS_MAX + 1;
                break;
            }
            target.segments[target.segment_count++] = decode(arena, part, false);
        }
    }
    target.pair_count = pairs_split(arena, target.query, target.pairs);
    *ret_target = target;
}

/* ---- headers --------------------------------------------------------------------------------- */

struct span frame_header(const struct frame *frame, const char *name)
{
    for (size_t i = 0; i < frame->header_count; i++)
        if (span_is_case(frame->headers[i].name, name))
            return frame->headers[i].value;
    return SPAN_NONE;
}

static size_t header_occurrences(const struct frame *frame, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < frame->header_count; i++)
        count += span_is_case(frame->headers[i].name, name);
    return count;
}

struct span frame_header_list(struct arena *arena, const struct frame *frame, const char *name)
{
    if (header_occurrences(frame, name) < 2)
        return frame_header(frame, name);
    struct buffer joined = {0};
    for (size_t i = 0; i < frame->header_count; i++) {
        if (!span_is_case(frame->headers[i].name, name))
            continue;
        if (joined.len)
            BUFFER_LITERAL(&joined, ", ");
        buffer_span(&joined, frame->headers[i].value);
    }
    struct span list = arena_copy(arena, (struct span){joined.data ? joined.data : "", joined.len});
    buffer_free(&joined);
    return list;
}

/* ---- the checks: each says what is wrong, or REASON_NONE --------------------------------------- */

static bool version_is_1_0(const struct frame *frame)
{
    return span_is(frame->version, "HTTP/1.0");
}

static enum reason check_version(const struct frame *frame)
{
    struct span version = frame->version;
    bool one = version.len == 8 && span_starts(version, "HTTP/1.") && version.ptr[7] >= '0' &&
               version.ptr[7] <= '9';
    return one ? REASON_NONE : REASON_version;
}

static enum reason check_method(const struct frame *frame)
{
    bool good = frame->method.len && all(frame->method, token_character);
    return good ? REASON_NONE : REASON_method;
}

static enum reason check_header_names(const struct frame *frame)
{
    for (size_t i = 0; i < frame->header_count; i++) {
        struct span name = frame->headers[i].name;
        if (!name.len)
            return REASON_header_unnamed;
        if (memchr(name.ptr, ' ', name.len) || memchr(name.ptr, '\t', name.len))
            return REASON_header_blank;
        if (!all(name, token_character))
            return REASON_header_name;
    }
    return REASON_NONE;
}

static bool value_character(char c)
{
    return c == '\t' || !control(c);
}

/* Is none of the eight bytes a control character? May say no when there is none. */
static bool surely_plain(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
    uint64_t del = word ^ (ones * 0x7F);
    return !((((word - ones * 0x20) & ~word) | ((del - ones) & ~del)) & highs);
}

/* In eights as far as it goes: a token has some hundred bytes, and every request sends it. */
static bool value_good(struct span value)
{
    uint64_t word;
    while (value.len >= sizeof word && (memcpy(&word, value.ptr, sizeof word), surely_plain(word)))
        value = (struct span){value.ptr + sizeof word, value.len - sizeof word};
    return all(value, value_character);
}

static enum reason check_header_values(const struct frame *frame)
{
    for (size_t i = 0; i < frame->header_count; i++)
        if (!value_good(frame->headers[i].value))
            return REASON_header_control;
    return REASON_NONE;
}

/* Fields that have one value and decide whom or what a request is about: a second one, even an
 * equal one, may be read differently by whoever stands before us. The first that is there twice. */
static const char *header_repeated(const struct frame *frame)
{
    static const char *const single[] = {"Content-Length", "Transfer-Encoding", "Host",
                                         "Authorization",  "Content-Type",      "Expect"};
    for (size_t i = 0; i < sizeof single / sizeof *single; i++)
        if (header_occurrences(frame, single[i]) > 1)
            return single[i];
    return NULL;
}

static enum reason check_repeated(const struct frame *frame)
{
    return header_repeated(frame) ? REASON_header_twice : REASON_NONE;
}

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static enum reason check_body_length(const struct frame *frame)
{
    struct span length = frame_header(frame, "Content-Length");
    struct span coding = frame_header(frame, "Transfer-Encoding");
    if (length.ptr && coding.ptr)
        return REASON_length_and_coding;
    if (coding.ptr && version_is_1_0(frame))
        return REASON_coding_of_1_0;
    if (coding.ptr && !span_is_case(coding, "chunked"))
        return REASON_coding_unknown;
    if (length.ptr && memchr(length.ptr, ',', length.len))
        return REASON_length_twice;
    if (length.ptr && (!length.len || length.len > 18 || !all(length, digit)))
        return REASON_length_number;
    return REASON_NONE;
}

static enum reason check_host(const struct frame *frame)
{
    struct span host = frame_header(frame, "Host");
    if (!host.ptr)
        return version_is_1_0(frame) ? REASON_NONE : REASON_host_missing;
    return host.len && all(host, host_character) ? REASON_NONE : REASON_host_form;
}

static enum reason check_expect(const struct frame *frame)
{
    struct span expect = frame_header(frame, "Expect");
    bool good = !expect.ptr || span_is_case(expect, "100-continue");
    return good ? REASON_NONE : REASON_expectation;
}

static enum reason check_target_form(const struct frame *frame)
{
    struct span target = frame->target;
    if (span_is(target, "*"))
        return span_is(frame->method, "OPTIONS") ? REASON_NONE : REASON_asterisk;
    if (!target.len || target.ptr[0] != '/')
        return REASON_target_slash;
    return memchr(target.ptr, '#', target.len) ? REASON_target_fragment : REASON_NONE;
}

typedef enum reason check_function(const struct frame *frame);

/* In this order: what makes the end of the request uncertain comes first. */
static check_function *const checks[] = {
    check_version,     check_method, check_header_names, check_header_values, check_repeated,
    check_body_length, check_host,   check_expect,       check_target_form,
};

static struct said target_fault(struct arena *arena, struct span target)
{
    const char *mark = memchr(target.ptr, '?', target.len);
    size_t path_len = mark ? (size_t)(mark - target.ptr) : target.len;
    enum reason fault = encoding_fault(arena, (struct span){target.ptr, path_len});
    if (fault)
        return (struct said){.reason = REASON_path, .inner = fault};
    if (mark)
        fault = pairs_fault(arena, (struct span){mark + 1, target.len - path_len - 1});
    return fault ? (struct said){.reason = REASON_query, .inner = fault}
                 : (struct said){REASON_NONE};
}

enum problem_code frame_check(struct arena *arena, const struct frame *frame,
                              const struct frame_limits *limits, enum method *ret_method,
                              struct span *ret_arguments)
{
    struct said said = {.reason = REASON_NONE};
    if (frame->headers_cut) /* a second Authorization might be among those not seen */
        return PROBLEM_header_too_large;
    for (size_t i = 0; i < sizeof checks / sizeof *checks && !said.reason; i++)
        said.reason = checks[i](frame);
    if (said.reason == REASON_header_twice)
        said.header = header_repeated(frame);
    if (!said.reason && frame->target.len > limits->target_max_bytes) {
        *ret_arguments = span_of(arena_printf(arena, "{\"limit\":%zu}", limits->target_max_bytes));
        return PROBLEM_target_too_long;
    }
    if (!said.reason)
        said = target_fault(arena, frame->target);
    if (said.reason) {
        *ret_arguments = reason_arguments(arena, said);
        return PROBLEM_bad_request;
    }
    for (int method = 0; method < METHOD_COUNT; method++) {
        if (span_is(frame->method, method_names[method])) {
            *ret_method = (enum method)method;
            return PROBLEM_NONE;
        }
    }
    return PROBLEM_method_not_implemented;
}

size_t frame_body_told(const struct frame *frame)
{
    struct span length = frame_header(frame, "Content-Length");
    size_t told = 0;
    if (header_repeated(frame) || check_body_length(frame) ||
        frame_header(frame, "Transfer-Encoding").ptr)
        return FRAME_BODY_UNTOLD;
    for (size_t i = 0; i < length.len; i++)
        told = told * 10 + (size_t)(length.ptr[i] - '0');
    return told;
}

enum problem_code frame_check_body(struct arena *arena, const struct frame *frame, size_t bytes,
                                   struct span *ret_arguments)
{
    if (bytes <= frame_body_told(frame))
        return PROBLEM_NONE;
    *ret_arguments = reason_arguments(arena, (struct said){.reason = REASON_length_short});
    return PROBLEM_bad_request;
}
