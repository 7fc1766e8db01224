/* Unicode of passwords. Rule: whatever sets, checks or compares a password does so in this form, and in no other. */
#include "auth/password_text.h"

#include <sodium.h>
#include <stdlib.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

#include "api/base/utf8.h"

/* Blanks made one, and no control character: FAULT_COUNT, and *ret_len bytes in `bytes`. */
static enum fault_code blanks_map(struct span typed, uint8_t bytes[PASSWORD_TYPED_BYTES],
                                  size_t *ret_len)
{
    size_t len = 0;
    for (size_t at = 0; at < typed.len;) {
        ucs4_t character;
        int size = u8_mbtouc(&character, (const uint8_t *)typed.ptr + at, typed.len - at);
        if (uc_is_general_category(character, UC_CONTROL))
            return FAULT_control_character;
        if (uc_is_general_category(character, UC_SPACE_SEPARATOR))
            character = ' ';
        len += (size_t)u8_uctomb(bytes + len, character, (ptrdiff_t)(PASSWORD_TYPED_BYTES - len));
        at += (size_t)size;
    }
    *ret_len = len;
    return FAULT_COUNT;
}

enum fault_code password_text(struct span typed, struct password_text *ret_text)
{
    uint8_t mapped[PASSWORD_TYPED_BYTES];
    size_t mapped_len = 0, len = sizeof ret_text->bytes;
    ret_text->len = 0;
    if (typed.len > sizeof mapped)
        return FAULT_max_length;
    if (!utf8_valid(typed))
        return FAULT_bad_utf8;
    enum fault_code fault = blanks_map(typed, mapped, &mapped_len);
    if (fault == FAULT_COUNT && mapped_len) {
        uint8_t *normal = u8_normalize(UNINORM_NFC, mapped, mapped_len, (uint8_t *)ret_text->bytes,
                                       &len);
        if (normal != (uint8_t *)ret_text->bytes)
            abort(); /* memory is exhausted: the room always suffices */
        ret_text->len = len;
    }
    sodium_memzero(mapped, sizeof mapped);
    return fault;
}

void password_text_wipe(struct password_text *text)
{
    sodium_memzero(text, sizeof *text);
}

void password_text_fold(struct span typed, struct password_text *ret_text)
{
    struct password_text plain;
    size_t len = sizeof ret_text->bytes;
    ret_text->len = 0;
    if (password_text(typed, &plain) == FAULT_COUNT && plain.len) {
        uint8_t *folded = u8_casefold((const uint8_t *)plain.bytes, plain.len, NULL, UNINORM_NFC,
                                      (uint8_t *)ret_text->bytes, &len);
        if (folded == (uint8_t *)ret_text->bytes)
            ret_text->len = len;
        else
            free(folded); /* longer than any text we look at: like none */
    }
    password_text_wipe(&plain);
}
