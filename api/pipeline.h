/* The road of a request: the gates in order, one screen. */
#ifndef API_PIPELINE_H
#define API_PIPELINE_H

#include "api/call.h"

/* Takes a call whose frame, body and address are set; leaves its response complete. Never fails. */
void pipeline_run(struct call *call);

/* The same for a request that never came to the gates, because the HTTP library refused it: the answer is that problem, and the
 * connection ends with it. Of the frame no more than the headers need be known. */
void pipeline_refuse(struct call *call, enum problem_code code);

/* Fills service->personal and checks that every handler of the contract exists; aborts when one does not. */
void pipeline_init(struct service *service);

#endif
