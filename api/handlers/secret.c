/* Secrets of clients, and API keys: made here, shown in the answer, known to the database by their hash alone. Rule: the text of
 * a secret is bound to no statement, so that neither the database nor its log ever has it. */
#include "api/base/digest.h"
#include "api/handlers/handlers.h"
#include "auth/secret.h"

/* The secret's text, in the call's arena; its hash is bound. */
static struct span make(struct call *call, enum secret_kind kind)
{
    unsigned char hash[32];
    char *secret = arena_alloc(call->arena, SECRET_LENGTH + 1), digits[64];
    secret_make(kind, secret, hash);
    hex_encode(hash, sizeof(hash), digits);
    call_bind(call, "secret.hash", (struct span){digits, sizeof(digits)});
    return (struct span){secret, SECRET_LENGTH};
}

static void show(struct call *call, const char *member, struct span secret)
{
    const char *json = arena_printf(call->arena, "\"%.*s\"",
                                    SPAN_ARG(secret)); /* no letter of it needs escaping */
    call_add(call, member, span_of(json));
}

/* A public client, which cannot keep one, has none. */
enum problem_code prepare_client_secret(struct call *call)
{
    if (span_is(call_value(call, "type"), "public")) {
        call_bind(call, "secret.hash", SPAN_NONE);
        call_add(call, "client_secret", SPAN("null"));
    } else {
        show(call, "client_secret", make(call, SECRET_CLIENT));
    }
    return PROBLEM_NONE;
}

enum problem_code prepare_api_key(struct call *call)
{
    struct span key = make(call, SECRET_API_KEY);
    call_bind(
        call, "secret.hint",
        (struct span){key.ptr + SECRET_LENGTH - SECRET_CHECKSUM_LENGTH, SECRET_CHECKSUM_LENGTH});
    show(call, "api_key", key);
    return PROBLEM_NONE;
}
