/* UTF-8 as RFC 3629 has it: no over-long forms, no surrogates, nothing above U+10FFFF. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "api/base/span.h"

/* Bytes (1 to 4) of the character at the start of the text, 0 when it is not valid or there is
 * none. */
size_t utf8_character(struct span text);
bool utf8_valid(struct span text);

#endif
