/* Which passwords are refused. Rule: only what guessers try first is refused, whatever characters it has: there are no
 * rules of composition. */
#include <ctype.h>
#include <stdlib.h>

#include "auth/password.h"
#include "auth/password_pieces.h"
#include "auth/password_words.h"

static size_t characters(struct span text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    return count;
}

/* A step as fingers make it: the same key, the next or the one before in the alphabet, the digits or a row of keys. */
static bool step(char from, char to)
{
    static const char *const rows[] = {"abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop",
                                       "asdfghjkl", "zxcvbnm"};
    if (from == to)
        return true;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (const char *at = rows[i]; at[1]; at++)
            if ((at[0] == from && at[1] == to) || (at[0] == to && at[1] == from))
                return true;
    return false;
}

/* Nine steps in ten: 123456789012, qwertyuiop[] and the like. */
static bool sequence(const char *text, size_t len)
{
    size_t steps = 0;
    for (size_t i = 1; i < len; i++)
        steps += step(text[i - 1], text[i]);
    return len > 1 && 10 * steps >= 9 * (len - 1);
}

/* The length of the shortest beginning that, repeated, makes the whole. */
static size_t period(const char *text, size_t len)
{
    for (size_t unit = 1; unit <= len / 2; unit++) {
        size_t at = unit;
        while (at < len && text[at] == text[at - unit])
            at++;
        if (at == len)
            return unit;
    }
    return len;
}

/* Of what remains when digits and signs at both ends are put aside. */
static struct span core(const char *text, size_t len)
{
    while (len && !isalpha((unsigned char)text[len - 1]) && (unsigned char)text[len - 1] < 0x80)
        len--;
    while (len && !isalpha((unsigned char)*text) && (unsigned char)*text < 0x80) {
        text++;
        len--;
    }
    return (struct span){text, len};
}

/* ---- words -------------------------------------------------------------------------------- */

bool password_word_listed(struct span word, const uint64_t *hashes, size_t count)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < word.len; i++)
        hash = (hash ^ (unsigned char)word.ptr[i]) * UINT64_C(1099511628211);
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (hashes[middle] == hash)
            return true;
        if (hashes[middle] < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

static bool a_word(struct span text)
{
    return password_word_listed(text, password_words, password_words_count);
}

/* Letters that are written as digits and signs. */
static void letters_back(struct span text, struct password_text *ret_text)
{
    static const char written[] = "013457@$!", meant[] = "oieastasi";
    for (size_t i = 0; i < text.len; i++) {
        const char *at = text.ptr[i] ? strchr(written, text.ptr[i]) : NULL;
        ret_text->bytes[i] = at ? meant[at - written] : text.ptr[i];
    }
    ret_text->len = text.len;
}

static struct span span_text(const struct password_text *text)
{
    return (struct span){text->bytes, text->len};
}

/* What it is put together of, as it stands and with letters for the digits in it: from its start, and from its first letter. */
static enum fault_code pieces(struct span whole, struct span middle,
                              const struct password_names *names)
{
    struct password_text letters;
    struct span to_last_letter = {whole.ptr, (size_t)(middle.ptr - whole.ptr) + middle.len};
    enum fault_code fault = password_pieces(whole, names);
    letters_back(to_last_letter, &letters);
    if (fault == FAULT_COUNT)
        fault = password_pieces(span_text(&letters), names);
    letters_back(middle, &letters);
    if (fault == FAULT_COUNT)
        fault = password_pieces(span_text(&letters), names);
    if (fault == FAULT_COUNT && a_word(span_text(&letters)))
        fault = FAULT_common_password;
    password_text_wipe(&letters);
    return fault;
}

static enum fault_code guessable(struct span whole, const struct password_names *names)
{
    struct span middle = core(whole.ptr, whole.len);
    struct span once = {middle.ptr, period(middle.ptr, middle.len)};
    size_t unit = period(whole.ptr, whole.len);
    enum fault_code fault = pieces(whole, middle, names);
    if (fault == FAULT_COUNT &&
        (unit <= 4 || sequence(whole.ptr, unit) || a_word(whole) || a_word(middle) || a_word(once)))
        fault = FAULT_common_password;
    return fault;
}

enum fault_code password_check(struct span password, struct span username, struct span name,
                               const char **ret_argument)
{
    struct password_text text;
    enum fault_code fault = password_text(password, &text);
    size_t count = characters(span_text(&text));
    if (fault == FAULT_COUNT && count < PASSWORD_MIN)
        fault = FAULT_min_length;
    if (fault == FAULT_COUNT && count > PASSWORD_MAX)
        fault = FAULT_max_length;
    *ret_argument = fault == FAULT_min_length ? "12" : fault == FAULT_max_length ? "128" : "";
    if (fault == FAULT_COUNT) {
        struct password_names names;
        password_names_read(username, name, &names);
        password_text_fold(password, &text);
        fault = guessable(span_text(&text), &names);
    }
    password_text_wipe(&text);
    return fault;
}
