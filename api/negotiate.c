/* Parsing of preference and condition headers. A member of a preference list that cannot be read
 * is passed over, as RFC 9110 12.4 allows; a condition that cannot be read is refused, for
 * guessing could overwrite. */
#include "api/negotiate.h"

#include "api/base/buffer.h"

/* In the order of preference of the service. */
static const struct {
    enum media media;
    const char *name;
} medias[] = {
    {MEDIA_JSON, "application/json"},
    {MEDIA_GEOJSON, "application/geo+json"},
    {MEDIA_CSV, "text/csv"},
    {MEDIA_HTML, "text/html"},
    {MEDIA_TEXT, "text/plain"},
    {MEDIA_MERGE_PATCH, "application/merge-patch+json"},
    {MEDIA_FORM, "application/x-www-form-urlencoded"},
};
#define MEDIAS (sizeof medias / sizeof *medias)

const char *media_name(enum media media)
{
    for (size_t i = 0; i < MEDIAS; i++)
        if (medias[i].media == media)
            return medias[i].name;
    return "application/octet-stream";
}

struct span media_list(struct arena *arena, uint8_t bits)
{
    struct buffer list = {0};
    for (size_t i = 0; i < MEDIAS; i++) {
        if (!(bits & medias[i].media))
            continue;
        if (list.len)
            BUFFER_LITERAL(&list, ", ");
        buffer_span(&list, span_of(medias[i].name));
    }
    struct span text = arena_copy(arena, (struct span){list.data ? list.data : "", list.len});
    buffer_free(&list);
    return text;
}

/* ---- lists with quality values --------------------------------------------------------------- */

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct span trim(struct span text)
{
    while (text.len && blank(text.ptr[0])) {
        text.ptr++;
        text.len--;
    }
    while (text.len && blank(text.ptr[text.len - 1]))
        text.len--;
    return text;
}

/* Takes the trimmed part before the separator off the front, minding quoted strings; false at the
 * end. */
static bool next_part(struct span *rest, char separator, struct span *ret_part)
{
    if (!rest->ptr)
        return false;
    bool quoted = false;
    size_t end = 0;
    for (; end < rest->len; end++) {
        char c = rest->ptr[end];
        if (c == '"')
            quoted = !quoted;
        else if (quoted && c == '\\' && end + 1 < rest->len)
            end++;
        else if (!quoted && c == separator)
            break;
    }
    *ret_part = trim((struct span){rest->ptr, end});
    *rest = end < rest->len ? (struct span){rest->ptr + end + 1, rest->len - end - 1} : SPAN_NONE;
    return true;
}

/* RFC 9110 12.4.2, in thousandths: "0", "0.125", "1.000". -1 when it is none. */
static int quality_of(struct span text)
{
    if (!text.len || text.len > 5 || (text.ptr[0] != '0' && text.ptr[0] != '1') ||
        (text.len > 1 && text.ptr[1] != '.'))
        return -1;
    int quality = (text.ptr[0] - '0') * 1000, unit = 100;
    for (size_t i = 2; i < text.len; i++, unit /= 10) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return -1;
        quality += (text.ptr[i] - '0') * unit;
    }
    return quality <= 1000 ? quality : -1;
}

struct preference {
    struct span value; /* without parameters */
    int quality;       /* 0 to 1000 */
};

/* The next readable member of the list. */
static bool next_preference(struct span *rest, struct preference *ret_preference)
{
    for (struct span member; next_part(rest, ',', &member);) {
        struct preference preference = {.quality = 1000};
        struct span parts = member, part;
        next_part(&parts, ';', &preference.value);
        while (next_part(&parts, ';', &part))
            if (part.len >= 2 && (part.ptr[0] == 'q' || part.ptr[0] == 'Q') && part.ptr[1] == '=')
                preference.quality = quality_of((struct span){part.ptr + 2, part.len - 2});
        if (!preference.value.len || preference.quality < 0)
            continue;
        *ret_preference = preference;
        return true;
    }
    return false;
}

/* ---- Accept ---------------------------------------------------------------------------------- */

/* 3 for the type itself, 2 for its "type/" with "*", 1 for any, 0 for no match. */
static int range_exactness(struct span range, const char *name)
{
    if (span_is_case(range, name))
        return 3;
    if (span_is(range, "*/*"))
        return 1;
    size_t type_len = (size_t)(strchr(name, '/') - name) + 1;
    bool any_subtype = range.len == type_len + 1 && range.ptr[type_len] == '*' &&
                       strncasecmp(range.ptr, name, type_len) == 0;
    return any_subtype ? 2 : 0;
}

struct match {
    int quality, exactness;
    size_t place; /* of the range in Accept */
};

/* The most exact range decides (RFC 9110 12.5.1), so that "text/csv;q=0, text/plain, *" excludes
 * CSV. */
static struct match match_of(struct span accept, const char *name)
{
    struct match best = {0, 0, 0};
    struct preference range;
    size_t place = 0;
    for (struct span rest = accept; next_preference(&rest, &range); place++) {
        int exactness = range_exactness(range.value, name);
        if (exactness > best.exactness)
            best = (struct match){range.quality, exactness, place};
    }
    return best;
}

static bool better(struct match a, struct match b)
{
    if (a.quality != b.quality)
        return a.quality > b.quality;
    if (a.exactness != b.exactness)
        return a.exactness > b.exactness;
    return a.place < b.place;
}

bool accept_media(struct span accept, uint8_t produces, enum media *ret_media)
{
    struct preference any;
    struct span rest = accept;
    if (!next_preference(&rest, &any))
        accept = SPAN("*/*");
    struct match best = {0, 0, 0};
    for (size_t i = 0; i < MEDIAS; i++) {
        if (!(produces & medias[i].media))
            continue;
        struct match match = match_of(accept, medias[i].name);
        if (match.quality && better(match, best)) {
            best = match;
            *ret_media = medias[i].media;
        }
    }
    return best.quality > 0;
}

/* ---- Accept-Language, Accept-Encoding -------------------------------------------------------- */

static bool language_is(struct span range, const char *language)
{
    bool prefix = range.len >= 2 && strncasecmp(range.ptr, language, 2) == 0;
    return prefix && (range.len == 2 || range.ptr[2] == '-');
}

enum language accept_language(struct span accept_language)
{
    int indonesian = -1, english = -1, others = 0; /* -1: not named */
    struct preference range;
    for (struct span rest = accept_language; next_preference(&rest, &range);) {
        if (span_is(range.value, "*"))
            others = range.quality;
        else if (language_is(range.value, "en"))
            english = range.quality > english ? range.quality : english;
        else if (language_is(range.value, "id") ||
                 language_is(range.value, "in")) /* ISO 639 until 1989 */
            indonesian = range.quality > indonesian ? range.quality : indonesian;
    }
    indonesian = indonesian < 0 ? others : indonesian;
    english = english < 0 ? others : english;
    return english > indonesian ? LANGUAGE_EN : LANGUAGE_ID;
}

bool accept_gzip(struct span accept_encoding)
{
    int gzip = -1, identity = -1, others = 0;
    struct preference coding;
    for (struct span rest = accept_encoding; next_preference(&rest, &coding);) {
        if (span_is(coding.value, "*"))
            others = coding.quality;
        else if (span_is_case(coding.value, "gzip") || span_is_case(coding.value, "x-gzip"))
            gzip = coding.quality;
        else if (span_is_case(coding.value, "identity"))
            identity = coding.quality;
    }
    gzip = gzip < 0 ? others : gzip;
    return gzip > 0 && gzip >= identity;
}

/* ---- Content-Type ---------------------------------------------------------------------------- */

static struct span unquote(struct span text)
{
    if (text.len >= 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"')
        return (struct span){text.ptr + 1, text.len - 2};
    return text;
}

bool content_media(struct span content_type, enum media *ret_media)
{
    struct span parts = content_type, name = {"", 0}, part;
    next_part(&parts, ';', &name);
    size_t charsets = 0;
    while (next_part(&parts, ';', &part)) {
        const char *equals = part.len ? memchr(part.ptr, '=', part.len) : NULL;
        if (!part.len)
            continue; /* a trailing semicolon */
        if (!equals || equals == part.ptr)
            return false;
        size_t name_len = (size_t)(equals - part.ptr);
        if (!span_is_case((struct span){part.ptr, name_len}, "charset"))
            continue;
        struct span charset = unquote((struct span){equals + 1, part.len - name_len - 1});
        if (++charsets > 1 || !(span_is_case(charset, "utf-8") || span_is_case(charset, "utf8")))
            return false;
    }
    static const enum media taken[] = {MEDIA_JSON, MEDIA_MERGE_PATCH, MEDIA_FORM};
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        if (span_is_case(name, media_name(taken[i]))) {
            *ret_media = taken[i];
            return true;
        }
    }
    return false;
}

/* ---- If-Match, If-None-Match ----------------------------------------------------------------- */

/* RFC 9110 8.8.3: any byte but controls, space and the quote itself. */
static bool tag_character(char c)
{
    unsigned char byte = (unsigned char)c;
    return byte > 0x20 && byte != '"' && byte != 0x7F;
}

static bool parse_tag(struct span text, struct span *ret_tag)
{
    if (span_starts(text, "W/")) {
        text.ptr += 2;
        text.len -= 2;
    }
    if (text.len < 2 || text.ptr[0] != '"' || text.ptr[text.len - 1] != '"')
        return false;
    struct span tag = {text.ptr + 1, text.len - 2};
    for (size_t i = 0; i < tag.len; i++)
        if (!tag_character(tag.ptr[i]))
            return false;
    if (tag.len > 3 && memcmp(tag.ptr + tag.len - 3, "-gz", 3) == 0)
        tag.len -= 3;
    *ret_tag = tag;
    return true;
}

/* A backslash is an ordinary character in a tag, so the list is split by its own rule. */
static struct span take_tag(struct span *rest)
{
    bool quoted = false;
    size_t end = 0;
    for (; end < rest->len && (quoted || rest->ptr[end] != ','); end++)
        quoted ^= rest->ptr[end] == '"';
    struct span text = trim((struct span){rest->ptr, end});
    end += end < rest->len; /* the comma */
    *rest = (struct span){rest->ptr + end, rest->len - end};
    return text;
}

bool etags_parse(struct span value, struct etags *ret_etags)
{
    struct etags etags = {0};
    struct span rest = trim(value);
    if (span_is(rest, "*")) {
        etags.any = true;
        *ret_etags = etags;
        return true;
    }
    while (rest.len) {
        struct span text = take_tag(&rest);
        if (!text.len)
            continue; /* an empty member, RFC 9110 5.6.1.2 */
        if (etags.count == ETAGS_MAX || !parse_tag(text, &etags.tags[etags.count]))
            return false;
        etags.count++;
    }
    if (!etags.count)
        return false;
    *ret_etags = etags;
    return true;
}

bool etags_match(const struct etags *etags, struct span tag)
{
    if (etags->any)
        return true;
    for (size_t i = 0; i < etags->count; i++)
        if (span_equal(etags->tags[i], tag))
            return true;
    return false;
}

bool etags_match_quoted(const struct etags *etags, const char *tag)
{
    struct span bare = {tag + 1, strlen(tag) - 2};
    if (bare.len > 3 && memcmp(bare.ptr + bare.len - 3, "-gz", 3) == 0)
        bare.len -= 3;
    return etags_match(etags, bare);
}

struct span etags_versions(struct arena *arena, const struct etags *etags)
{
    struct buffer array = {0};
    buffer_char(&array, '{');
    for (size_t i = 0; i < etags->count; i++) {
        struct span tag = etags->tags[i];
        size_t len = 0;
        while (len < tag.len && tag.ptr[len] >= '0' && tag.ptr[len] <= '9')
            len++;
        /* 18 digits always fit a bigint; no version is longer. */
        if (!len || len > 18 || len == tag.len || tag.ptr[len] != '.')
            continue;
        if (array.len > 1)
            buffer_char(&array, ',');
        buffer_add(&array, tag.ptr, len);
    }
    buffer_char(&array, '}');
    struct span text = arena_copy(arena, (struct span){array.data, array.len});
    buffer_free(&array);
    return text;
}

/* ---- forms ----------------------------------------------------------------------------------- */

enum problem_code form_decode(struct arena *arena, struct span body,
                              struct query_pair ret_pairs[PAIRS_MAX], size_t *ret_count,
                              struct span *ret_arguments)
{
    enum reason fault = pairs_fault(arena, body);
    size_t count = fault ? 0 : pairs_split(arena, body, ret_pairs);
    if (count > PAIRS_MAX)
        fault = REASON_pairs_many;
    if (fault) {
        *ret_arguments = reason_arguments(arena,
                                          (struct said){.reason = REASON_form, .inner = fault});
        return PROBLEM_bad_request;
    }
    *ret_count = count;
    return PROBLEM_NONE;
}
