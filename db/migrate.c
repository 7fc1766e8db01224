/* The migrator. The rule never to break: a migration and the row that records it are one
 * transaction, and one migrator at a time works on a database.
 *
 * Order: functions whose file begins with "base" (migrations use them), the migrations not yet
 * applied, then all functions in one transaction. A function file may use anything the
 * migrations made, and stands for the state it leaves: it is run again whenever it is
 * migrated. */
#include "db/migrate.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "db/connection.h"
#include "db/embed.h"
#include "db/query.h"

#define MIGRATOR_LOCK "7305810268471213644" /* of pg_advisory_lock; any number, always the same */
#define TRIES 5                             /* of a migration that found a table locked */
#define FUNCTIONS_ROW "functions" /* the row of schema_migration that stands for all of them */

struct migrate {
    PGconn *pg;
    FILE *out;
};

/* ---- running SQL ----------------------------------------------------------------------------- */

/* The line of the file that PG_DIAG_STATEMENT_POSITION means, 0 when there is none. It counts
 * characters. */
static long position_line(const char *text, const char *position)
{
    long line = 1, left = position ? strtol(position, NULL, 10) - 1 : -1;
    if (left < 0)
        return 0;
    for (; *text && left > 0; text++) {
        if (((unsigned char)*text & 0xC0U) != 0x80U)
            left--;
        line += *text == '\n';
    }
    return line;
}

static void error_print(const struct migrate *migrate, const char *name, const char *text,
                        const PGresult *result)
{
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
    const char *context = PQresultErrorField(result, PG_DIAG_CONTEXT);
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    long line = position_line(text, PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION));
    if (!message)
        message = PQerrorMessage(migrate->pg);
    fprintf(migrate->out, "%s", name);
    if (line)
        fprintf(migrate->out, ":%ld", line);
    fprintf(migrate->out, ": %.*s (%s)\n", (int)strcspn(message, "\n"), message,
            sqlstate ? sqlstate : "no server");
    if (detail)
        fprintf(migrate->out, "  detail: %s\n", detail);
    if (hint)
        fprintf(migrate->out, "  hint: %s\n", hint);
    if (context)
        fprintf(migrate->out, "  at: %s\n", context);
}

/* Somebody else's lock: waited for too long (lock_not_available), or each waited for the other (deadlock_detected). */
static bool in_the_way(const char *sqlstate)
{
    return strcmp(sqlstate, "55P03") == 0 || strcmp(sqlstate, "40P01") == 0;
}

/* Runs a text of one or more statements. ret_sqlstate may be NULL: then faults are told, else
 * the caller decides. */
static bool run(const struct migrate *migrate, const char *name, const char *text,
                char *ret_sqlstate)
{
    PGresult *result = PQexec(migrate->pg, text);
    ExecStatusType status = PQresultStatus(result);
    bool good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ||
                status == PGRES_EMPTY_QUERY;
    if (ret_sqlstate) {
        const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        snprintf(ret_sqlstate, 6, "%s", good || !state ? "" : state);
    }
    if (!good && !(ret_sqlstate && in_the_way(ret_sqlstate)))
        error_print(migrate, name, text, result);
    PQclear(result);
    return good;
}

static PGresult *ask(const struct migrate *migrate, const char *text, int count,
                     const char *const *values)
{
    PGresult *result = PQexecParams(migrate->pg, text, count, NULL, values, NULL, NULL, 0);
    if (PQresultStatus(result) == PGRES_TUPLES_OK)
        return result;
    error_print(migrate, "(migrator)", text, result);
    PQclear(result);
    return NULL;
}

static bool ask_yes(const struct migrate *migrate, const char *text, int count,
                    const char *const *values)
{
    PGresult *result = ask(migrate, text, count, values);
    bool yes = result && PQntuples(result) == 1 && PQgetvalue(result, 0, 0)[0] == 't';
    PQclear(result);
    return yes;
}

static bool record(const struct migrate *migrate, const char *name, const char *checksum)
{
    PGresult *result = ask(
        migrate,
        "INSERT INTO schema_migration (name, checksum) VALUES ($1, $2) ON CONFLICT (name)"
        " DO UPDATE SET checksum = excluded.checksum, applied_at = now() RETURNING name",
        2, (const char *const[]){name, checksum});
    PQclear(result);
    return result != NULL;
}

/* ---- the steps ------------------------------------------------------------------------------- */

/* The service's role: it may connect and owns nothing; what it may do, functions/ and
 * migrations/ grant. */
static bool role_create(const struct migrate *migrate)
{
    static const char *const text =
        "DO $do$ BEGIN\n"
        "    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tpbis_api') THEN\n"
        "        CREATE ROLE tpbis_api LOGIN;\n"
        "    END IF;\n"
        "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;\n" /* another database's migrator */
        "END $do$;\n"
        "DO $do$ BEGIN\n"
        "    EXECUTE format('GRANT CONNECT ON DATABASE %I TO tpbis_api', current_database());\n"
        "END $do$;\n"
        "GRANT USAGE ON SCHEMA public TO tpbis_api;\n";
    return run(migrate, "(role tpbis_api)", text, NULL);
}

static bool prepare(const struct migrate *migrate)
{
    /* The lock waits for another migrator; its own work then finds nothing left to do. */
    return run(migrate, "(migrator)",
               "SET client_min_messages = warning; SET search_path = public; SET TimeZone = 'UTC';"
               " SET lock_timeout = '120s'; SELECT pg_advisory_lock(" MIGRATOR_LOCK ");"
               " SET lock_timeout = '3s'",
               NULL) &&
           role_create(migrate) &&
           run(migrate, "(schema_migration)",
               "CREATE TABLE IF NOT EXISTS schema_migration ("
               " name text COLLATE \"C\" NOT NULL, applied_at timestamptz NOT NULL DEFAULT now(),"
               " checksum text NOT NULL, CONSTRAINT schema_migration_pkey PRIMARY KEY (name));"
               "GRANT SELECT ON schema_migration TO tpbis_api",
               NULL);
}

/* Files first to last in one transaction, recorded under `name` when it is not NULL. Tried
 * again when a table was locked: the service is at work beside us. */
static bool files_apply(const struct migrate *migrate, const struct embedded_file *files,
                        size_t count, const char *name, const char *checksum)
{
    for (int try = 1;; try++) {
        char sqlstate[6] = "";
        const char *at = count ? files[0].name : "(none)";
        bool good = run(migrate, at, "BEGIN", NULL);
        for (size_t i = 0; i < count && good; i++) {
            at = files[i].name;
            good = run(migrate, at, files[i].text, sqlstate);
            if (good && PQtransactionStatus(migrate->pg) != PQTRANS_INTRANS) {
                fprintf(migrate->out, "%s: ended the transaction it runs in\n", at);
                return false;
            }
        }
        good = good && (!name || record(migrate, name, checksum)) &&
               run(migrate, at, "COMMIT", NULL);
        if (good)
            return true;
        if (PQstatus(migrate->pg) != CONNECTION_OK || !run(migrate, at, "ROLLBACK", NULL))
            return false;
        if (!in_the_way(sqlstate))
            return false;
        fprintf(migrate->out, "%s: a table is locked%s\n", at,
                try < TRIES ? ", trying again" : ", giving up");
        if (try == TRIES)
            return false;
        nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
    }
}

/* Applies one migration unless it is recorded. False also when it was changed after it had
 * been applied. */
static bool migration_apply(const struct migrate *migrate, const struct embedded_file *file,
                            size_t *ret_applied)
{
    const char *const values[] = {file->name, file->checksum};
    if (ask_yes(migrate,
                "SELECT EXISTS (SELECT FROM schema_migration WHERE name = $1 AND checksum = $2)", 2,
                values))
        return true;
    if (ask_yes(migrate, "SELECT EXISTS (SELECT FROM schema_migration WHERE name = $1)", 1,
                values)) {
        fprintf(migrate->out,
                "%s: was changed after it had been applied; write a new migration instead\n",
                file->name);
        return false;
    }
    if (PQstatus(migrate->pg) != CONNECTION_OK ||
        !files_apply(migrate, file, 1, file->name, file->checksum))
        return false;
    fprintf(migrate->out, "applied %s\n", file->name);
    fflush(migrate->out);
    (*ret_applied)++;
    return true;
}

static bool migrate_all(const struct migrate *migrate)
{
    size_t base = 0, applied = 0;
    while (base < embedded_function_count && strncmp(embedded_functions[base].name, "base", 4) == 0)
        base++;
    if (!prepare(migrate) || (base && !files_apply(migrate, embedded_functions, base, NULL, NULL)))
        return false;
    for (size_t i = 0; i < embedded_migration_count; i++)
        if (!migration_apply(migrate, &embedded_migrations[i], &applied))
            return false;
    if (!files_apply(migrate, embedded_functions, embedded_function_count, FUNCTIONS_ROW,
                     embedded_functions_checksum))
        return false;
    fprintf(migrate->out, "schema: %zu migrations, %zu applied now; functions replaced\n",
            embedded_migration_count, applied);
    return true;
}

bool migrate_run(const char *url, FILE *out)
{
    struct migrate migrate = {.pg = session_open_plain(url, out), .out = out};
    bool good = migrate.pg && migrate_all(&migrate);
    PQfinish(migrate.pg); /* lets go of the lock, too */
    fflush(out);
    return good;
}

/* ---- checking -------------------------------------------------------------------------------- */

static const char *recorded(const struct rows *rows, const char *name)
{
    struct span cell;
    for (size_t row = 0; row < rows_count(rows); row++)
        if (rows_cell(rows, row, 0, &cell) && span_is(cell, name))
            return rows_cell(rows, row, 1, &cell) ? cell.ptr : NULL;
    return NULL;
}

bool migrate_matches(const struct rows *rows, FILE *out)
{
    size_t known = 0;
    bool matching = true;
    for (size_t i = 0; i < embedded_migration_count; i++) {
        const char *checksum = recorded(rows, embedded_migrations[i].name);
        known += checksum != NULL;
        if (checksum && strcmp(checksum, embedded_migrations[i].checksum) == 0)
            continue;
        fprintf(out, "%s: %s\n", embedded_migrations[i].name,
                checksum ? "the database has another version of it"
                         : "not applied; run the migrate command");
        matching = false;
    }
    const char *functions = recorded(rows, FUNCTIONS_ROW);
    size_t more = rows_count(rows) - known - (functions != NULL);
    if (more > 0) /* a newer binary's, made to run beside this one; so are its functions */
        fprintf(out, "the database has %zu migrations that this binary does not know\n", more);
    else if (!functions || strcmp(functions, embedded_functions_checksum) != 0) {
        fprintf(out, "the database's functions are of another version; run the migrate command\n");
        matching = false;
    }
    return matching;
}

static const char hint[] = "hint: run `tpbis migrate` with the owner's database URL\n";

int migrate_check(const char *url, FILE *out)
{
    struct migrate migrate = {.pg = session_open_plain(url, out), .out = out};
    int answer = -1;
    if (!migrate.pg)
        return -1;
    if (!ask_yes(&migrate, "SELECT to_regclass('public.schema_migration') IS NOT NULL", 0, NULL)) {
        if (PQstatus(migrate.pg) == CONNECTION_OK) {
            fprintf(out, "the database is empty; run the migrate command\n%s", hint);
            answer = 0;
        }
    } else if (ask_yes(&migrate,
                       "SELECT r.rolsuper OR pg_has_role(c.relowner, 'MEMBER') FROM pg_roles r,"
                       " pg_class c WHERE r.rolname = current_user"
                       " AND c.oid = 'public.schema_migration'::regclass",
                       0, NULL)) {
        fprintf(out, "the role of this database URL owns the schema; the service's own role,"
                     " tpbis_api, owns nothing\n");
        answer = 0;
    } else {
        PGresult *rows = ask(&migrate, "SELECT name, checksum FROM public.schema_migration", 0,
                             NULL);
        if (rows)
            answer = migrate_matches(&(struct rows){rows}, out);
        if (answer == 0)
            fputs(hint, out);
        PQclear(rows);
    }
    PQfinish(migrate.pg);
    return answer;
}
