/* Makes a client for the command line. Rule: nothing is written before every fault is known, and
 * client, secret and assignment are one transaction. */
#include "auth/client.h"

#include "api/base/clock.h"
#include "api/base/uuid.h"
#include "auth/access.h"
#include "auth/token.h"

#define DEADLINE_MS 30000
#define NAME_MAX_BYTES 200

/* ---- what may be wished --------------------------------------------------------------------- */

enum place {
    PLACE_INDONESIA = 1,
    PLACE_PROVINCE = 2,
    PLACE_REGENCY = 4,
    PLACE_BELOW = 8,
    PLACE_LIBRARY = 16
};
#define PLACE_ANY (PLACE_INDONESIA | PLACE_PROVINCE | PLACE_REGENCY | PLACE_BELOW | PLACE_LIBRARY)

static const struct {
    const char *role;
    unsigned places;
    const char *words;
} role_places[] = {
    {"national_admin", PLACE_INDONESIA, "Indonesia as a whole, without region or library"},
    {"national_analyst", PLACE_INDONESIA, "Indonesia as a whole, without region or library"},
    {"provincial_coordinator", PLACE_PROVINCE, "a province, such as 19"},
    {"team_member", PLACE_PROVINCE | PLACE_REGENCY,
     "a province or a kabupaten/kota, such as 19 or 19.01"},
    {"regency_facilitator", PLACE_REGENCY, "a kabupaten/kota, such as 19.01"},
    {"library_manager", PLACE_LIBRARY, "a library"},
};

static bool given(const char *text)
{
    return text && text[0] != '\0';
}

static bool region_form(const char *code) /* digits in groups between single dots */
{
    size_t len = strlen(code);
    if (len > 13)
        return false;
    for (size_t i = 0; i < len; i++) {
        bool digit = code[i] >= '0' && code[i] <= '9';
        if (!digit && (code[i] != '.' || i == 0 || i + 1 == len || code[i - 1] == '.'))
            return false;
    }
    return true;
}

static bool role_form(const char *role)
{
    for (const char *at = role; *at; at++)
        if (*at != '_' && (*at < 'a' || *at > 'z'))
            return false;
    return strlen(role) <= 41;
}

static bool is_public(const struct client_details *details)
{
    return details->type && strcmp(details->type, "public") == 0;
}

static bool details_check(const struct new_client *wanted, const struct client_details *details,
                          FILE *errors)
{
    bool good = true;
    if (details->type && !is_public(details) && strcmp(details->type, "confidential") != 0) {
        fputs("type: must be public or confidential\n", errors);
        good = false;
    }
    if (!given(wanted->role) && !is_public(details)) {
        fputs("role: must be given, unless the client is public and people use it\n", errors);
        good = false;
    }
    if (!given(wanted->role) && (given(wanted->region) || given(wanted->library_id))) {
        fputs("region and library: say where a role holds, so a role must be given\n", errors);
        good = false;
    }
    return good;
}

bool client_form_check(const struct new_client *wanted, FILE *errors)
{
    bool good = true;
    if (!given(wanted->name) || wanted->name[strspn(wanted->name, " \t\r\n")] == '\0' ||
        strlen(wanted->name) > NAME_MAX_BYTES) {
        fprintf(errors, "name: must have 1 to %d bytes that are not all blank\n", NAME_MAX_BYTES);
        good = false;
    }
    if (given(wanted->role) && !role_form(wanted->role)) {
        fputs("role: must be the name of a role, such as portal\n", errors);
        good = false;
    }
    if (given(wanted->region) && given(wanted->library_id)) {
        fputs("region and library: an assignment has one or the other\n", errors);
        good = false;
    }
    if (given(wanted->region) && !region_form(wanted->region)) {
        fputs("region: must be a dotted Kemendagri code, such as 19.01\n", errors);
        good = false;
    }
    if (given(wanted->library_id) && !uuid_valid(span_of(wanted->library_id))) {
        fputs("library: must be the UUID of a library\n", errors);
        good = false;
    }
    return good;
}

static enum place place_of(const struct new_client *wanted, const char *region_level)
{
    if (given(wanted->library_id))
        return PLACE_LIBRARY;
    if (!given(wanted->region))
        return PLACE_INDONESIA;
    if (strcmp(region_level, "province") == 0)
        return PLACE_PROVINCE;
    return strcmp(region_level, "regency") == 0 ? PLACE_REGENCY : PLACE_BELOW;
}

bool client_place_check(const struct new_client *wanted, const struct client_facts *facts,
                        FILE *errors)
{
    bool good = true;
    if (!facts->role_known) {
        fprintf(errors, "role: there is no role %s\n", wanted->role);
        good = false;
    }
    if (given(wanted->library_id) && !facts->library_known) {
        fprintf(errors, "library: there is no library %s\n", wanted->library_id);
        good = false;
    }
    if (given(wanted->region) && !facts->region_level) {
        fprintf(errors, "region: no region %s is in force\n", wanted->region);
        return false; /* and so of no level to judge */
    }
    unsigned places =
        PLACE_ANY; /* of a role that may be anywhere: integration, portal, public_app */
    const char *words = "";
    for (size_t i = 0; i < sizeof role_places / sizeof *role_places; i++)
        if (strcmp(role_places[i].role, wanted->role) == 0) {
            places = role_places[i].places;
            words = role_places[i].words;
        }
    if (!(places & place_of(wanted, facts->region_level))) {
        fprintf(errors, "%s: the role %s is for %s\n",
                given(wanted->library_id) ? "library" : "region", wanted->role, words);
        good = false;
    }
    return good;
}

/* ---- writing it ----------------------------------------------------------------------------- */

struct creation {
    struct connection *connection;
    struct arena *arena;
    struct value *values;
    int64_t deadline_ms;
    FILE *errors;
};

/* One step of the transaction; false when it failed, and then nothing is left of it. */
static bool step(const struct creation *creation, enum access_statement which,
                 struct rows **ret_rows)
{
    const struct write_context context = {.actor = SPAN("command line"),
                                          .client = SPAN_NONE,
                                          .request_id = SPAN_NONE,
                                          .operation = SPAN("client_create")};
    struct query_step one = {access_statement(which), creation->values, false};
    struct table_set changed = {{0}};
    struct query_failure failure = {.code = PROBLEM_NONE};
    struct rows *rows = NULL;
    enum problem_code problem = query_write(creation->connection, &context, &one, 1,
                                            creation->deadline_ms, &rows, &changed, &failure);
    if (problem != PROBLEM_NONE) {
        fprintf(creation->errors, "database: %s: %s %s\n", problem_texts[problem].code,
                failure.message, failure.arguments);
        rows_free(rows);
        return false;
    }
    *ret_rows = rows;
    return true;
}

static bool facts_read(const struct creation *creation, struct client_facts *ret_facts)
{
    struct rows *rows;
    if (!step(creation, ACCESS_client_create_facts, &rows))
        return false;
    int rank = rows_column(rows, "role_rank"), level = rows_column(rows, "region_level");
    int library = rows_column(rows, "library_known");
    bool good = rows_count(rows) == 1 && rank >= 0 && level >= 0 && library >= 0;
    if (good) {
        struct span text = SPAN_NONE;
        struct client_facts facts = {.role_known = rows_cell(rows, 0, (size_t)rank, &text)};
        if (rows_cell(rows, 0, (size_t)level, &text))
            facts.region_level = arena_cstr(creation->arena, text);
        facts.library_known = rows_cell(rows, 0, (size_t)library, &text) && span_is(text, "t");
        *ret_facts = facts;
    }
    rows_free(rows);
    return good;
}

static bool client_insert(const struct creation *creation, const char **ret_client_id)
{
    struct rows *rows;
    if (!step(creation, ACCESS_insert_client, &rows))
        return false;
    struct span id = SPAN_NONE;
    int column = rows_column(rows, "id");
    bool good = rows_count(rows) == 1 && column >= 0 && rows_cell(rows, 0, (size_t)column, &id) &&
                subject_valid(id);
    if (good)
        *ret_client_id = arena_cstr(creation->arena, id);
    rows_free(rows);
    return good;
}

static void bind(const struct creation *creation, enum access_name name, const char *text)
{
    if (text) /* else absent, which the statement reads as NULL */
        access_bind(creation->values, name, span_of(text), creation->arena);
}

static bool secret_insert(const struct creation *creation, const char **ret_secret)
{
    unsigned char hash[32];
    char *secret = arena_alloc(creation->arena, SECRET_LENGTH + 1), hash_text[65];
    struct rows *rows;
    secret_make(SECRET_CLIENT, secret, hash);
    client_hash_write(hash, hash_text);
    access_bind(creation->values, ACCESS_SECRET_HASH, span_of(hash_text), creation->arena);
    if (!step(creation, ACCESS_insert_client_secret, &rows))
        return false;
    rows_free(rows);
    *ret_secret = secret;
    return true;
}

static bool assignment_insert(const struct creation *creation)
{
    struct rows *rows;
    if (!step(creation, ACCESS_insert_assignment, &rows))
        return false;
    rows_free(rows);
    return true;
}

static bool write_client(const struct creation *creation, const struct new_client *wanted,
                         const struct client_details *details, const char **ret_client_id,
                         const char **ret_secret)
{
    struct arena *arena = creation->arena;
    struct client_facts facts;
    const char *client_id = NULL;
    access_bind(creation->values, ACCESS_CLIENT_NAME, span_of(wanted->name), arena);
    bind(creation, ACCESS_CLIENT_TYPE, details->type);
    bind(creation, ACCESS_CLIENT_REDIRECT_URIS, details->redirect_uris);
    bind(creation, ACCESS_CLIENT_SCOPES, details->scopes);
    bind(creation, ACCESS_CLIENT_OWNER_NAME, details->owner_name);
    bind(creation, ACCESS_CLIENT_OWNER_EMAIL, details->owner_email);
    access_bind(creation->values, ACCESS_ROLE, span_of(given(wanted->role) ? wanted->role : ""),
                arena);
    access_bind(creation->values, ACCESS_REGION, span_of(wanted->region ? wanted->region : ""),
                arena);
    access_bind(creation->values, ACCESS_LIBRARY,
                span_of(wanted->library_id ? wanted->library_id : ""), arena);
    if (!facts_read(creation, &facts) ||
        (given(wanted->role) && !client_place_check(wanted, &facts, creation->errors)) ||
        !client_insert(creation, &client_id))
        return false;

    access_bind(creation->values, ACCESS_CLIENT_ID, span_of(client_id), arena);
    const char *secret = NULL;
    if ((!is_public(details) && !secret_insert(creation, &secret)) ||
        (given(wanted->role) && !assignment_insert(creation)))
        return false;
    struct query_failure failure = {.code = PROBLEM_NONE};
    enum problem_code problem = query_commit(creation->connection, creation->deadline_ms, &failure);
    if (problem != PROBLEM_NONE) {
        fprintf(creation->errors, "database: %s: %s\n", problem_texts[problem].code,
                failure.message);
        return false;
    }
    *ret_client_id = client_id;
    *ret_secret = secret;
    return true;
}

bool auth_client_create(const char *url, struct arena *arena, const struct new_client *wanted,
                        const struct client_details *details, const char **ret_client_id,
                        const char **ret_secret, FILE *errors)
{
    bool good = client_form_check(wanted, errors);
    if (!details_check(wanted, details, errors) || !good)
        return false;
    access_init();
    struct pool_options options = {
        .url = url, .size = 1, .lifetime_ms = INT64_C(600000), .statement_timeout_ms = DEADLINE_MS};
    struct pool *pool = pool_new(&options);
    struct creation creation = {NULL, arena, access_values(arena),
                                clock_monotonic_ms() + DEADLINE_MS, errors};
    enum problem_code problem = pool_lend(pool, creation.deadline_ms, &creation.connection);
    good = problem == PROBLEM_NONE;
    if (good) {
        good = write_client(&creation, wanted, details, ret_client_id, ret_secret);
        if (!good)
            query_rollback(
                creation.connection); /* also after a refusal of ours, with the transaction open */
        pool_return(pool, creation.connection);
    } else {
        fprintf(errors, "database: %s\n", problem_texts[problem].code);
    }
    pool_free(pool);
    return good;
}
