/* Clients, as OAuth sees them. Rule: whether a client exists or not, the same is asked and the same is compared. */
#include "auth/oauth.h"

#include <jansson.h>
#include <limits.h>

#include "api/base/log.h"
#include "auth/access.h"
#include "auth/ask.h"
#include "auth/client.h"
#include "auth/door.h"
#include "auth/scope.h"

/* The id is logged of a client that there is: anything else may be a name that was typed in the wrong place. */
static enum problem_code refused(struct span client_id, const char *reason)
{
    log_security(LOG_WARNING, "client_refused", LOG_C("reason", reason),
                 LOG_S("client", client_id));
    return PROBLEM_invalid_client;
}

/* A JSON array of strings. */
static const char *const *texts_read(struct arena *arena, const char *text, size_t *ret_count)
{
    json_t *array = text ? json_loads(text, 0, NULL) : NULL;
    size_t count = json_array_size(array);
    const char **texts = arena_alloc(arena, (count + 1) * sizeof *texts);
    for (size_t i = 0; i < count; i++) {
        const char *one = json_string_value(json_array_get(array, i));
        texts[i] = arena_cstr(arena, span_of(one));
    }
    json_decref(array);
    *ret_count = count;
    return texts;
}

enum problem_code oauth_client_find(const struct oauth_call *call, struct span id,
                                    struct oauth_client *ret_client)
{
    struct oauth_client client = {.allowed = 0};
    struct rows *rows;
    *ret_client = client;
    if (!subject_valid(id)) /* not of the form of any client id: no need to look */
        return PROBLEM_NONE;
    const struct ask parameters[] = {{"client.id", id}};
    enum problem_code problem = ask_read(call->auth->pool, call->arena, "oauth_client", parameters,
                                         1, call->deadline_ms, &rows);
    if (problem != PROBLEM_NONE)
        return problem;
    client.id = ask_cell(call->arena, rows, "id");
    if (client.id) {
        const char *allowed = ask_cell(call->arena, rows, "allowed_scopes");
        client.name = ask_cell(call->arena, rows, "name");
        client.owner = ask_cell(call->arena, rows, "owner_name");
        client.homepage = ask_cell(call->arena, rows, "homepage");
        client.confidential = strcmp(ask_cell(call->arena, rows, "type"), "public") != 0;
        client.active = strcmp(ask_cell(call->arena, rows, "status"), "active") == 0;
        client.redirect_uris = texts_read(call->arena, ask_cell(call->arena, rows, "redirect_uris"),
                                          &client.redirect_uri_count);
        client.allowed = UINT32_MAX;
        if (allowed && (!allowed[0] || !scope_parse(span_of(allowed), false, &client.allowed)))
            client.allowed = 0;
        client.allowed |= scope_account(); /* the person's own to give, at the page of consent */
    }
    rows_free(rows);
    *ret_client = client;
    return PROBLEM_NONE;
}

/* ---- redirect URIs -------------------------------------------------------------------------- */

/* 1 to 65535 without leading zeros: any other leads nowhere, or is read differently by two programs. */
static bool port_good(struct span digits)
{
    unsigned port = 0;
    if (!digits.len || digits.len > 5 || digits.ptr[0] == '0')
        return false;
    for (size_t i = 0; i < digits.len; i++)
        port = port * 10 + (unsigned)(digits.ptr[i] - '0');
    return port <= 65535;
}

/* Of http://127.0.0.1:port/path and http://[::1]:port/path: what stands before the port, and behind it. */
static bool loopback_split(struct span uri, struct span *ret_host, struct span *ret_rest)
{
    static const char *const hosts[] = {"http://127.0.0.1", "http://[::1]"};
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        size_t at = strlen(hosts[i]), digits = 0;
        if (!span_starts(uri, hosts[i]))
            continue;
        if (at < uri.len && uri.ptr[at] == ':') {
            while (at + 1 + digits < uri.len && uri.ptr[at + 1 + digits] >= '0' &&
                   uri.ptr[at + 1 + digits] <= '9')
                digits++;
            if (!port_good((struct span){uri.ptr + at + 1, digits}))
                return false;
            at += 1 + digits;
        }
        if (at < uri.len && uri.ptr[at] != '/' && uri.ptr[at] != '?')
            return false;
        *ret_host = span_of(hosts[i]);
        *ret_rest = (struct span){uri.ptr + at, uri.len - at};
        return true;
    }
    return false;
}

bool oauth_redirect_allowed(const struct oauth_client *client, struct span uri)
{
    struct span host, rest, known_host, known_rest;
    for (size_t i = 0; i < client->redirect_uri_count; i++) {
        struct span known = span_of(client->redirect_uris[i]);
        if (span_equal(known, uri))
            return true;
        if (loopback_split(uri, &host, &rest) && loopback_split(known, &known_host, &known_rest) &&
            span_equal(host, known_host) && span_equal(rest, known_rest))
            return true;
    }
    return false;
}

/* ---- who asks ------------------------------------------------------------------------------- */

enum problem_code oauth_client_authenticate(const struct oauth_call *call, struct span id,
                                            struct span secret, struct oauth_client *ret_client)
{
    if (!subject_valid(id))
        return refused(SPAN_NONE, "malformed");
    struct standing standing;
    struct client_secrets secrets;
    struct oauth_client client;
    enum problem_code problem = access_credentials(call->auth->pool, call->arena,
                                                   arena_cstr(call->arena, id), call->deadline_ms,
                                                   &standing, &secrets);
    if (problem == PROBLEM_NONE)
        problem = oauth_client_find(call, id, &client);
    if (problem != PROBLEM_NONE)
        return problem;
    bool right = client_secret_verify(secret, &secrets);
    if (!client.id || (client.confidential ? !right : secret.len > 0))
        return refused(span_of(client.id), "credentials");
    if (!client.active)
        return refused(id, "suspended");
    client.held = standing_scopes(&standing);
    *ret_client = client;
    return PROBLEM_NONE;
}
