/* The road of a request: the gates in order, one screen. */
#ifndef API_PIPELINE_H
#define API_PIPELINE_H

#include "api/call.h"

/* Takes a call whose frame, body and address are set; leaves its response complete. Never fails. */
void pipeline_run(struct call *call);

/* Fills service->personal and checks that every handler of the contract exists; aborts when one does not. */
void pipeline_init(struct service *service);

#endif
