/* Writes log lines. One event is one line and one write(2), so that threads never mix; what a
 * caller passes may be any bytes, what comes out is always valid JSON. */
#include "api/base/log.h"

#include "api/base/buffer.h"
#include "api/base/clock.h"
#include "api/base/trail.h"
#include "api/base/utf8.h"
#include <errno.h>
#include <stdatomic.h>
#include <unistd.h>

static _Atomic int least = LOG_INFO;

void log_level_set(enum log_level level)
{
    atomic_store_explicit(&least, (int)level, memory_order_relaxed);
}

static void add_text(struct buffer *line, struct span text)
{
    if (!text.ptr) {
        BUFFER_LITERAL(line, "null");
        return;
    }
    if (utf8_valid(text)) {
        buffer_json_string(line, text);
        return;
    }
    struct buffer clean = {0};
    while (text.len) {
        size_t step = utf8_character(text);
        if (step)
            buffer_add(&clean, text.ptr, step);
        else
            BUFFER_LITERAL(&clean, "\xEF\xBF\xBD"); /* U+FFFD */
        step = step ? step : 1;
        text.ptr += step;
        text.len -= step;
    }
    buffer_json_string(line, (struct span){clean.data, clean.len});
    buffer_free(&clean);
}

static void add_number(struct buffer *line, int64_t number)
{
    char digits[20];
    size_t at = sizeof digits;
    uint64_t left = number < 0 ? -(uint64_t)number : (uint64_t)number;
    do
        digits[--at] = (char)('0' + left % 10);
    while (left /= 10);
    if (number < 0)
        buffer_char(line, '-');
    buffer_add(line, digits + at, sizeof digits - at);
}

static void write_line(const struct buffer *line)
{
    size_t done = 0;
    while (done < line->len) {
        ssize_t got = write(STDERR_FILENO, line->data + done, line->len - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return; /* nowhere to complain */
        done += (size_t)got;
    }
}

static void add_trail(struct buffer *line, bool security)
{
    const struct trail *trail = trail_get();
    if (trail->request_id.ptr || security) {
        BUFFER_LITERAL(line, ",\"request_id\":");
        add_text(line, trail->request_id);
    }
    if (security) {
        BUFFER_LITERAL(line, ",\"network\":");
        add_text(line, *trail->network ? span_of(trail->network) : SPAN_NONE);
    }
}

void log_fields(enum log_level level, const char *event, bool security,
                const struct log_field *fields, size_t count)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    if ((int)level < atomic_load_explicit(&least, memory_order_relaxed))
        return;
    char now[25];
    clock_rfc3339(clock_unix_ms(), now);
    struct buffer line = {0};
    buffer_reserve(&line, 512);
    BUFFER_LITERAL(&line, "{\"time\":\"");
    buffer_span(&line, span_of(now));
    BUFFER_LITERAL(&line, "\",\"level\":\"");
    buffer_span(&line, span_of(names[level]));
    BUFFER_LITERAL(&line, "\",\"event\":");
    add_text(&line, span_of(event));
    add_trail(&line, security);
    for (size_t i = 0; i < count && fields[i].kind != LOG_END; i++) {
        buffer_char(&line, ',');
        add_text(&line, span_of(fields[i].name));
        buffer_char(&line, ':');
        if (fields[i].kind == LOG_NUMBER)
            add_number(&line, fields[i].number);
        else
            add_text(&line, fields[i].text);
    }
    BUFFER_LITERAL(&line, "}\n");
    write_line(&line);
    buffer_free(&line);
}
