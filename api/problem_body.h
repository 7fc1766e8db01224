/* Problems as documents: the answer to a request that failed (RFC 9457), and the page that says
 * what a code means. */
#ifndef API_PROBLEM_BODY_H
#define API_PROBLEM_BODY_H

#include "api/base/buffer.h"
#include "api/base/problem.h"

/* {"type": <base_url>/problems/<code>, "title", "status", "detail", "code", "request_id",
 * "errors": [...]}. `arguments` is the JSON object that fills the texts, or SPAN_NONE; `faults`
 * may be NULL. "errors" is left out when there is none, "request_id" when it is absent. */
void problem_body(struct buffer *buffer, enum problem_code code, struct span arguments,
                  const struct faults *faults, enum language language, struct span base_url,
                  struct span request_id);

/* GET /problems/{code} and GET /problems: both languages, with the {places} of the texts shown as
 * they are. */
void problem_document_json(struct buffer *buffer, enum problem_code code, struct span base_url);
void problem_document_html(struct buffer *buffer, enum problem_code code);
void problem_list_json(struct buffer *buffer, struct span base_url);
void problem_list_html(struct buffer *buffer);

/* The Content-Security-Policy under which the pages look as they should: no script, one style by
 * its hash. */
extern const char problem_page_policy[];

#endif
