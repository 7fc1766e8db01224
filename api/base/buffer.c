/* Growth and JSON strings of buffers. The one rule: a reader never sees data[len] or beyond. */
#include "api/base/buffer.h"

#include "api/base/arena.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void buffer_reserve(struct buffer *buffer, size_t more)
{
    assert(more <= SIZE_MAX / 2 - buffer->len);
    size_t wanted = buffer->len + more;
    if (wanted <= buffer->cap)
        return;
    size_t cap = buffer->cap ? buffer->cap * 2 : 256;
    if (cap < wanted)
        cap = wanted;
    buffer->data = memory_grow(buffer->data, cap);
    buffer->cap = cap;
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list args;
    size_t room = buffer->cap - buffer->len;
    va_start(args, format);
    int len = vsnprintf(room ? buffer->data + buffer->len : NULL, room, format, args);
    va_end(args);
    assert(len >= 0);
    if ((size_t)len >= room) { /* once more with room; the NUL it writes does not count */
        buffer_reserve(buffer, (size_t)len + 1);
        va_start(args, format);
        vsnprintf(buffer->data + buffer->len, (size_t)len + 1, format, args);
        va_end(args);
    }
    buffer->len += (size_t)len;
}

void buffer_free(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer){0};
}

char *buffer_take(struct buffer *buffer, size_t *ret_len)
{
    char *data = buffer->data ? buffer->data : memory_alloc(1);
    *ret_len = buffer->len;
    *buffer = (struct buffer){0};
    return data;
}

/* What follows the backslash; 'u' for \u00XX, 0 where a byte stands as it is. */
static char json_escape(unsigned char c)
{
    switch (c) {
    case '"':
    case '\\':
        return (char)c;
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return c < 0x20 ? 'u' : 0;
    }
}

void buffer_json_string(struct buffer *buffer, struct span text)
{
    static const char hex[] = "0123456789abcdef";
    buffer_reserve(buffer, text.len + 2);
    buffer_char(buffer, '"');
    size_t run = 0; /* start of the bytes not yet copied */
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        char escape = json_escape(c);
        buffer_add(buffer, text.ptr + run, i - run);
        run = i + 1;
        buffer_char(buffer, '\\');
        buffer_char(buffer, escape);
        if (escape == 'u') {
            BUFFER_LITERAL(buffer, "00");
            buffer_char(buffer, hex[c >> 4]);
            buffer_char(buffer, hex[c & 15]);
        }
    }
    if (text.len > run)
        buffer_add(buffer, text.ptr + run, text.len - run);
    buffer_char(buffer, '"');
}
