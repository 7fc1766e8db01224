/* The formats of the contract: is this text a ...? */
#ifndef API_FORMATS_H
#define API_FORMATS_H

#include "api/base/problem.h"
#include "openapi/contract.h"

/* FAULT_COUNT when the text has that format, else the fault: FAULT_format, or FAULT_undotted_code.
 */
enum fault_code format_check(enum schema_format format, struct span text);
/* What fills the text of FAULT_format: a name or an example, the same in every language. */
struct span format_example(enum schema_format format);

#endif
