/* The last gate: one log line and the metrics of every request. */
#ifndef API_RECORD_H
#define API_RECORD_H

#include "api/call.h"

void record(struct call *call, enum problem_code code); /* when the answer is handed over */
void record_stream(struct call *call, bool whole);      /* when a stream has ended or was cut */

#endif
