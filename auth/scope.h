/* Scopes as bits, by their place in contract_scopes (of openapi/), and as the text of RFC 6749 3.3.
 * */
#ifndef AUTH_SCOPE_H
#define AUTH_SCOPE_H

#include "api/base/arena.h"
#include <stdint.h>

uint32_t scope_bit(struct span name); /* 0 when the contract knows none of that name */

/* account:read and account:write: what a person may do with the own account and the data held about it. No role grants them and
 * no client is refused them: every user holds them through every app, as far as the user agreed to them there. */
uint32_t scope_account(void);

/* Reads space separated names (one space between two; a repeated name counts once). False when the
 * text breaks the grammar, or holds a name that is unknown and `unknown_refused`. */
bool scope_parse(struct span text, bool unknown_refused, uint32_t *ret_scopes);
struct span scope_text(struct arena *arena,
                       uint32_t scopes); /* in the contract's order; "" for none */

#endif
