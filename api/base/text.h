/* Text that people type, in the one form in which it is stored, compared and searched. The kinds are those of the
 * contract's `x-text`; db/functions/base_text.sql holds the same rule for every other writer. Unicode properties and
 * normal forms (UAX 15, UAX 44) are libunistring's. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "api/base/arena.h"
#include "api/base/problem.h"

enum text_kind {
    TEXT_ANY, /* no kind was said: a date, a choice, an id; nothing is changed, nothing refused */
    TEXT_OPAQUE, /* secrets and what machines made: as it was sent, without control characters */
    TEXT_CODE, /* identifiers of other systems, addresses of the net: a line, compatibility forms folded (NFKC) */
    TEXT_LINE, /* one line: a phone number, a street, an office */
    TEXT_NAME, /* what a person or a thing is called: a line with at least one letter or digit */
    TEXT_FREE  /* several lines: notes */
};

/* The text in its form: NFC (TEXT_CODE: NFKC), blanks (White_Space) at both ends cut; in all but TEXT_FREE each run of
 * blanks inside is one space, while tabs and line ends inside stay, to be refused. Takes valid UTF-8; the result is the
 * text itself or lies in the arena. */
struct span text_clean(struct arena *arena, enum text_kind kind, struct span text);

#define TEXT_POINT_MAX 12 /* bytes of "U+10FFFF" and its end */

/* What is wrong with a text in its form: FAULT_COUNT when nothing is, else control_character, invisible_character,
 * unknown_character, bare_mark or no_letter. ret_point is the character ("U+202E"), or "". Of TEXT_OPAQUE only control
 * characters are a fault, and an empty text has none. */
enum fault_code text_fault(enum text_kind kind, struct span text, char ret_point[TEXT_POINT_MAX]);

/* Bytes of the character at the start of the text when nothing is seen of it (a blank of any kind, a control character, a
 * mark of joining or direction), else 0. The text is not empty. */
size_t text_unseen(struct span text);

/* Does the text in its form say that there is nothing: "-" or "0", as forms on paper do? Never for TEXT_ANY and TEXT_OPAQUE. */
bool text_is_absent(enum text_kind kind, struct span text);

#endif
