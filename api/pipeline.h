/* The road of a request: the gates in order, one screen. */
#ifndef API_PIPELINE_H
#define API_PIPELINE_H

#include "api/call.h"

/* Two halves. pipeline_head() takes a call whose frame and address are set, before its body is read; what refuses it then stands in
 * call->refused. pipeline_run() takes the same call with its body and leaves its response complete. Neither fails. */
void pipeline_head(struct call *call);
void pipeline_run(struct call *call);

/* Between the halves: so many bytes of a body have arrived. False: what refuses them stands in call->refused. */
bool pipeline_admits(struct call *call, size_t bytes);

/* Is the body of a refused call worth reading, so that the connection goes on? Not one that is large or whose size is not told, that
 * waits to be asked for (Expect, RFC 9110 10.1.1), or after which nothing follows. */
bool pipeline_awaits(const struct call *call);

/* Instead of the second half, and of the first where the HTTP library refuses a request: the answer is that problem, and the connection
 * ends with it. Of the frame no more than the headers need be known. */
void pipeline_refuse(struct call *call, enum problem_code code);

/* Fills service->personal and checks that every handler of the contract exists; aborts when one does not. */
void pipeline_init(struct service *service);

#endif
