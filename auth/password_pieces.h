/* Passwords that are put together of what everybody here knows: the programme's own words, and the parts of one's own name. */
#ifndef AUTH_PASSWORD_PIECES_H
#define AUTH_PASSWORD_PIECES_H

#include <stddef.h>
#include <stdint.h>

#include "auth/password_text.h"

#define PASSWORD_NAMES_MAX 16

/* The words of a user name and a name, without case; the texts are kept here. */
struct password_names {
    struct password_text texts[2];
    struct span parts[PASSWORD_NAMES_MAX];
    size_t count;
};
void password_names_read(struct span username, struct span name, struct password_names *ret_names);

/* Of the letters of a password (without case), whatever digits, signs and blanks stand around and between them: are they
 * nothing but the own names and no more than three words of local.txt, with or without the small words that people hang on (-ku, -nya)?
 * FAULT_like_account when the own name is among them, else FAULT_common_password; FAULT_COUNT when there is anything else. */
enum fault_code password_pieces(struct span password, const struct password_names *names);

/* Is the word among these hashes (auth/password_words.h)? */
bool password_word_listed(struct span word, const uint64_t *hashes, size_t count);

#endif
