/* Text in CSV. Never to be broken: no piece of a client's text begins a cell so that a spreadsheet runs it. */
#include "api/csv_text.h"

#include "api/base/text.h"
#include "api/base/uuid.h"
#include <stdint.h>
#include <strings.h>

#define NOWHERE SIZE_MAX

/* = + - @ full-width (U+FF1D, FF0B, FF0D, FF20), small (U+FE66, FE62, FE63, FE6B), and the minus sign (U+2212). */
static const char *const wide_starts[] = {"\xEF\xBC\x9D", "\xEF\xBC\x8B", "\xEF\xBC\x8D",
                                          "\xEF\xBC\xA0", "\xEF\xB9\xA6", "\xEF\xB9\xA2",
                                          "\xEF\xB9\xA3", "\xEF\xB9\xAB", "\xE2\x88\x92"};

/* Bytes of the character that makes a formula of what it begins, or 0. */
static size_t formula_start(struct span text)
{
    switch (text.ptr[0]) {
    case '=':
    case '+':
    case '-':
    case '@':
        return 1;
    default:
        break;
    }
    for (size_t i = 0; i < sizeof wide_starts / sizeof *wide_starts; i++)
        if (span_starts(text, wide_starts[i]))
            return 3;
    return 0;
}

static bool is_line_end(char c)
{
    return c == '\r' || c == '\n';
}

/* A cell may end here, whatever the separator is thought to be. */
static bool ends_piece(char c)
{
    return c == ',' || c == ';' || c == '\t' || is_line_end(c);
}

/* Bytes of a character that readers drop or pass over before a formula, or 0. */
static size_t passed_over(struct span text)
{
    return text.ptr[0] == '"' || text.ptr[0] == '\'' ? 1 : text_unseen(text);
}

/* Where the formula begins that a cell of this piece would be, or NOWHERE. */
static size_t formula_at(struct span piece)
{
    size_t at = 0;
    while (at < piece.len && !ends_piece(piece.ptr[at])) {
        struct span rest = {piece.ptr + at, piece.len - at};
        if (formula_start(rest))
            return at;
        size_t over = passed_over(rest);
        if (!over)
            return NOWHERE;
        at += over;
    }
    return NOWHERE;
}

/* Does the text begin with a tab or a line end (which some readers drop), apostrophes aside? */
static bool begins_with_gap(struct span text)
{
    size_t at = 0;
    while (at < text.len && text.ptr[at] == '\'')
        at++;
    return at < text.len && (text.ptr[at] == '\t' || is_line_end(text.ptr[at]));
}

/* ---- what spreadsheets take for a number or a date ------------------------------------------- */

/* The beginnings of the names of months and days in Indonesian and English. */
static bool names_a_day(const char *word)
{
    static const char names[] = "jan feb mar apr mei may jun jul agu aug sep okt oct nov des dec "
                                "min sen sel rab kam jum sab sun mon tue wed thu fri sat ";
    for (const char *name = names; *name; name += 4)
        if (strncasecmp(word, name, 3) == 0)
            return true;
    return false;
}

/* Bytes of the letters that the text begins with, their number in *ret_letters. */
static size_t word_len(struct span text, size_t *ret_letters)
{
    size_t len = 0;
    *ret_letters = 0;
    for (; len < text.len; len++) {
        unsigned char c = (unsigned char)text.ptr[len];
        if (c < 0x80 ? !((c | 0x20) >= 'a' && (c | 0x20) <= 'z')
                     : text_unseen((struct span){text.ptr + len, text.len - len}) > 0)
            break;
        *ret_letters += (c & 0xC0) != 0x80;
    }
    return len;
}

/* Text with a digit and without a word that is no unit, exponent, month or day: 19.01.06, 0812 3456, 1e5, 3 Mei. */
static bool is_numeric(struct span text)
{
    bool digit = false;
    while (text.len) {
        size_t letters, taken = word_len(text, &letters);
        if (letters > 2 && !names_a_day(text.ptr))
            return false;
        if (!taken) {
            digit = digit || (text.ptr[0] >= '0' && text.ptr[0] <= '9');
            taken = (unsigned char)text.ptr[0] < 0x80 ? 1 : text_unseen(text);
        }
        text = (struct span){text.ptr + taken, text.len - taken};
    }
    return digit;
}

/* ---- writing --------------------------------------------------------------------------------- */

static bool needs_quotes(const struct csv_form *form, struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '"' || c == form->separator || is_line_end(c) || (form->people && ends_piece(c)))
            return true;
    }
    return text.len == 0;
}

static void bytes_add(struct buffer *buffer, struct span bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        if (bytes.ptr[i] == '"')
            buffer_char(buffer, '"');
        buffer_char(buffer, bytes.ptr[i]);
    }
}

/* The piece that the text begins with, and its end. */
static struct span piece_take(struct span *rest)
{
    size_t len = 0;
    while (len < rest->len && !ends_piece(rest->ptr[len]))
        len++;
    len += len < rest->len;
    struct span piece = {rest->ptr, len};
    *rest = (struct span){rest->ptr + len, rest->len - len};
    return piece;
}

void csv_text_add(struct buffer *buffer, const struct csv_form *form, struct span text, bool plain)
{
    bool guard = begins_with_gap(text) || formula_at(text) != NOWHERE;
    bool tab = form->people && !plain && !guard && is_numeric(text) && !uuid_valid(text);
    bool quote = tab || needs_quotes(form, text);
    buffer_reserve(buffer, 3 * text.len + 4);
    if (quote)
        buffer_char(buffer, '"');
    if (tab)
        buffer_char(buffer, '\t');
    for (struct span rest = text; rest.len;) {
        if (rest.ptr == text.ptr ? guard : formula_at(rest) != NOWHERE)
            buffer_char(buffer, '\'');
        bytes_add(buffer, piece_take(&rest));
    }
    if (quote)
        buffer_char(buffer, '"');
}

/* Is the place behind these bytes inside of a string of JSON? */
static bool inside_string(struct span json, bool inside)
{
    for (size_t i = 0; i < json.len; i++) {
        if (json.ptr[i] == '\\')
            i++;
        else
            inside ^= json.ptr[i] == '"';
    }
    return inside;
}

static void escape_add(struct buffer *buffer, struct span character)
{
    const unsigned char *bytes = (const unsigned char *)character.ptr;
    unsigned point = character.len == 1
                         ? bytes[0]
                         : (bytes[0] & 0x0FU) << 12 | (bytes[1] & 0x3FU) << 6 | (bytes[2] & 0x3FU);
    buffer_printf(buffer, "\\u%04x", point);
}

void csv_json_add(struct buffer *buffer, const struct csv_form *form, struct span json)
{
    bool quote = needs_quotes(form, json), inside = false;
    if (quote)
        buffer_char(buffer, '"');
    for (struct span rest = json; rest.len;) {
        size_t at = formula_at(rest);
        struct span piece = piece_take(&rest);
        struct span before = {piece.ptr, at == NOWHERE ? 0 : at};
        inside = inside_string(before, inside);
        bytes_add(buffer, before);
        struct span after = {piece.ptr + before.len, piece.len - before.len};
        if (at != NOWHERE && inside) {
            size_t len = formula_start(after);
            escape_add(buffer, (struct span){after.ptr, len});
            after = (struct span){after.ptr + len, after.len - len};
        }
        inside = inside_string(after, inside);
        bytes_add(buffer, after);
    }
    if (quote)
        buffer_char(buffer, '"');
}
