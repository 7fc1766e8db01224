/* `tpbis audit` and `tpbis assignment`. Rule: what the audit is worth is computed here and by statements of this binary, never by
 * functions of the database that is judged. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "api/commands.h"
#include "api/owner.h"

struct option {
    const char *name;
    const char *value;
};

/* Takes --name VALUE pairs; false with every fault named. */
static bool options_take(struct option *options, size_t count, int argc, char **argv)
{
    bool good = true;
    for (int i = 0; i < argc; i += 2) {
        struct option *found = NULL;
        for (size_t j = 0; j < count && !found; j++)
            if (strcmp(options[j].name, argv[i]) == 0)
                found = &options[j];
        const char *why = !found          ? "unknown option"
                          : i + 1 >= argc ? "needs a value"
                          : found->value  ? "given twice"
                                          : NULL;
        if (why) {
            fprintf(stderr, "%s: %s\n", argv[i], why);
            good = false;
        } else {
            found->value = argv[i + 1];
        }
    }
    return good;
}

/* ---- the audit -------------------------------------------------------------------------------- */

static int audit_head(struct owner *owner)
{
    struct rows *seals = owner_read(owner, "audit_seal_numbers");
    if (!seals)
        return 1;
    size_t count = rows_count(seals);
    if (count)
        printf("{\"seal\": %s, \"hash\": \"%s\", \"sealed_at\": \"%s\"}\n",
               owner_cell(owner, seals, count - 1, "number"),
               owner_cell(owner, seals, count - 1, "hash"),
               owner_cell(owner, seals, count - 1, "sealed_at"));
    else
        fputs("nothing is sealed yet\n", stderr);
    rows_free(seals);
    return count ? 0 : 1;
}

/* The faults of one seal, told; -1 when it cannot be read. */
static long seal_verify(struct owner *owner, const char *number)
{
    owner_bind(owner, "seal.number", number);
    struct rows *faults = owner_read(owner, "audit_verify_seal");
    if (!faults)
        return -1;
    long count = (long)rows_count(faults);
    for (size_t i = 0; i < rows_count(faults); i++) {
        const char *row = owner_cell(owner, faults, i, "id");
        printf("seal %s: %s%s%s\n", number, owner_cell(owner, faults, i, "fault"),
               row[0] ? ": row " : "", row);
    }
    rows_free(faults);
    return count;
}

static int audit_verify(struct owner *owner, const char *expected)
{
    struct rows *seals = owner_read(owner, "audit_seal_numbers");
    struct rows *rest = seals ? owner_read(owner, "audit_unsealed") : NULL;
    bool found = !expected, good = seals && rest;
    uint64_t rows = 0;
    long faults = 0;
    for (size_t i = 0; seals && rest && faults >= 0 && i < rows_count(seals); i++) {
        faults = seal_verify(owner, owner_cell(owner, seals, i, "number"));
        good = good && faults == 0; /* the others are told too */
        rows += strtoull(owner_cell(owner, seals, i, "rows"), NULL, 10);
        found = found || strcmp(owner_cell(owner, seals, i, "hash"), expected) == 0;
    }
    if (seals && !found) {
        printf("no seal has the hash %s: seals were removed, or made anew\n", expected);
        good = false;
    }
    if (seals && rest)
        printf("%s: %zu seals over %" PRIu64 " rows; %s rows blank; %s rows not sealed yet\n",
               good ? "intact" : "BROKEN", rows_count(seals), rows,
               owner_cell(owner, rest, 0, "blank"), owner_cell(owner, rest, 0, "rows"));
    rows_free(rest);
    rows_free(seals);
    return good ? 0 : 1;
}

int command_audit(const struct settings *settings, int count, char **words)
{
    struct option expect = {"--expect", NULL};
    bool head = count == 1 && strcmp(words[0], "head") == 0;
    bool verify = count >= 1 && strcmp(words[0], "verify") == 0 &&
                  options_take(&expect, 1, count - 1, words + 1);
    if (!head && !verify) {
        fputs("usage: tpbis audit head | tpbis audit verify [--expect HASH]\n", stderr);
        return 2;
    }
    struct owner *owner = owner_open(settings, "audit");
    if (!owner)
        return 1;
    int status = head ? audit_head(owner) : audit_verify(owner, expect.value);
    owner_close(owner);
    return status;
}

/* ---- assignments ------------------------------------------------------------------------------ */

static int assignments_print(struct owner *owner, struct rows *rows)
{
    if (!rows)
        return 1;
    for (size_t i = 0; i < rows_count(rows); i++)
        printf(
            "{\"id\": \"%s\", \"holder\": \"%s\", \"role\": \"%s\", \"starts_on\": \"%s\", \"ends_on\": %s%s%s}\n",
            owner_cell(owner, rows, i, "id"), owner_cell(owner, rows, i, "holder"),
            owner_cell(owner, rows, i, "role"), owner_cell(owner, rows, i, "starts_on"),
            *owner_cell(owner, rows, i, "ends_on") ? "\"" : "null",
            owner_cell(owner, rows, i, "ends_on"),
            *owner_cell(owner, rows, i, "ends_on") ? "\"" : "");
    bool any = rows_count(rows) > 0;
    if (!any)
        fputs("there is no such assignment that is not over\n", stderr);
    rows_free(rows);
    return any ? 0 : 1;
}

int command_assignment(const struct settings *settings, int count, char **words)
{
    struct option options[] = {{"--holder", NULL},  {"--role", NULL},  {"--region", NULL},
                               {"--library", NULL}, {"--until", NULL}, {"--id", NULL}};
    bool create = count > 1 && strcmp(words[0], "create") == 0;
    bool end = count > 1 && strcmp(words[0], "end") == 0;
    bool good = (create || end) && options_take(options, 6, count - 1, words + 1);
    if (create)
        good = good && options[0].value && options[1].value && !options[5].value;
    else
        good = good && !options[0].value != !options[5].value && !options[1].value &&
               !options[2].value && !options[3].value && !options[4].value;
    if (!good) {
        fputs(
            "usage: tpbis assignment create --holder HOLDER --role ROLE [--region CODE | --library ID] [--until DAY]\n"
            "       tpbis assignment end --id ID | --holder HOLDER\n",
            stderr);
        return 2;
    }
    struct owner *owner = owner_open(settings, create ? "assignment_create" : "assignment_end");
    if (!owner)
        return 1;
    static const char *const names[] = {"command.holder",  "command.role",  "command.region",
                                        "command.library", "command.until", "command.assignment"};
    for (size_t i = 0; i < 6; i++)
        owner_bind(owner, names[i], options[i].value ? options[i].value : "");
    int status = assignments_print(
        owner, owner_write(owner, create ? "command_assignment_create" : "command_assignment_end"));
    owner_close(owner);
    return status;
}
