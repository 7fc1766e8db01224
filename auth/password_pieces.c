/* What a password is put together of. Rule: only a password that is nothing else is refused for it. */
#include "auth/password_pieces.h"

#include <ctype.h>
#include <string.h>

#include "auth/password.h"
#include "auth/password_words.h"

#define WORDS_MAX 3
#define PIECE_BYTES_MAX 64
#define PART_MIN 3 /* of a name: shorter parts are in every other word */

static bool letter(char c)
{
    return isalpha((unsigned char)c) || (unsigned char)c >= 0x80;
}

static void parts_take(struct span text, struct password_names *names)
{
    for (size_t at = 0; at < text.len;) {
        size_t start = at;
        while (at < text.len && letter(text.ptr[at]))
            at++;
        if (at - start >= PART_MIN && names->count < PASSWORD_NAMES_MAX)
            names->parts[names->count++] = (struct span){text.ptr + start, at - start};
        at += at == start;
    }
}

void password_names_read(struct span username, struct span name, struct password_names *ret_names)
{
    struct span typed[2] = {username, name};
    ret_names->count = 0;
    for (size_t i = 0; i < 2; i++) {
        password_text_fold(typed[i], &ret_names->texts[i]);
        parts_take((struct span){ret_names->texts[i].bytes, ret_names->texts[i].len}, ret_names);
    }
}

enum piece { PIECE_NONE, PIECE_HUNG_ON, PIECE_WORD, PIECE_NAME };

static enum piece piece_of(struct span text, const struct password_names *names)
{
    static const char *const hung_on[] = {"ku", "mu",  "nya",  "lah",  "kah",  "pun",
                                          "di", "dan", "aku",  "kamu", "ini",  "itu",
                                          "id", "go",  "saya", "com",  "kita", "kami"};
    for (size_t i = 0; i < names->count; i++)
        if (span_equal(text, names->parts[i]))
            return PIECE_NAME;
    if (password_word_listed(text, password_local_words, password_local_words_count))
        return PIECE_WORD;
    for (size_t i = 0; i < sizeof hung_on / sizeof *hung_on; i++)
        if (span_is(text, hung_on[i]))
            return PIECE_HUNG_ON;
    return PIECE_NONE;
}

/* The fewest words up to each place, and whether a name is among them; more than WORDS_MAX where there is no way. */
struct way {
    uint8_t words;
    bool named;
};

static struct way way_on(struct way from, enum piece piece)
{
    return (struct way){(uint8_t)(from.words + (piece == PIECE_WORD)),
                        from.named || piece == PIECE_NAME};
}

static enum fault_code ways_walk(struct span letters, const struct password_names *names,
                                 struct way *ways)
{
    for (size_t i = 0; i <= letters.len; i++)
        ways[i] = (struct way){i ? WORDS_MAX + 1 : 0, false};
    for (size_t start = 0; start < letters.len; start++)
        for (size_t len = 2;
             ways[start].words <= WORDS_MAX && len <= PIECE_BYTES_MAX && start + len <= letters.len;
             len++) {
            enum piece piece = piece_of((struct span){letters.ptr + start, len}, names);
            struct way next = way_on(ways[start], piece), *there = &ways[start + len];
            if (piece != PIECE_NONE &&
                (next.words < there->words || (next.words == there->words && next.named)))
                *there = next;
        }
    struct way end = ways[letters.len];
    return end.words > WORDS_MAX ? FAULT_COUNT
           : end.named           ? FAULT_like_account
           : end.words           ? FAULT_common_password
                                 : FAULT_COUNT;
}

enum fault_code password_pieces(struct span password, const struct password_names *names)
{
    struct password_text letters = {.len = 0};
    struct way ways[4 * PASSWORD_MAX + 1];
    for (size_t i = 0; i < password.len && letters.len < 4 * PASSWORD_MAX; i++)
        if (letter(password.ptr[i]))
            letters.bytes[letters.len++] = password.ptr[i];
    enum fault_code fault = ways_walk((struct span){letters.bytes, letters.len}, names, ways);
    password_text_wipe(&letters);
    return fault;
}
