/* The only file that includes liboath. Rule: what is asked of it is fixed here; no caller chooses digits, steps or windows. */
#include "auth/totp.h"

#include <liboath/oath.h>
#include <pthread.h>
#include <stdlib.h>

#include "api/base/digest.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void prepare(void)
{
    if (oath_init() != OATH_OK)
        abort();
}

static bool is_code(struct span code)
{
    for (size_t i = 0; i < code.len; i++)
        if (code.ptr[i] < '0' || code.ptr[i] > '9')
            return false;
    return code.len == TOTP_DIGITS;
}

static int compare(void *code, const char *right)
{
    return digest_equal(code, right, TOTP_DIGITS) ? 0 : 1;
}

bool totp_check(const unsigned char secret[TOTP_SECRET_BYTES], struct span code, int64_t now_s,
                int64_t *ret_step)
{
    char text[TOTP_DIGITS + 1] = "";
    uint64_t step = 0;
    pthread_once(&once, prepare);
    if (!is_code(code))
        return false;
    memcpy(text, code.ptr, TOTP_DIGITS);
    if (oath_totp_validate3_callback((const char *)secret, TOTP_SECRET_BYTES, (time_t)now_s,
                                     TOTP_STEP_S, OATH_TOTP_DEFAULT_START_TIME, TOTP_DIGITS,
                                     TOTP_WINDOW, NULL, &step, compare, text) < 0)
        return false;
    *ret_step = (int64_t)step;
    return true;
}

struct span totp_base32(struct arena *arena, const unsigned char *bytes, size_t len)
{
    char *text = NULL;
    size_t written = 0;
    if (oath_base32_encode((const char *)bytes, len, &text, &written) != OATH_OK)
        abort();
    while (written && text[written - 1] == '=')
        written--;
    struct span copy = arena_copy(arena, (struct span){text, written});
    free(text);
    return copy;
}
