/* Pages for people with a browser: small, without scripts, in the reader's language. What fills a page is always escaped. */
#ifndef API_HTML_H
#define API_HTML_H

#include "api/call.h"

extern const char html_style[]; /* the one style sheet, within each page */
extern const char
    html_style_hash[]; /* its SHA-256 as the policy names it; a unit test compares them */

/* The bytes as text of an element or of a quoted attribute. */
void html_escape(struct buffer *out, struct span text);

/* `format` knows %s and %% only; every %s is escaped. */
void html_print(struct buffer *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Begins the answer: status, headers (no-store, no referrer, no frame, and a policy under which nothing runs or loads and
 * forms go nowhere but here and to `form_target`, a source of CSP or NULL), and the page up to its heading.
 * Everything until html_end() is printed to call->response.body. */
void html_begin(struct call *call, int status, enum language language, const char *title,
                const char *form_target);
void html_end(struct call *call);

/* What went wrong, above a form, read out at once. */
void html_alert(struct call *call, const char *text);

#endif
