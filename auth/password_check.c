/* Which passwords are refused. Rule: only what guessers try first is refused, whatever characters it has: there are no
 * rules of composition. */
#include <ctype.h>
#include <stdlib.h>

#include "api/base/utf8.h"
#include "auth/password.h"
#include "auth/password_words.h"

#define LOOKED_AT_BYTES (4 * PASSWORD_MAX)

static size_t characters(struct span text)
{
    size_t count = 0;
    while (text.len) {
        size_t bytes = utf8_character(text);
        if (!bytes)
            bytes = 1; /* refused elsewhere */
        text = (struct span){text.ptr + bytes, text.len - bytes};
        count++;
    }
    return count;
}

static size_t lower(struct span text, char ret_lower[LOOKED_AT_BYTES + 1])
{
    size_t len = text.len < LOOKED_AT_BYTES ? text.len : LOOKED_AT_BYTES;
    for (size_t i = 0; i < len; i++)
        ret_lower[i] = (char)tolower((unsigned char)text.ptr[i]);
    ret_lower[len] = '\0';
    return len;
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

/* Is it the account's own name, with nothing but digits and signs beside it? */
static bool like(struct span password_core, struct span password, struct span account)
{
    char text[LOOKED_AT_BYTES + 1];
    size_t len = lower(account, text);
    struct span account_core = core(text, len);
    return span_equal(password, (struct span){text, len}) ||
           (account_core.len > 3 && span_equal(password_core, account_core));
}

static bool like_account(struct span password_core, struct span password, struct span username,
                         struct span name)
{
    const char *at = username.len ? memchr(username.ptr, '@', username.len) : NULL;
    struct span local = at ? (struct span){username.ptr, (size_t)(at - username.ptr)} : username;
    if (like(password_core, password, username) || like(password_core, password, local))
        return true;
    char joined[LOOKED_AT_BYTES + 1]; /* "Siti Aminah" as sitiaminah */
    size_t len = 0;
    for (size_t i = 0; i < name.len && len < LOOKED_AT_BYTES; i++)
        if (name.ptr[i] != ' ')
            joined[len++] = name.ptr[i];
    return len && (like(password_core, password, name) ||
                   like(password_core, password, (struct span){joined, len}));
}

/* ---- words -------------------------------------------------------------------------------- */

static bool listed(struct span word, const uint64_t *hashes, size_t count)
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
    return listed(text, password_words, password_words_count);
}

static bool two_local_words(struct span text)
{
    for (size_t first = 3; first + 3 <= text.len; first++)
        if (listed((struct span){text.ptr, first}, password_local_words,
                   password_local_words_count) &&
            listed((struct span){text.ptr + first, text.len - first}, password_local_words,
                   password_local_words_count))
            return true;
    return false;
}

/* Letters that are written as digits and signs. */
static struct span letters_back(struct span text, char ret_text[LOOKED_AT_BYTES + 1])
{
    static const char written[] = "013457@$!", meant[] = "oieastasi";
    for (size_t i = 0; i < text.len; i++) {
        const char *at = text.ptr[i] ? strchr(written, text.ptr[i]) : NULL;
        ret_text[i] = at ? meant[at - written] : text.ptr[i];
    }
    return (struct span){ret_text, text.len};
}

static bool common(struct span whole, struct span middle)
{
    char text[LOOKED_AT_BYTES + 1];
    size_t unit = period(middle.ptr, middle.len);
    struct span once = {middle.ptr, unit};
    return a_word(whole) || a_word(middle) || a_word(once) || two_local_words(middle) ||
           a_word(letters_back(middle, text));
}

enum fault_code password_check(struct span password, struct span username, struct span name,
                               const char **ret_argument)
{
    char text[LOOKED_AT_BYTES + 1];
    size_t count = characters(password), len = lower(password, text);
    if (count < PASSWORD_MIN) {
        *ret_argument = "12";
        return FAULT_min_length;
    }
    if (count > PASSWORD_MAX) {
        *ret_argument = "128";
        return FAULT_max_length;
    }
    struct span whole = {text, len}, middle = core(text, len);
    if (like_account(middle, whole, username, name))
        return FAULT_like_account;
    size_t unit = period(text, len);
    if (unit <= 4 || sequence(text, unit) || common(whole, middle))
        return FAULT_common_password;
    return FAULT_COUNT;
}
