/* Inside of validation: one run over one value. Only validate*.c and check*.c include this. */
#ifndef API_CHECK_H
#define API_CHECK_H

#include "api/base/problem.h"
#include "api/json_place.h"
#include "openapi/contract.h"
#include <jansson.h>

struct check {
    const struct schema *root; /* where misplaced fields are looked for */
    struct faults *faults;     /* NULL: only whether it holds; stops at the first fault */
    struct span parameter;     /* the parameter that is checked, instead of a pointer */
    bool failed;
};

/* Checks the value at `place`; partial: a merge patch, so `required` is not asked. */
void check_value(struct check *check, const struct schema *schema, const json_t *value,
                 const struct json_place *place, bool partial);
/* Records a fault; the argument fills the {} of its text. */
void check_fail(struct check *check, const struct json_place *place, enum fault_code code,
                struct span argument);
/* An unknown field at `place`: unknown_field, or misplaced_field when it has exactly one other
 * home. */
void check_unknown_field(struct check *check, const struct json_place *place);
void check_scalar(struct check *check, const struct schema *schema, const json_t *value,
                  const struct json_place *place);
/* Does the value have one of the schema's types? Sets *ret_too_big for a whole number beyond int64.
 */
bool check_type(const struct schema *schema, const json_t *value, bool *ret_too_big);
bool check_enumeration(const struct schema *schema, const json_t *value);
/* Equal as JSON Schema means it: 1 and 1.0 are, the order of fields does not count. */
bool json_same(const json_t *a, const json_t *b);

#endif
