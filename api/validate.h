/* Values against the contract's schemas. Reports every fault with its JSON pointer. */
#ifndef API_VALIDATE_H
#define API_VALIDATE_H

#include "api/base/problem.h"
#include "openapi/contract.h"
#include <jansson.h>

void validate_init(void); /* compiles contract_patterns (PCRE2); aborts when one does not compile */

/* A body. Adds faults; none added means valid. An unknown field whose name is known elsewhere in
 * the same body schema is reported as misplaced_field with the pointer where it belongs. With
 * merge_patch (RFC 7396) `required` is not asked. Every string must be free of U+0000. */
void validate_json(const struct schema *schema, const json_t *value, bool merge_patch,
                   struct faults *faults);

/* A parameter's decoded text; for lists the text of one item. `name` goes into fault.parameter.
 * Integers, numbers and booleans are read strictly ("01", "+1", " 1" and "1.0" are no integers). */
void validate_text(const struct schema *schema, struct span name, struct span text,
                   struct faults *faults);

/* For tests: does the value satisfy the schema? */
bool validate_holds(const struct schema *schema, const json_t *value);

#endif
