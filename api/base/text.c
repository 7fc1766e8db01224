/* Text that people type. Never to be broken: what text_clean gives, text_clean leaves as it is, so that a text read back
 * and sent again, or looked up, is the text that is stored. */
#include "api/base/text.h"

#include "api/base/utf8.h"
#include <stdio.h>
#include <stdlib.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

/* ---- characters ------------------------------------------------------------------------------ */

static ucs4_t next_point(struct span *rest)
{
    ucs4_t point;
    int bytes = u8_mbtouc(&point, (const uint8_t *)rest->ptr, rest->len);
    rest->ptr += bytes;
    rest->len -= (size_t)bytes;
    return point;
}

static bool is_control(ucs4_t point)
{
    return point < 0x20 || (point >= 0x7F && point < 0xA0);
}

static bool is_blank(ucs4_t point)
{
    return point == ' ' || (point >= 0xA0 && uc_is_property_white_space(point));
}

/* U+200E, U+200F and U+061C only say how their neighbours are read; the others turn round what stands beside them. */
static bool turns_text(ucs4_t point)
{
    return (point >= 0x202A && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069);
}

/* What no reader sees: marks of direction and of joining, fillers, and two characters whose picture is empty. */
static bool is_invisible(ucs4_t point)
{
    return uc_is_property_default_ignorable_code_point(point) ||
           uc_is_general_category_withtable(point, UC_CATEGORY_MASK_Cf) ||
           point == 0x2800 || /* the empty Braille pattern */
           point == 0xFFFC;   /* stands for an object that was lost */
}

/* Private use, no character at all (U+FFFE), or, in names, one that is not assigned. */
static bool is_unknown(ucs4_t point, enum text_kind kind)
{
    bool none = (point & 0xFFFE) == 0xFFFE || (point >= 0xFDD0 && point <= 0xFDEF);
    uint32_t mask = UC_CATEGORY_MASK_Co | (kind == TEXT_FREE ? 0 : UC_CATEGORY_MASK_Cn);
    return none || uc_is_general_category_withtable(point, mask);
}

/* ---- the form -------------------------------------------------------------------------------- */

static bool is_plain(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] >= 0x80)
            return false;
    return true;
}

static struct span normalize(struct arena *arena, enum text_kind kind, struct span text)
{
    if (is_plain(text))
        return text;
    size_t len = 0;
    uint8_t *normal = u8_normalize(kind == TEXT_CODE ? UNINORM_NFKC : UNINORM_NFC,
                                   (const uint8_t *)text.ptr, text.len, NULL, &len);
    if (!normal)
        abort(); /* memory is exhausted */
    struct span copy = arena_copy(arena, (struct span){(const char *)normal, len});
    free(normal);
    return copy;
}

/* A blank at an end, tabs and line ends among them. */
static bool is_end_blank(ucs4_t point)
{
    return is_blank(point) || (point >= 0x09 && point <= 0x0D) || point == 0x85;
}

static struct span trim(struct span text)
{
    struct span rest = text, kept = {text.ptr, 0};
    bool begun = false;
    while (rest.len) {
        const char *at = rest.ptr;
        if (is_end_blank(next_point(&rest)))
            continue;
        if (!begun)
            kept.ptr = at;
        begun = true;
        kept.len = (size_t)(rest.ptr - kept.ptr);
    }
    return kept;
}

/* Each run of blanks as one space: never longer than the text. */
static struct span join_blanks(struct arena *arena, struct span text)
{
    char *joined = arena_alloc(arena, text.len + 1);
    size_t len = 0;
    bool blank = false;
    for (struct span rest = text; rest.len;) {
        const char *at = rest.ptr;
        bool now = is_blank(next_point(&rest));
        if (now && !blank)
            joined[len++] = ' ';
        if (!now) {
            memcpy(joined + len, at, (size_t)(rest.ptr - at));
            len += (size_t)(rest.ptr - at);
        }
        blank = now;
    }
    return (struct span){joined, len};
}

struct span text_clean(struct arena *arena, enum text_kind kind, struct span text)
{
    if (kind <= TEXT_OPAQUE || !text.len || !utf8_valid(text))
        return text;
    text = trim(normalize(arena, kind, text));
    return kind == TEXT_FREE || !text.len ? text : join_blanks(arena, text);
}

/* ---- faults ---------------------------------------------------------------------------------- */

static enum fault_code point_fault(enum text_kind kind, ucs4_t point)
{
    bool line = point == '\t' || point == '\n' || point == '\r';
    if (point && is_control(point) && !(line && kind == TEXT_FREE))
        return FAULT_control_character; /* U+0000 has a fault of its own */
    if (kind == TEXT_OPAQUE || point < 0x80)
        return FAULT_COUNT;
    if (kind == TEXT_FREE ? turns_text(point) : is_invisible(point))
        return FAULT_invisible_character;
    return is_unknown(point, kind) ? FAULT_unknown_character : FAULT_COUNT;
}

/* What the characters read so far have shown. */
struct shown {
    bool something; /* of a text: a character that a reader sees */
    bool base;      /* the last one can carry a combining mark */
    bool letter;    /* or a digit */
};

static void see(struct shown *shown, ucs4_t point, bool mark)
{
    shown->base = !is_end_blank(point) && !is_invisible(point) && (!mark || shown->base);
    shown->something = shown->something || shown->base;
    shown->letter = shown->letter || uc_is_general_category_withtable(
                                         point, UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_N);
}

enum fault_code text_fault(enum text_kind kind, struct span text, char ret_point[TEXT_POINT_MAX])
{
    struct shown shown = {false, false, false};
    ret_point[0] = '\0';
    for (struct span rest = text; rest.len && kind != TEXT_ANY;) {
        ucs4_t point = next_point(&rest);
        bool mark = point >= 0x300 && uc_is_general_category_withtable(point, UC_CATEGORY_MASK_M);
        enum fault_code fault = point_fault(kind, point);
        if (fault == FAULT_COUNT && mark && !shown.base && kind != TEXT_OPAQUE && kind != TEXT_FREE)
            fault = FAULT_bare_mark;
        see(&shown, point, mark);
        if (fault == FAULT_COUNT && kind == TEXT_FREE && !rest.len && !shown.something)
            fault = FAULT_invisible_character;
        if (fault != FAULT_COUNT) {
            snprintf(ret_point, TEXT_POINT_MAX, "U+%04X", (unsigned)point);
            return fault;
        }
    }
    return kind == TEXT_NAME && text.len && !shown.letter ? FAULT_no_letter : FAULT_COUNT;
}

size_t text_unseen(struct span text)
{
    struct span rest = text;
    ucs4_t point = next_point(&rest);
    bool unseen = is_control(point) || is_blank(point) || (point >= 0x80 && is_invisible(point));
    return unseen ? text.len - rest.len : 0;
}

bool text_is_absent(enum text_kind kind, struct span text)
{
    return kind > TEXT_OPAQUE && (span_is(text, "-") || span_is(text, "0"));
}
