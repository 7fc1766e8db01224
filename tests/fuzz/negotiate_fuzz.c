/* Feeds header values and forms to the parsers of preferences and conditions. */
#include <assert.h>
#include <stdint.h>

#include "api/base/utf8.h"
#include "api/negotiate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void preferences(struct span text)
{
    enum media media = MEDIA_TEXT;
    for (unsigned produces = 0; produces < 128; produces += 9)
        if (accept_media(text, (uint8_t)produces, &media))
            assert(media & produces);
    enum language language = accept_language(text);
    assert(language == LANGUAGE_ID || language == LANGUAGE_EN);
    if (accept_gzip(text))
        assert(text.len);
    if (content_media(text, &media))
        assert(media == MEDIA_JSON || media == MEDIA_MERGE_PATCH || media == MEDIA_FORM);
}

static void conditions(struct arena *arena, struct span text)
{
    struct etags etags;
    if (!etags_parse(text, &etags))
        return;
    assert(etags.any != (etags.count > 0) && etags.count <= ETAGS_MAX);
    for (size_t i = 0; i < etags.count; i++) {
        struct span tag = etags.tags[i];
        assert(tag.ptr > text.ptr && tag.ptr + tag.len < text.ptr + text.len);
        assert(!tag.len || (!memchr(tag.ptr, '"', tag.len) && !memchr(tag.ptr, ' ', tag.len)));
        assert(etags_match(&etags, tag));
    }
    struct span array = etags_versions(arena, &etags);
    assert(array.len >= 2 && array.ptr[0] == '{' && array.ptr[array.len - 1] == '}');
    for (size_t i = 1; i + 1 < array.len; i++)
        assert(array.ptr[i] == ',' || (array.ptr[i] >= '0' && array.ptr[i] <= '9'));
}

static void forms(struct arena *arena, struct span text)
{
    struct query_pair pairs[PAIRS_MAX];
    struct span arguments;
    size_t count, bytes = 0;
    if (form_decode(arena, text, pairs, &count, &arguments) != PROBLEM_NONE)
        return;
    assert(count <= PAIRS_MAX);
    for (size_t i = 0; i < count; i++) {
        assert(pairs[i].name.len && utf8_valid(pairs[i].name) && utf8_valid(pairs[i].value));
        assert(!memchr(pairs[i].name.ptr, '\0', pairs[i].name.len));
        assert(!pairs[i].value.len || !memchr(pairs[i].value.ptr, '\0', pairs[i].value.len));
        bytes += pairs[i].name.len + pairs[i].value.len;
    }
    assert(bytes <= text.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = {(const char *)data, size};
    struct arena *arena = arena_new(4096);
    preferences(text);
    conditions(arena, text);
    forms(arena, text);
    arena_free(arena);
    return 0;
}
