/* Feeds the guard raw requests: a request line, header lines, an empty line, a body. Whatever
 * comes in must hold the promises on which the rest of the road relies. */
#include <assert.h>
#include <jansson.h>
#include <stdint.h>

#include "api/frame.h"

#define HEADERS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The text before the mark, taken off the front with it; all of it where there is none. */
static struct span take(struct span *rest, char mark)
{
    const char *end = rest->len ? memchr(rest->ptr, mark, rest->len) : NULL;
    struct span part = {rest->ptr, end ? (size_t)(end - rest->ptr) : rest->len};
    size_t taken = part.len + (end != NULL);
    *rest = (struct span){rest->ptr + taken, rest->len - taken};
    return part;
}

static struct span strip(struct span text)
{
    while (text.len && (text.ptr[0] == ' ' || text.ptr[0] == '\t')) {
        text.ptr++;
        text.len--;
    }
    while (text.len && strchr(" \t\r", text.ptr[text.len - 1]) && text.ptr[text.len - 1])
        text.len--;
    return text;
}

static size_t occurrences(const struct frame *frame, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < frame->header_count; i++)
        count += span_is_case(frame->headers[i].name, name);
    return count;
}

static void accepted(const struct frame *frame, enum method method)
{
    assert(method < METHOD_COUNT && span_is(frame->method, method_names[method]));
    assert(occurrences(frame, "Host") <= 1 && occurrences(frame, "Authorization") <= 1);
    assert(occurrences(frame, "Content-Length") + occurrences(frame, "Transfer-Encoding") <= 1);
    assert(span_is(frame->version, "HTTP/1.0") || occurrences(frame, "Host") == 1);
    for (size_t i = 0; i < frame->header_count; i++) {
        struct span name = frame->headers[i].name, value = frame->headers[i].value;
        assert(name.len);
        for (size_t k = 0; k < name.len; k++)
            assert(name.ptr[k] > ' ' && name.ptr[k] < 0x7F && name.ptr[k] != ':');
        for (size_t k = 0; k < value.len; k++)
            assert(value.ptr[k] != '\r' && value.ptr[k] != '\n' && value.ptr[k] != '\0');
    }
    assert(frame->target.ptr[0] == '/' ||
           (method == METHOD_OPTIONS && span_is(frame->target, "*")));
}

static void refused(enum problem_code code, struct span arguments)
{
    if (code == PROBLEM_method_not_implemented)
        return;
    assert(code == PROBLEM_bad_request || code == PROBLEM_target_too_long);
    json_t *object = json_loadb(arguments.ptr, arguments.len, 0, NULL);
    assert(json_object_get(object, code == PROBLEM_bad_request ? "reason" : "limit"));
    json_decref(object);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = {(const char *)data, size};
    struct span line = strip(take(&rest, '\n'));
    struct header headers[HEADERS_MAX];
    struct frame frame = {.headers = headers};
    frame.method = take(&line, ' ');
    frame.target = take(&line, ' ');
    frame.version = line;
    while (rest.len && frame.header_count < HEADERS_MAX) {
        struct span value = take(&rest, '\n');
        if (!strip(value).len)
            break;
        struct span name = take(&value, ':');
        headers[frame.header_count++] = (struct header){name, strip(value)};
    }

    struct arena *arena = arena_new(4096);
    struct frame_limits limits = {.target_max_bytes = 2048};
    enum method method = METHOD_COUNT;
    struct span arguments = SPAN_NONE;
    enum problem_code code = frame_check(arena, &frame, &limits, &method, &arguments);
    if (code == PROBLEM_NONE) {
        code = frame_check_body(arena, &frame, rest.len, &arguments);
        method = code == PROBLEM_NONE ? method : METHOD_COUNT;
    }
    if (code == PROBLEM_NONE)
        accepted(&frame, method);
    else
        refused(code, arguments);
    frame_header_list(arena, &frame, "Accept");
    arena_free(arena);
    return 0;
}
