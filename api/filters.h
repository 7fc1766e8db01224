/* Filters that name a record (x-refers): one that names nothing is refused, for an empty list or a zero would be taken for a
 * fact. Looked up beside the answer's statement, in the same round trip; an answer from memory (304) was looked up before. */
#ifndef API_FILTERS_H
#define API_FILTERS_H

#include "api/call.h"

struct rows;

#define FILTERS_MAX 6 /* kinds of records that one operation's filters name */

/* The statements that look the call's filters up, with their parameters bound; their number. */
size_t filters_statements(struct call *call, const struct statement *ret_statements[FILTERS_MAX]);

/* Adds a fault for each filter that the rows of that statement say names nothing. */
void filters_faults(struct call *call, const struct statement *statement, const struct rows *rows);

#endif
