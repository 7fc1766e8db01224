/* See device.h. Rule: the key that signs is of all processes, and what is signed cannot be taken for anything else that it signs. */
#include "auth/device.h"

#include "api/base/digest.h"
#include "auth/ask.h"
#include "auth/door.h"

static enum problem_code mark(const struct oauth_call *call, struct span device,
                              struct span *ret_mark)
{
    unsigned char key[REFRESH_KEY_BYTES], mac[32];
    enum problem_code problem = oauth_key_read(call, key);
    if (problem != PROBLEM_NONE)
        return problem;
    digest_hmac_sha256((struct span){(const char *)key, sizeof key},
                       span_of(arena_printf(call->arena, "device\n%.*s", SPAN_ARG(device))), mac);
    *ret_mark = base64url_encode(call->arena, mac, sizeof mac);
    return PROBLEM_NONE;
}

enum problem_code device_read(const struct oauth_call *call, struct span cookie,
                              struct span *ret_device)
{
    struct span device = {cookie.ptr, DEVICE_ID_LENGTH}, expected;
    *ret_device = SPAN_NONE;
    if (cookie.len != DEVICE_COOKIE_LENGTH || cookie.ptr[DEVICE_ID_LENGTH] != '.')
        return PROBLEM_NONE;
    enum problem_code problem = mark(call, device, &expected);
    if (problem == PROBLEM_NONE &&
        digest_equal(cookie.ptr + DEVICE_ID_LENGTH + 1, expected.ptr, expected.len))
        *ret_device = device;
    return problem;
}

enum problem_code device_cookie(const struct oauth_call *call, struct span *device,
                                struct span *ret_cookie)
{
    unsigned char id[16];
    struct span signature;
    if (!device->ptr) {
        random_bytes(id, sizeof id);
        *device = base64url_encode(call->arena, id, sizeof id);
    }
    enum problem_code problem = mark(call, *device, &signature);
    if (problem == PROBLEM_NONE)
        *ret_cookie = span_of(
            arena_printf(call->arena, "%.*s.%.*s", SPAN_ARG(*device), SPAN_ARG(signature)));
    return problem;
}

enum problem_code device_remember(const struct oauth_call *call, const char *user_id,
                                  struct span device)
{
    const struct write_context context = {
        .actor = span_of(user_id), .request_id = call->request_id, .operation = call->operation};
    const struct ask parameters[] = {{"user.id", span_of(user_id)}, {"login.device", device}};
    struct rows *rows;
    enum problem_code problem = ask_write(call->auth->pool, call->arena, &context, "login_remember",
                                          parameters, 2, call->deadline_ms, &rows, NULL, NULL);
    rows_free(rows);
    return problem;
}
