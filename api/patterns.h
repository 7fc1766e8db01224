/* The contract's regular expressions, compiled once (PCRE2). */
#ifndef API_PATTERNS_H
#define API_PATTERNS_H

#include "api/base/span.h"
#include "openapi/contract.h"

void patterns_init(
    void); /* compiles contract_patterns; aborts, naming it, when one does not compile */
/* Is there a match anywhere in the text (valid UTF-8)? Any thread; no match when it costs too much.
 */
bool patterns_match(uint16_t index, struct span text);

#endif
