/* Names of methods. Rule: a name that is not known here proves nothing. */
#include "auth/amr.h"

#include "api/base/span.h"

static const struct {
    const char *name;
    unsigned bit;
} methods_known[] = {{"pwd", AMR_PWD}, {"otp", AMR_OTP}, {"mfa", AMR_MFA}};

const char *login_acr(const struct token_login *login)
{
    return login->methods & AMR_MFA ? ACR_SECOND_FACTOR : ACR_PASSWORD;
}

unsigned login_methods_read(struct span text)
{
    unsigned methods = 0;
    while (text.len) {
        const char *end = memchr(text.ptr, ' ', text.len);
        struct span one = {text.ptr, end ? (size_t)(end - text.ptr) : text.len};
        for (size_t i = 0; i < sizeof methods_known / sizeof *methods_known; i++)
            if (span_is(one, methods_known[i].name))
                methods |= methods_known[i].bit;
        text = end ? (struct span){end + 1, text.len - one.len - 1} : SPAN_NONE;
    }
    return methods;
}

const char *login_methods_json(struct arena *arena, unsigned methods)
{
    const char *json = "";
    for (size_t i = 0; i < sizeof methods_known / sizeof *methods_known; i++)
        if (methods & methods_known[i].bit)
            json = arena_printf(arena, "%s%s\"%s\"", json, *json ? "," : "", methods_known[i].name);
    return arena_printf(arena, "[%s]", json);
}
