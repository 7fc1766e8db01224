/* The subcommands of signing keys. Rule: every fault of the command line is named, and nothing is done when there is one. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "api/base/clock.h"
#include "api/commands.h"
#include "auth/factor_key.h"
#include "auth/key_files.h"

#define LEAD_MAX_S 31536000

static int key_usage(void)
{
    fputs("usage: tpbis key create\n"
          "       tpbis key rotate [--in SECONDS | --now]\n"
          "       tpbis key list\n"
          "       tpbis key retire KID [--force]\n",
          stderr);
    return 2;
}

static bool lead_read(int count, char **words, int64_t *ret_lead_s)
{
    *ret_lead_s = KEY_LEAD_S;
    if (count == 0)
        return true;
    if (count == 1 && strcmp(words[0], "--now") == 0) {
        *ret_lead_s = 0;
        return true;
    }
    if (count != 2 || strcmp(words[0], "--in") != 0 || words[1][0] < '0' || words[1][0] > '9')
        return false;
    char *end;
    errno = 0;
    long long seconds = strtoll(words[1], &end, 10);
    *ret_lead_s = seconds;
    return *end == '\0' && errno == 0 && seconds <= LEAD_MAX_S;
}

static int rotate(const char *directory, int count, char **words)
{
    int64_t lead_s;
    if (!lead_read(count, words, &lead_s))
        return key_usage();
    if (!key_rotate(directory, lead_s, clock_unix_s(), stderr))
        return 1;
    if (lead_s < JWKS_MAX_AGE_S)
        fprintf(
            stderr,
            "note: others may keep the published keys for %d s, and know the new one only then\n",
            JWKS_MAX_AGE_S);
    return key_list(directory, clock_unix_s(), stdout, stderr) ? 0 : 1;
}

int command_key(const struct settings *settings, int count, char **words)
{
    const char *directory = settings->key_directory, *what = count ? words[0] : "";
    int64_t now_s = clock_unix_s();
    if (strcmp(what, "create") == 0 && count == 1)
        return key_create(directory, stderr) && factor_key_create(directory, stderr) ? 0 : 1;
    if (strcmp(what, "rotate") == 0)
        return rotate(directory, count - 1, words + 1);
    if (strcmp(what, "list") == 0 && count == 1)
        return key_list(directory, now_s, stdout, stderr) ? 0 : 1;
    bool force = count == 3 && strcmp(words[2], "--force") == 0;
    if (strcmp(what, "retire") == 0 && (count == 2 || force))
        return key_retire(directory, words[1], force, now_s, stderr) ? 0 : 1;
    return key_usage();
}
