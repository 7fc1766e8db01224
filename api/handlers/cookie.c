/* See cookie.h. */
#include "api/handlers/cookie.h"

#include <assert.h>

static bool secure(const struct call *call)
{
    return strncmp(call->service->base_url, "https:", 6) == 0;
}

static const char *full_name(const struct call *call, const char *name)
{
    return secure(call) ? arena_printf(call->arena, "__Host-%s", name) : name;
}

struct span cookie_read(const struct call *call, const char *plain_name, size_t length)
{
    struct span header = call_header(call, "Cookie"), name = span_of(full_name(call, plain_name));
    while (header.len) {
        const char *end = memchr(header.ptr, ';', header.len);
        struct span one = {header.ptr, end ? (size_t)(end - header.ptr) : header.len};
        header = end ? (struct span){end + 1, header.len - one.len - 1} : SPAN_NONE;
        while (one.len && *one.ptr == ' ')
            one = (struct span){one.ptr + 1, one.len - 1};
        if (one.len == name.len + 1 + length && one.ptr[name.len] == '=' &&
            memcmp(one.ptr, name.ptr, name.len) == 0)
            return (struct span){one.ptr + name.len + 1, length};
    }
    return SPAN_NONE;
}

void cookie_set(struct call *call, const char *plain_name, struct span value, int64_t seconds)
{
    struct response *response = &call->response;
    const char *name = full_name(call, plain_name);
    size_t at = 0;
    while (at < response->cookie_count && strcmp(response->cookies[at].name, name) != 0)
        at++;
    assert(at < RESPONSE_COOKIES_MAX);
    response->cookie_count += at == response->cookie_count;
    response->cookies[at].name = name;
    response->cookies[at].value = arena_cstr(call->arena, value);
    response->cookies[at].seconds = seconds;
    response->cookies[at].secure = secure(call);
}
