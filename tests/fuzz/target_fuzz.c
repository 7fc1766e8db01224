/* Feeds raw targets to the guard and the splitter: what the guard lets in decodes to clean text,
 * never grows, and means the same when it is encoded in full and read again. */
#include <assert.h>
#include <stdint.h>

#include "api/base/buffer.h"
#include "api/base/utf8.h"
#include "api/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void clean(struct span text)
{
    assert(utf8_valid(text));
    assert(!text.len || !memchr(text.ptr, '\0', text.len));
}

static void encode(struct buffer *buffer, struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        buffer_printf(buffer, "%%%02X", (unsigned)(unsigned char)text.ptr[i]);
}

static size_t kept(size_t count, size_t most)
{
    return count > most ? most : count;
}

/* The same target with every byte of every part as an escape. */
static void encode_target(struct buffer *buffer, const struct target *target)
{
    if (!target->segment_count)
        buffer_char(buffer, '/');
    for (size_t i = 0; i < kept(target->segment_count, SEGMENTS_MAX); i++) {
        buffer_char(buffer, '/');
        encode(buffer, target->segments[i]);
    }
    for (size_t i = 0; i < kept(target->pair_count, PAIRS_MAX); i++) {
        buffer_char(buffer, i ? '&' : '?');
        encode(buffer, target->pairs[i].name);
        if (target->pairs[i].has_value)
            buffer_char(buffer, '=');
        encode(buffer, target->pairs[i].value);
    }
}

static void same(const struct target *one, const struct target *other)
{
    size_t segments = kept(one->segment_count, SEGMENTS_MAX),
           pairs = kept(one->pair_count, PAIRS_MAX);
    assert(other->segment_count == segments && other->pair_count == pairs);
    for (size_t i = 0; i < segments; i++)
        assert(span_equal(one->segments[i], other->segments[i]));
    for (size_t i = 0; i < pairs; i++) {
        assert(span_equal(one->pairs[i].name, other->pairs[i].name));
        assert(span_equal(one->pairs[i].value, other->pairs[i].value));
        assert(one->pairs[i].has_value == other->pairs[i].has_value);
    }
}

static bool passes(struct arena *arena, struct span raw)
{
    static const struct header host = {{"Host", 4}, {"localhost", 9}};
    struct frame frame = {.method = SPAN("GET"),
                          .target = raw,
                          .version = SPAN("HTTP/1.1"),
                          .headers = &host,
                          .header_count = 1};
    struct frame_limits limits = {.target_max_bytes = SIZE_MAX};
    enum method method;
    struct span arguments;
    return frame_check(arena, &frame, &limits, &method, &arguments) == PROBLEM_NONE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span raw = {(const char *)data, size};
    struct arena *arena = arena_new(4096);
    struct target target, again;
    target_split(arena, raw, &target); /* must hold even for what the guard refuses */
    size_t bytes = 0;
    for (size_t i = 0; i < kept(target.segment_count, SEGMENTS_MAX); i++)
        bytes += target.segments[i].len;
    for (size_t i = 0; i < kept(target.pair_count, PAIRS_MAX); i++)
        bytes += target.pairs[i].name.len + target.pairs[i].value.len;
    assert(bytes <= raw.len);
    if (!passes(arena, raw)) {
        arena_free(arena);
        return 0;
    }
    for (size_t i = 0; i < kept(target.segment_count, SEGMENTS_MAX); i++)
        clean(target.segments[i]);
    for (size_t i = 0; i < kept(target.pair_count, PAIRS_MAX); i++) {
        clean(target.pairs[i].name);
        clean(target.pairs[i].value);
        assert(target.pairs[i].name.len);
    }
    struct buffer encoded = {0};
    encode_target(&encoded, &target);
    struct span text = {encoded.data, encoded.len};
    assert(passes(arena, text));
    target_split(arena, text, &again);
    same(&target, &again);
    buffer_free(&encoded);
    arena_free(arena);
    return 0;
}
