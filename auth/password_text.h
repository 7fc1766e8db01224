/* Passwords as they are compared: one person types an é as one character, another as two, a phone puts a wide blank between words. The
 * OpaqueString profile of RFC 8265 (4.2): every blank of Unicode becomes U+0020, then NFC; case and everything else stays. Text of ASCII
 * stays as it is, to the byte. */
#ifndef AUTH_PASSWORD_TEXT_H
#define AUTH_PASSWORD_TEXT_H

#include "api/base/problem.h"
#include "api/base/span.h"

#define PASSWORD_TYPED_BYTES 2048 /* more is no password of anybody */
#define PASSWORD_TEXT_BYTES                                                                        \
    (3 * PASSWORD_TYPED_BYTES) /* NFC makes UTF-8 three times as long at most */

struct password_text {
    char bytes[PASSWORD_TEXT_BYTES];
    size_t len;
};

/* FAULT_COUNT when *ret_text holds it; else FAULT_bad_utf8, FAULT_control_character, or FAULT_max_length for more than is looked at. Whoever
 * had it made wipes it with password_text_wipe(). */
enum fault_code password_text(struct span typed, struct password_text *ret_text);
void password_text_wipe(struct password_text *text);

/* The same, without case (full case folding), for words that are compared with what a password is made of. Empty for what is not UTF-8. */
void password_text_fold(struct span typed, struct password_text *ret_text);

#endif
