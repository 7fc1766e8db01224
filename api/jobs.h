/* Work that nobody asks for by a request: one thread runs named jobs, each at its interval. A job is a line in jobs.c. */
#ifndef API_JOBS_H
#define API_JOBS_H

#include "api/call.h"

struct jobs;
struct jobs *jobs_new(struct service *service); /* starts the thread */
/* No job begins any more, and what one runs in the database is asked to stop. Waits for the thread. */
void jobs_free(struct jobs *jobs);
void jobs_metrics(struct jobs *jobs, struct buffer *buffer);

#endif
