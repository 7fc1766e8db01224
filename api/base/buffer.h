/* A growing run of bytes on the heap: every body is written into one. Not NUL-terminated. */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include "api/base/span.h"
#include <stdint.h>

struct buffer {
    char *data;
    size_t len, cap;
};

void buffer_reserve(struct buffer *buffer, size_t more); /* room for `more` further bytes */
void buffer_printf(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void buffer_free(struct buffer *buffer);
char *buffer_take(struct buffer *buffer,
                  size_t *ret_len); /* the malloc()ed bytes, now the caller's */

static inline void buffer_add(struct buffer *buffer, const char *bytes, size_t len)
{
    if (buffer->cap - buffer->len < len)
        buffer_reserve(buffer, len);
    if (len) {
        memcpy(buffer->data + buffer->len, bytes, len);
        buffer->len += len;
    }
}

static inline void buffer_char(struct buffer *buffer, char c)
{
    if (buffer->cap == buffer->len)
        buffer_reserve(buffer, 1);
    buffer->data[buffer->len++] = c;
}

static inline void buffer_span(struct buffer *buffer, struct span s)
{
    buffer_add(buffer, s.ptr, s.len);
}

#define BUFFER_LITERAL(buffer, literal) buffer_add((buffer), (literal), sizeof(literal) - 1)

/* The bytes as a JSON string with its quotes (RFC 8259). The input is valid UTF-8. */
void buffer_json_string(struct buffer *buffer, struct span text);

#endif
