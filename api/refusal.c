/* See refusal.h. Rule: one answer and one line in the log, whatever the library writes afterwards: that goes nowhere. */
#include "api/refusal.h"

#include <poll.h>
#include <sys/socket.h>
#include "api/base/clock.h"

#define LINGER_BYTES (256 * 1024)
#define LINGER_MS 2000

enum problem_code refusal_of_status(struct call *call, unsigned status, size_t body_max_bytes)
{
    switch (status) {
    case 400:
        return call_refuse_for(call, PROBLEM_bad_request, (struct said){.reason = REASON_library});
    case 413:
        return call_refuse(call, PROBLEM_body_too_large, "limit",
                           span_of(arena_printf(call->arena, "%zu", body_max_bytes)));
    case 414:
        return call_refuse(call, PROBLEM_target_too_long, "limit",
                           span_of(arena_printf(call->arena, "%d", FRAME_TARGET_MAX_BYTES)));
    case 431:
        return PROBLEM_header_too_large;
    case 505:
        return PROBLEM_http_version_not_supported;
    default:
        return PROBLEM_internal;
    }
}

/* Takes off the socket what the client still sends, until it closes, but no more than a little. */
static void linger(int fd)
{
    char unread[4096];
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    int64_t until_ms = clock_monotonic_ms() + LINGER_MS;
    for (ssize_t left = LINGER_BYTES, taken; left > 0; left -= taken) {
        int64_t ms = until_ms - clock_monotonic_ms();
        if (ms <= 0 || poll(&readable, 1, (int)ms) != 1)
            return;
        taken = recv(fd, unread, sizeof(unread), MSG_DONTWAIT);
        if (taken <= 0)
            return;
    }
}

void refusal_send(const struct call *call, int fd)
{
    const struct response *response = &call->response;
    struct buffer text = {0};
    buffer_printf(&text, "HTTP/1.1 %d %s\r\n", response->status,
                  response->status >= 500 ? "Server Error" : "Refused");
    for (size_t i = 0; i < response->header_count; i++)
        buffer_printf(&text, "%s: %s\r\n", response->headers[i].name, response->headers[i].value);
    buffer_printf(&text, "Content-Length: %zu\r\n\r\n", response->body.len);
    if (!call->head)
        buffer_add(&text, response->body.data, response->body.len);
    send(fd, text.data, text.len,
         MSG_NOSIGNAL | MSG_DONTWAIT); /* a socket that takes no more is gone */
    shutdown(fd, SHUT_WR);
    buffer_free(&text);
    linger(fd);
}
