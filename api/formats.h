/* The formats of the contract: is this text a ...? */
#ifndef API_FORMATS_H
#define API_FORMATS_H

#include "api/base/problem.h"
#include "openapi/contract.h"

/* FAULT_COUNT when the text has that format, else the fault: FAULT_format, or FAULT_undotted_code.
 */
enum fault_code format_check(enum schema_format format, struct span text);
/* What stands in a fault of FAULT_format: the name of the format, as the contract writes it; "" of FORMAT_NONE. */
struct span format_name(enum schema_format format);
/* What that name means, as it follows "must be" in that language, with an example where one helps. */
struct span format_words(struct span name, enum language language);

#endif
