/* See backoff.h. */
#include "api/base/backoff.h"

#include <stdio.h>
#include <string.h>

#define TELL_EVERY_MS 60000

void backoff_good(struct backoff *backoff)
{
    *backoff = (struct backoff){.why = ""};
}

bool backoff_failed(struct backoff *backoff, const char *why, int64_t first_ms, int64_t most_ms,
                    int64_t now_ms, uint64_t *ret_times)
{
    char cut[sizeof backoff->why];
    snprintf(cut, sizeof cut, "%s", why);
    bool same = backoff->pause_ms && strcmp(cut, backoff->why) == 0;
    int64_t pause_ms = same ? 2 * backoff->pause_ms : first_ms;
    backoff->pause_ms = pause_ms < most_ms ? pause_ms : most_ms;
    backoff->since_told = same ? backoff->since_told + 1 : 1;
    if (same && now_ms - backoff->told_at_ms < TELL_EVERY_MS)
        return false;
    memcpy(backoff->why, cut, sizeof cut);
    *ret_times = backoff->since_told;
    backoff->since_told = 0;
    backoff->told_at_ms = now_ms;
    return true;
}
