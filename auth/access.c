/* Statements about clients and users. Rule: whatever cannot be read as expected grants nothing. */
#include "auth/access.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "auth/scope.h"

static const char *const statement_names[ACCESS_STATEMENT_COUNT] = {
    "client_secret_hashes", "principal_assignments", "user_assignments",     "libraries_within",
    "client_create_facts",  "insert_client",         "insert_client_secret", "insert_assignment",
    "set_client_status",    "find_api_key",          "api_key_used",
};
static const char *const parameter_names[ACCESS_NAME_COUNT] = {
    "client.id",          "client.name",          "user.id",           "library.ids",
    "secret.hash",        "assignment.role",      "assignment.region", "assignment.library",
    "client.type",        "client.redirect_uris", "client.scopes",     "client.owner_name",
    "client.owner_email", "client.reason",        "api_key.ids",
};
static const struct statement *statements[ACCESS_STATEMENT_COUNT];
static uint16_t names[ACCESS_NAME_COUNT];

static void absent(const char *what, const char *name)
{
    fprintf(stderr, "the contract has no %s %s\n", what, name);
    abort();
}

void access_init(void)
{
    for (size_t i = 0; i < ACCESS_STATEMENT_COUNT; i++)
        if (!(statements[i] = contract_statement(statement_names[i])))
            absent("statement", statement_names[i]);
    for (size_t i = 0; i < ACCESS_NAME_COUNT; i++) {
        uint16_t id = 0;
        while (id < contract_name_count && strcmp(contract_names[id], parameter_names[i]) != 0)
            id++;
        if (id == contract_name_count)
            absent("name", parameter_names[i]);
        names[i] = id;
    }
}

const struct statement *access_statement(enum access_statement which)
{
    return statements[which];
}

const uint16_t *access_tables(bool user, size_t *ret_count)
{
    enum access_statement which = user ? ACCESS_user_assignments : ACCESS_principal_assignments;
    *ret_count = statements[which]->table_count;
    return statements[which]->tables;
}

struct value *access_values(struct arena *arena)
{
    return arena_alloc(arena,
                       contract_name_count * sizeof(struct value)); /* zero is VALUE_ABSENT */
}

void access_bind(struct value *values, enum access_name name, struct span text, struct arena *arena)
{
    values[names[name]] = (struct value){arena_cstr(arena, text), (uint32_t)text.len, VALUE_PRESENT,
                                         VALUE_TEXT};
}

/* ---- rows ----------------------------------------------------------------------------------- */

/* SPAN_NONE when NULL. */
static struct span cell(const struct rows *rows, size_t row, const char *name)
{
    int column = rows_column(rows, name);
    struct span text = SPAN_NONE;
    assert(column >= 0);
    return rows_cell(rows, row, (size_t)column, &text) ? text : SPAN_NONE;
}

static const char *text_of(struct arena *arena, struct span text)
{
    return text.ptr ? arena_cstr(arena, text) : NULL;
}

static bool assignment_read(struct arena *arena, const struct rows *rows, size_t row,
                            struct assignment *ret_assignment)
{
    struct span role = cell(rows, row, "role"), scopes = cell(rows, row, "scopes"),
                rank = cell(rows, row, "rank");
    if (!role.ptr || !scopes.len || rank.len != 1 || rank.ptr[0] < '1' || rank.ptr[0] > '9')
        return false;
    struct assignment one = {
        .rank = rank.ptr[0] - '0',
        .needs_factor = span_is(cell(rows, row, "needs_factor"), "t"),
        .role = text_of(arena, role),
        .region = span_is(cell(rows, row, "national"), "t")
                      ? ""
                      : text_of(arena, cell(rows, row, "region_code")),
        .library_id = text_of(arena, cell(rows, row, "library_id")),
    };
    if (!scope_parse(scopes, false, &one.scopes))
        return false;
    *ret_assignment = one;
    return true;
}

static void standing_take(struct arena *arena, const struct rows *rows, uint32_t own,
                          struct standing *ret_standing)
{
    size_t count = rows_count(rows), kept = 0;
    struct assignment *list = arena_alloc(arena, (count + 1) * sizeof *list);
    for (size_t i = 0; i < count; i++)
        kept += assignment_read(arena, rows, i, &list[kept]);
    bool active = count > 0 && span_is(cell(rows, 0, "status"), "active");
    const char *limit = count > 0 ? text_of(arena, cell(rows, 0, "allowed_region")) : NULL;
    struct span rate = count > 0 ? cell(rows, 0, "rate_per_minute") : SPAN_NONE;
    *ret_standing = (struct standing){
        active, list, kept, limit, rate.ptr ? strtoll(arena_cstr(arena, rate), NULL, 10) : 0, own};
}

static void secrets_take(const struct rows *rows, struct client_secrets *ret_secrets)
{
    memset(ret_secrets, 0, sizeof *ret_secrets);
    for (size_t i = 0; i < rows_count(rows) && ret_secrets->count < CLIENT_SECRETS_MAX; i++)
        if (client_hash_read(cell(rows, i, "hash"), ret_secrets->hashes[ret_secrets->count]))
            ret_secrets->count++;
}

/* ---- reads ---------------------------------------------------------------------------------- */

static enum problem_code read_steps(struct pool *pool, const struct value *values,
                                    int64_t deadline_ms, const enum access_statement *which,
                                    size_t count, struct rows **ret_rows)
{
    struct query_step steps[2] = {{NULL, NULL, false}};
    assert(count <= 2);
    for (size_t i = 0; i < count; i++)
        steps[i] = (struct query_step){statements[which[i]], values, false};
    struct connection *connection;
    enum problem_code problem = pool_lend(pool, deadline_ms, &connection);
    if (problem != PROBLEM_NONE)
        return problem;
    struct query_failure failure = {.code = PROBLEM_NONE};
    problem = query_read(connection, steps, count, deadline_ms, ret_rows, &failure);
    pool_return(pool, connection);
    return problem; /* db/ has logged why */
}

enum problem_code access_standing(struct pool *pool, struct arena *arena, const char *client_id,
                                  const char *user_id, int64_t deadline_ms,
                                  struct standing *ret_standing)
{
    enum access_statement which = user_id ? ACCESS_user_assignments : ACCESS_principal_assignments;
    struct value *values = access_values(arena);
    access_bind(values, ACCESS_CLIENT_ID, span_of(client_id), arena);
    if (user_id)
        access_bind(values, ACCESS_USER_ID, span_of(user_id), arena);
    struct rows *rows = NULL;
    enum problem_code problem = read_steps(pool, values, deadline_ms, &which, 1, &rows);
    if (problem == PROBLEM_NONE)
        standing_take(arena, rows, user_id ? scope_account() : 0, ret_standing);
    rows_free(rows);
    return problem;
}

/* The libraries of the standing as an array literal; uuids need no quotes. NULL when it has none. */
static const char *libraries_literal(struct arena *arena, const struct standing *standing)
{
    char *literal = NULL;
    for (size_t i = 0; i < standing->assignment_count; i++)
        if (standing->assignments[i].library_id)
            literal = arena_printf(arena, "%s%s",
                                   literal ? arena_printf(arena, "%s,", literal) : "{",
                                   standing->assignments[i].library_id);
    return literal ? arena_printf(arena, "%s}", literal) : NULL;
}

static bool row_holds(const struct rows *rows, const char *id)
{
    for (size_t i = 0; i < rows_count(rows); i++)
        if (span_is(cell(rows, i, "id"), id))
            return true;
    return false;
}

enum problem_code access_limit(struct pool *pool, struct arena *arena, int64_t deadline_ms,
                               struct standing *standing)
{
    static const enum access_statement which[] = {ACCESS_libraries_within};
    const char *libraries = standing->limit ? libraries_literal(arena, standing) : NULL;
    if (!libraries)
        return PROBLEM_NONE;
    struct value *values = access_values(arena);
    access_bind(values, ACCESS_REGION, span_of(standing->limit), arena);
    access_bind(values, ACCESS_LIBRARY_IDS, span_of(libraries), arena);
    struct rows *rows = NULL;
    enum problem_code problem = read_steps(pool, values, deadline_ms, which, 1, &rows);
    if (problem != PROBLEM_NONE)
        return problem;
    struct assignment *kept = arena_alloc(arena, (standing->assignment_count + 1) * sizeof *kept);
    for (size_t i = 0; i < standing->assignment_count; i++) {
        kept[i] = standing->assignments[i];
        if (kept[i].library_id && !row_holds(rows, kept[i].library_id))
            kept[i].library_id = NULL; /* nowhere: what it may read everywhere stays */
    }
    standing->assignments = kept;
    rows_free(rows);
    return PROBLEM_NONE;
}

enum problem_code access_credentials(struct pool *pool, struct arena *arena, const char *client_id,
                                     int64_t deadline_ms, struct standing *ret_standing,
                                     struct client_secrets *ret_secrets)
{
    static const enum access_statement which[] = {ACCESS_principal_assignments,
                                                  ACCESS_client_secret_hashes};
    struct value *values = access_values(arena);
    access_bind(values, ACCESS_CLIENT_ID, span_of(client_id), arena);
    struct rows *rows[2] = {NULL, NULL};
    enum problem_code problem = read_steps(pool, values, deadline_ms, which, 2, rows);
    if (problem == PROBLEM_NONE) {
        standing_take(arena, rows[0], 0, ret_standing);
        secrets_take(rows[1], ret_secrets);
    }
    rows_free(rows[0]);
    rows_free(rows[1]);
    return problem;
}

static bool api_key_take(const struct rows *rows, struct api_key *ret_key)
{
    struct span id = cell(rows, 0, "id"), client_id = cell(rows, 0, "client_id"),
                scopes = cell(rows, 0, "scopes"), expires = cell(rows, 0, "expires");
    struct api_key key = {.expires_s = INT64_MAX};
    if (id.len >= sizeof key.id || client_id.len >= sizeof key.client_id ||
        !scope_parse(scopes, false, &key.scopes))
        return false;
    memcpy(key.id, id.ptr, id.len);
    memcpy(key.client_id, client_id.ptr, client_id.len);
    if (expires.ptr) {
        char text[24];
        snprintf(text, sizeof text, "%.*s", SPAN_ARG(expires));
        key.expires_s = strtoll(text, NULL, 10);
    }
    *ret_key = key;
    return true;
}

enum problem_code access_api_key(struct pool *pool, struct arena *arena,
                                 const unsigned char hash[32], int64_t deadline_ms,
                                 struct api_key *ret_key)
{
    static const enum access_statement which[] = {ACCESS_find_api_key};
    struct value *values = access_values(arena);
    char text[65];
    client_hash_write(hash, text);
    access_bind(values, ACCESS_SECRET_HASH, span_of(text), arena);
    struct rows *rows = NULL;
    enum problem_code problem = read_steps(pool, values, deadline_ms, which, 1, &rows);
    if (problem == PROBLEM_NONE && (rows_count(rows) != 1 || !api_key_take(rows, ret_key)))
        *ret_key = (struct api_key){.id = ""};
    rows_free(rows);
    return problem;
}
