/* `tpbis user`: the first administrator, and emergencies. Rule: a link is printed once and stored hashed; everything is one
 * transaction with its audit row. */
#include <stdio.h>
#include <string.h>
#include "api/base/buffer.h"
#include "api/base/clock.h"
#include "api/commands.h"
#include "api/owner.h"
#include "auth/ask.h"

#define DEADLINE_MS INT64_C(30000)

enum { USERNAME, NAME, EMAIL, ROLE, REGION, LIBRARY, REASON, OPTIONS };
static const struct {
    const char *option, *parameter;
} known[OPTIONS] = {
    {"--username", "user.username"}, {"--name", "user.name"},     {"--email", "user.email"},
    {"--role", "user.role"},         {"--region", "user.region"}, {"--library", "user.library"},
    {"--reason", "user.reason"},
};

static const struct {
    const char *word, *statement, *operation;
    unsigned needed, allowed; /* bits of options */
    bool link;                /* answers with a one-time link */
} subcommands[] = {
    {"create", "user_create", "user_create", 1U << USERNAME | 1U << NAME,
     1U << USERNAME | 1U << NAME | 1U << EMAIL | 1U << ROLE | 1U << REGION | 1U << LIBRARY, true},
    {"reset", "user_reset", "user_reset", 1U << USERNAME, 1U << USERNAME, true},
    {"reset-factor", "user_factor_reset", "user_factor_reset", 1U << USERNAME, 1U << USERNAME,
     false},
    {"disable", "user_disable", "user_disable", 1U << USERNAME | 1U << REASON,
     1U << USERNAME | 1U << REASON, false},
};

static bool options_read(unsigned needed, unsigned allowed, int count, char **words,
                         const char *values[OPTIONS])
{
    bool good = true;
    for (int i = 0; i < count; i += 2) {
        size_t which = 0;
        while (which < OPTIONS && strcmp(known[which].option, words[i]) != 0)
            which++;
        const char *fault = which == OPTIONS || !(allowed & 1U << which) ? "unknown option"
                            : i + 1 == count                             ? "needs a value"
                            : values[which]                              ? "given twice"
                                                                         : NULL;
        if (fault) {
            fprintf(stderr, "%s: %s\n", words[i], fault);
            good = false;
        } else {
            values[which] = words[i + 1];
        }
    }
    for (size_t which = 0; which < OPTIONS; which++)
        if (needed & 1U << which && !values[which]) {
            fprintf(stderr, "%s is needed\n", known[which].option);
            good = false;
        }
    return good;
}

static void say_why(struct arena *arena, enum problem_code code,
                    const struct query_failure *failure)
{
    struct span text = problem_fill(arena, problem_texts[code].detail[LANGUAGE_EN], LANGUAGE_EN,
                                    span_of(failure->arguments));
    fprintf(stderr, "%s: %.*s\n", problem_texts[code].code, SPAN_ARG(text));
    if (failure->message[0])
        fprintf(stderr, "database: %s\n", failure->message);
}

static void print(struct arena *arena, const struct rows *rows, bool link)
{
    struct buffer out = {0};
    BUFFER_LITERAL(&out, "{\"user_id\": ");
    buffer_json_string(&out, span_of(ask_cell(arena, rows, "user_id")));
    if (link) {
        BUFFER_LITERAL(&out, ", \"link\": ");
        buffer_json_string(&out, span_of(ask_cell(arena, rows, "url")));
    }
    printf("%.*s}\n", (int)out.len, out.data);
    buffer_free(&out);
}

static bool run(const struct settings *settings, const char *base_url, size_t which,
                const char *values[OPTIONS])
{
    const struct write_context context = {.actor = SPAN("command line"),
                                          .operation = span_of(subcommands[which].operation)};
    struct ask parameters[OPTIONS + 1];
    size_t count = 0;
    for (size_t i = 0; i < OPTIONS; i++)
        if (subcommands[which].allowed & 1U << i)
            parameters[count++] = (struct ask){known[i].parameter, span_of(values[i])};
    if (subcommands[which].link)
        parameters[count++] = (struct ask){"user.service", span_of(base_url)};
    struct pool *pool = pool_new(&(struct pool_options){.url = owner_url(settings),
                                                        .size = 1,
                                                        .lifetime_ms = INT64_C(600000),
                                                        .statement_timeout_ms = DEADLINE_MS});
    struct arena *arena = arena_new(4096);
    struct query_failure failure = {.code = PROBLEM_NONE};
    struct rows *rows;
    enum problem_code code = ask_write(pool, arena, &context, subcommands[which].statement,
                                       parameters, count, clock_monotonic_ms() + DEADLINE_MS, &rows,
                                       NULL, &failure);
    if (code)
        say_why(arena, code, &failure);
    else
        print(arena, rows, subcommands[which].link);
    rows_free(rows);
    arena_free(arena);
    pool_free(pool);
    return code == PROBLEM_NONE;
}

int command_user(const struct settings *settings, const char *base_url, int count, char **words)
{
    const char *values[OPTIONS] = {NULL};
    size_t which = 0, all = sizeof(subcommands) / sizeof(*subcommands);
    while (which < all && (count == 0 || strcmp(subcommands[which].word, words[0]) != 0))
        which++;
    if (which == all) {
        fputs("usage: tpbis user create|reset|reset-factor|disable ...\n", stderr);
        return 2;
    }
    if (!options_read(subcommands[which].needed, subcommands[which].allowed, count - 1, words + 1,
                      values))
        return 2;
    return run(settings, base_url, which, values) ? 0 : 1;
}
