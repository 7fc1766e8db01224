/* One JSON line an event on standard error. Never personal data, never a secret. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "api/base/span.h"
#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

enum log_kind { LOG_END, LOG_TEXT, LOG_NUMBER };
struct log_field {
    enum log_kind kind;
    const char *name;
    struct span text;
    int64_t number;
};
#define LOG_S(name, span) ((struct log_field){LOG_TEXT, (name), (span), 0})
#define LOG_C(name, cstr) ((struct log_field){LOG_TEXT, (name), span_of(cstr), 0})
#define LOG_I(name, value) ((struct log_field){LOG_NUMBER, (name), SPAN_NONE, (int64_t)(value)})

void log_level_set(enum log_level level); /* safe while other threads log */
/* {"time": ..., "level": ..., "event": event, fields...}, written with one write(2). */
void log_fields(enum log_level level, const char *event, bool security,
                const struct log_field *fields, size_t count);
/* Of a request (api/base/trail.h) its id stands in every line. */
#define log_event(level, event, ...)                                                               \
    log_fields((level), (event), false, (const struct log_field[]){__VA_ARGS__},                   \
               sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))
/* For whom somebody is, claims to be, or is refused to be (logins, tokens, clients, grants, keys): the line always has request_id and the
 * network of the address (ASVS 16.2.1), null where no request is at work. */
#define log_security(level, event, ...)                                                            \
    log_fields((level), (event), true, (const struct log_field[]){__VA_ARGS__},                    \
               sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))

#endif
