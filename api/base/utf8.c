/* The table of RFC 3629 section 4. Never accept a longer form of what has a shorter one: filters
 * and comparisons downstream look at bytes. */
#include "api/base/utf8.h"

#include <stdint.h>

/* What the lead byte promises: how many bytes, and the range of the second, which is where
 * over-long forms (E0, F0), surrogates (ED) and code points beyond U+10FFFF (F4) show. */
static const struct lead {
    unsigned char from, to, bytes, second_from, second_to;
} leads[] = {
    {0x00, 0x7F, 1, 0, 0},       {0xC2, 0xDF, 2, 0x80, 0xBF}, {0xE0, 0xE0, 3, 0xA0, 0xBF},
    {0xE1, 0xEC, 3, 0x80, 0xBF}, {0xED, 0xED, 3, 0x80, 0x9F}, {0xEE, 0xEF, 3, 0x80, 0xBF},
    {0xF0, 0xF0, 4, 0x90, 0xBF}, {0xF1, 0xF3, 4, 0x80, 0xBF}, {0xF4, 0xF4, 4, 0x80, 0x8F},
};

size_t utf8_character(struct span text)
{
    if (!text.len)
        return 0;
    const unsigned char *bytes = (const unsigned char *)text.ptr;
    for (size_t i = 0; i < sizeof leads / sizeof *leads; i++) {
        const struct lead *lead = &leads[i];
        if (bytes[0] < lead->from || bytes[0] > lead->to)
            continue;
        if (text.len < lead->bytes)
            return 0;
        if (lead->bytes > 1 && (bytes[1] < lead->second_from || bytes[1] > lead->second_to))
            return 0;
        for (size_t k = 2; k < lead->bytes; k++)
            if ((bytes[k] & 0xC0) != 0x80)
                return 0;
        return lead->bytes;
    }
    return 0;
}

/* Bytes at the start of the text that are ASCII, in eights. */
static size_t ascii_run(struct span text)
{
    size_t len = 0;
    uint64_t word;
    while (text.len - len >= sizeof word &&
           (memcpy(&word, text.ptr + len, sizeof word), !(word & 0x8080808080808080u)))
        len += sizeof word;
    return len;
}

bool utf8_valid(struct span text)
{
    while (text.len) {
        size_t step = ascii_run(text);
        if (!step)
            step = utf8_character(text);
        if (!step)
            return false;
        text.ptr += step;
        text.len -= step;
    }
    return true;
}
