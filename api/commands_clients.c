/* The subcommands of clients. Rule: every fault of the command line is named, and nothing is done when there is one. */
#include <stdio.h>
#include <string.h>
#include "api/base/buffer.h"
#include "api/commands.h"
#include "auth/auth.h"

struct wish { /* what `client create` is told */
    struct new_client client;
    struct client_details details;
    struct buffer redirect_uris, scopes; /* JSON arrays that are still open */
};

/* The place of an option that stands once, or NULL. */
static const char **slot_of(struct wish *wish, const char *name)
{
    const struct {
        const char *name, **slot;
    } slots[] = {
        {"--name", &wish->client.name},
        {"--role", &wish->client.role},
        {"--region", &wish->client.region},
        {"--library", &wish->client.library_id},
        {"--type", &wish->details.type},
        {"--owner-name", &wish->details.owner_name},
        {"--owner-email", &wish->details.owner_email},
    };
    for (size_t i = 0; i < sizeof(slots) / sizeof(*slots); i++)
        if (strcmp(name, slots[i].name) == 0)
            return slots[i].slot;
    return NULL;
}

static void list_add(struct buffer *list, const char *text)
{
    buffer_char(list, list->len ? ',' : '[');
    buffer_json_string(list, span_of(text));
}

static bool option_take(struct wish *wish, const char *name, const char *value)
{
    const char **slot = slot_of(wish, name);
    struct buffer *list = strcmp(name, "--redirect-uri") == 0 ? &wish->redirect_uris
                          : strcmp(name, "--scope") == 0      ? &wish->scopes
                                                              : NULL;
    const char *fault = !slot && !list  ? "unknown option"
                        : !value        ? "needs a value"
                        : slot && *slot ? "given twice"
                                        : NULL;
    if (fault) {
        fprintf(stderr, "%s: %s\n", name, fault);
        return false;
    }
    if (slot)
        *slot = value;
    else
        list_add(list, value);
    return true;
}

static const char *list_close(struct arena *arena, struct buffer *list)
{
    if (!list->len)
        return NULL;
    buffer_char(list, ']');
    const char *text = arena_cstr(arena, (struct span){list->data, list->len});
    buffer_free(list);
    return text;
}

static int create(const struct settings *settings, struct wish *wish)
{
    struct arena *arena = arena_new(4096);
    const char *id, *secret;
    wish->details.redirect_uris = list_close(arena, &wish->redirect_uris);
    wish->details.scopes = list_close(arena, &wish->scopes);
    bool made = auth_client_create(owner_url(settings), arena, &wish->client, &wish->details, &id,
                                   &secret, stderr);
    if (made && secret)
        printf("{\"client_id\": \"%s\", \"client_secret\": \"%s\"}\n", id, secret);
    else if (made)
        printf("{\"client_id\": \"%s\", \"client_secret\": null}\n", id);
    arena_free(arena);
    return made ? 0 : 1;
}

static int command_create(const struct settings *settings, int count, char **options)
{
    struct wish wish = {0};
    bool good = true;
    for (int i = 0; i < count; i += 2)
        good = option_take(&wish, options[i], i + 1 < count ? options[i + 1] : NULL) && good;
    bool people = wish.details.type && strcmp(wish.details.type, "public") == 0;
    if (!wish.client.name || (!wish.client.role && !people)) {
        fputs("--name and --role are needed\n", stderr);
        good = false;
    }
    int status = good ? create(settings, &wish) : 2;
    buffer_free(&wish.redirect_uris);
    buffer_free(&wish.scopes);
    return status;
}

int command_client(const struct settings *settings, int count, char **words)
{
    const char *what = count ? words[0] : "";
    if (strcmp(what, "create") == 0)
        return command_create(settings, count - 1, words + 1);
    if (strcmp(what, "suspend") == 0 && count == 4 && strcmp(words[2], "--reason") == 0)
        return auth_client_status(owner_url(settings), words[1], words[3], stderr) ? 0 : 1;
    if (strcmp(what, "reinstate") == 0 && count == 2)
        return auth_client_status(owner_url(settings), words[1], NULL, stderr) ? 0 : 1;
    fputs("usage: tpbis client create --name NAME --role ROLE [...], see tpbis --help\n"
          "       tpbis client suspend ID --reason TEXT\n"
          "       tpbis client reinstate ID\n",
          stderr);
    return 2;
}
