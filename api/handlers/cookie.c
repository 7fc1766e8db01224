/* See cookie.h. */
#include "api/handlers/cookie.h"

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

void cookie_set(struct call *call, const char *name, struct span value, int64_t seconds)
{
    const char *age = seconds ? arena_printf(call->arena, "; Max-Age=%lld", (long long)seconds)
                              : "";
    response_header(call, "Set-Cookie", "%s=%.*s; Path=/; HttpOnly; SameSite=Lax%s%s",
                    full_name(call, name), SPAN_ARG(value), age, secure(call) ? "; Secure" : "");
}
