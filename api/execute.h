/* Lend, query, render, commit: the gates of an operation that is made of statements. */
#ifndef API_EXECUTE_H
#define API_EXECUTE_H

#include "api/call.h"

enum problem_code execute_read(struct call *call);  /* GET */
enum problem_code execute_write(struct call *call); /* everything else, and audited reads */

/* A GET whose bytes are known and outlive the call: with ETag, 304 and gzip. */
enum problem_code execute_constant(struct call *call, const char *content_type, struct span body);

#endif
