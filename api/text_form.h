/* Request bodies in the one form of text that people type (api/base/text.h), before they are checked. */
#ifndef API_TEXT_FORM_H
#define API_TEXT_FORM_H

#include "api/base/arena.h"
#include "openapi/contract.h"
#include <jansson.h>

/* Puts each string that the schema knows into the form of its kind, in place; where null may stand instead of it, "-" and
 * "0" become null. What the schema does not know, or knows otherwise, stays as it is, to be refused by validation. */
void text_form(struct arena *arena, const struct schema *schema, json_t *body);

#endif
