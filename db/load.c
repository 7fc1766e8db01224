/* Loads reference data: the files are copied into temporary tables, then functions of the database
 * (db/functions/load_*.sql) compare and write. Rule: one transaction, and no decision about a region,
 * a library or a fact is taken here; this file only carries bytes and prints lines. */
#include "db/load.h"

#include "db/connection.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#ifndef TPBIS_REFERENCE_DIR
#define TPBIS_REFERENCE_DIR "db/reference"
#endif
#define PINNED_EDITION "idn-area-data/4.0.1"
#define PATH_BYTES 1024
#define CHUNK_BYTES (64 * 1024)
#define PROGRESS_ROWS 15000 /* a line each so many rows */

struct load {
    PGconn *connection;
    FILE *out;
    long rows_read, rows_all;
};

struct edition {
    char directory[PATH_BYTES], changes[PATH_BYTES]; /* changes: path of the file, or "" */
    char name[64], source[256], in_force_from[16];
};

/* The files of an edition, in order of the levels, and the temporary table each goes to. */
static const struct {
    const char *file, *table;
} level_files[] = {
    {"provinces", "staged_province (code, name)"},
    {"regencies", "staged_regency (code, province_code, name)"},
    {"districts", "staged_district (code, regency_code, name)"},
    {"villages", "staged_village (code, district_code, name)"},
};
#define LEVELS (sizeof level_files / sizeof *level_files)

static bool __attribute__((format(printf, 2, 3))) fail(struct load *load, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("load-reference: ", load->out);
    vfprintf(load->out, format, arguments);
    fputc('\n', load->out);
    va_end(arguments);
    return false;
}

/* The server's message and its detail, without the newline libpq ends them with. */
static bool fail_query(struct load *load, const PGresult *result)
{
    const char *message = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    const char *detail = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL) : NULL;
    const char *where = result ? PQresultErrorField(result, PG_DIAG_CONTEXT) : NULL;
    if (!message) {
        message = PQerrorMessage(load->connection);
    }
    fail(load, "%.*s", (int)strcspn(message, "\n"), message);
    if (detail) {
        fail(load, "detail: %s", detail);
    }
    if (where) {
        fail(load, "at: %.*s", (int)strcspn(where, "\n"), where);
    }
    return false;
}

/* Runs one statement; each row's first column is a line for the operator. */
static bool run(struct load *load, const char *sql, int count, const char *const *values)
{
    PGresult *result = count
                           ? PQexecParams(load->connection, sql, count, NULL, values, NULL, NULL, 0)
                           : PQexec(load->connection, sql);
    ExecStatusType status = PQresultStatus(result);
    bool good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    if (!good) {
        fail_query(load, result);
    } else if (status == PGRES_TUPLES_OK && PQnfields(result) > 0) {
        for (int row = 0; row < PQntuples(result); row++) {
            if (!PQgetisnull(result, row, 0) && PQgetlength(result, row, 0) > 0) {
                fprintf(load->out, "%s\n", PQgetvalue(result, row, 0));
            }
        }
        fflush(load->out);
    }
    PQclear(result);
    return good;
}

/* Is the one cell of this statement true? */
static bool ask(struct load *load, const char *sql, int count, const char *const *values,
                bool *ret_yes)
{
    PGresult *result = PQexecParams(load->connection, sql, count, NULL, values, NULL, NULL, 0);
    bool good = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1;
    if (good) {
        *ret_yes = *PQgetvalue(result, 0, 0) == 't';
    } else {
        fail_query(load, result);
    }
    PQclear(result);
    return good;
}

static bool path_join(struct load *load, char *ret_path, const char *directory, const char *name,
                      const char *suffix)
{
    int length = snprintf(ret_path, PATH_BYTES, "%s/%s%s", directory, name, suffix);
    return (length > 0 && length < PATH_BYTES) ||
           fail(load, "path too long: %s/%s", directory, name);
}

/* Finds NAME.csv.gz or NAME.csv. */
static bool csv_find(struct load *load, const char *directory, const char *name, char *ret_path)
{
    if (!path_join(load, ret_path, directory, name, ".csv.gz")) {
        return false;
    }
    if (access(ret_path, R_OK) == 0) {
        return true;
    }
    ret_path[strlen(ret_path) - strlen(".gz")] = '\0';
    return access(ret_path, R_OK) == 0 ||
           fail(load, "cannot read %s/%s.csv.gz, nor %s.csv there", directory, name, name);
}

static void print_thousands(FILE *out, long number)
{
    if (number >= 1000) {
        print_thousands(out, number / 1000);
        fprintf(out, ",%03ld", number % 1000);
    } else {
        fprintf(out, "%ld", number);
    }
}

static void print_progress(struct load *load)
{
    fputs("regions: ", load->out);
    print_thousands(load->out, load->rows_read);
    fputs(" of ", load->out);
    print_thousands(load->out, load->rows_all);
    fputc('\n', load->out);
    fflush(load->out);
}

static long count_lines(const char *bytes, int length)
{
    long lines = 0;
    const char *end = bytes + length;
    for (const char *at = bytes; (at = memchr(at, '\n', (size_t)(end - at))) != NULL; at++) {
        lines++;
    }
    return lines;
}

/* Reads the whole file once, a call of `take` for each chunk; gzread() takes plain files as well. */
static bool csv_read(struct load *load, const char *path,
                     bool (*take)(struct load *load, const char *bytes, int length))
{
    gzFile file = gzopen(path, "rb");
    if (!file) {
        return fail(load, "cannot open %s", path);
    }
    char *chunk = malloc(CHUNK_BYTES);
    if (!chunk) {
        abort();
    }
    bool good = true;
    int length;
    while (good && (length = gzread(file, chunk, CHUNK_BYTES)) > 0) {
        good = take(load, chunk, length);
    }
    int fault;
    const char *message = gzerror(file, &fault);
    if (good && fault != Z_OK && fault != Z_STREAM_END) { /* Z_BUF_ERROR: the file is cut off */
        good = fail(load, "%s is damaged: %s", path, message);
    }
    free(chunk);
    gzclose(file);
    return good;
}

static bool take_count(struct load *load, const char *bytes, int length)
{
    load->rows_all += count_lines(bytes, length);
    return true;
}

static bool take_copy(struct load *load, const char *bytes, int length)
{
    if (PQputCopyData(load->connection, bytes, length) != 1) {
        return fail_query(load, NULL);
    }
    if (load->rows_all == 0) { /* a small file, without progress */
        return true;
    }
    long before = load->rows_read;
    load->rows_read += count_lines(bytes, length);
    if (before / PROGRESS_ROWS != load->rows_read / PROGRESS_ROWS &&
        load->rows_read < load->rows_all) {
        print_progress(load);
    }
    return true;
}

/* The file's header must name just these columns: a later edition may have changed them. */
static bool csv_copy(struct load *load, const char *path, const char *table)
{
    char sql[512];
    snprintf(sql, sizeof sql, "COPY %s FROM STDIN WITH (FORMAT csv, HEADER match, ENCODING 'UTF8')",
             table);
    PGresult *result = PQexec(load->connection, sql);
    bool good = PQresultStatus(result) == PGRES_COPY_IN;
    if (!good) {
        fail_query(load, result);
        PQclear(result);
        return false;
    }
    PQclear(result);
    good = csv_read(load, path, take_copy);
    if (PQputCopyEnd(load->connection, good ? NULL : "the file could not be read") != 1 && good) {
        good = fail_query(load, NULL);
    }
    while ((result = PQgetResult(load->connection)) != NULL) {
        if (PQresultStatus(result) != PGRES_COMMAND_OK && good) {
            fail(load, "%s:", path);
            good = fail_query(load, result);
        }
        PQclear(result);
    }
    return good;
}

static bool set_text(struct load *load, char *ret_text, size_t bytes, const char *name,
                     const char *value)
{
    if (strlen(value) >= bytes) {
        return fail(load, "%s is too long: %s", name, value);
    }
    memcpy(ret_text, value, strlen(value) + 1);
    return true;
}

/* One line "key=value" of the file EDITION. */
static bool edition_line(struct load *load, struct edition *edition, char *line)
{
    line[strcspn(line, "\r\n")] = '\0';
    char *value = strchr(line, '=');
    if (line[0] == '\0' || line[0] == '#') {
        return true;
    }
    if (!value) {
        return fail(load, "%s/EDITION: not key=value: %s", edition->directory, line);
    }
    *value++ = '\0';
    if (strcmp(line, "edition") == 0) {
        return set_text(load, edition->name, sizeof edition->name, line, value);
    }
    if (strcmp(line, "source") == 0) {
        return set_text(load, edition->source, sizeof edition->source, line, value);
    }
    if (strcmp(line, "in_force_from") == 0) {
        return set_text(load, edition->in_force_from, sizeof edition->in_force_from, line, value);
    }
    if (strcmp(line, "changes") == 0) {
        return path_join(load, edition->changes, edition->directory, value, "");
    }
    return fail(load, "%s/EDITION: unknown key %s", edition->directory, line);
}

/* The folder's file EDITION: without the name and the day nothing can be dated. */
static bool edition_read(struct load *load, struct edition *edition)
{
    char path[PATH_BYTES], line[PATH_BYTES];
    if (!path_join(load, path, edition->directory, "EDITION", "")) {
        return false;
    }
    FILE *file = fopen(path, "r");
    if (!file) {
        return fail(load,
                    "cannot read %s: it holds the lines edition=NAME and in_force_from=YYYY-MM-DD",
                    path);
    }
    bool good = true;
    while (good && fgets(line, sizeof line, file)) {
        good = edition_line(load, edition, line);
    }
    fclose(file);
    if (good && (!edition->name[0] || !edition->in_force_from[0])) {
        good = fail(load, "%s lacks edition= or in_force_from=", path);
    }
    if (good && !edition->source[0]) {
        snprintf(edition->source, sizeof edition->source, "idn-area-data %s", edition->name);
    }
    return good;
}

/* The product's own edition is not asked for: it is needless where a newer one is loaded. */
static bool edition_needed(struct load *load, const struct edition *edition, bool own,
                           bool *ret_needed)
{
    const char *values[] = {edition->name, edition->in_force_from, own ? "true" : "false"};
    bool needed;
    if (!ask(load,
             "SELECT NOT EXISTS (SELECT FROM region_edition WHERE edition = $1"
             " OR ($3::boolean AND in_force_from >= $2::date))",
             3, values, &needed)) {
        return false;
    }
    if (!needed) {
        fprintf(load->out, "regions: edition %s, or a newer one, is loaded already\n",
                edition->name);
    }
    *ret_needed = needed;
    return true;
}

static bool load_regions(struct load *load, const struct edition *edition)
{
    const char *values[] = {edition->name, edition->in_force_from, edition->source};
    char paths[LEVELS][PATH_BYTES];
    for (size_t i = 0; i < LEVELS; i++) {
        if (!csv_find(load, edition->directory, level_files[i].file, paths[i]) ||
            !csv_read(load, paths[i], take_count)) {
            return false;
        }
    }
    load->rows_all -= (long)LEVELS; /* the header lines */
    load->rows_read = -(long)LEVELS;
    if (!run(load, "SELECT load_regions_stage()", 0, NULL)) {
        return false;
    }
    for (size_t i = 0; i < LEVELS; i++) {
        if (!csv_copy(load, paths[i], level_files[i].table)) {
            return false;
        }
    }
    print_progress(load);
    fprintf(load->out, "regions: comparing with what is in force, and writing\n");
    fflush(load->out);
    load->rows_all = 0;
    return (!edition->changes[0] ||
            csv_copy(
                load, edition->changes,
                "staged_change (change, code, level, name, successor_code, new_name, rule)")) &&
           run(load, "SELECT line FROM load_regions($1, $2::date, $3)", 3, values);
}

static bool load_libraries(struct load *load, const char *directory)
{
    char path[PATH_BYTES];
    return csv_find(load, directory, "facts/libraries", path) &&
           run(load, "SELECT load_libraries_stage()", 0, NULL) &&
           csv_copy(load, path,
                    "staged_library (id, name, kind, region_code, supervisor_id, starts_on, "
                    "starts_on_precision, source, note)") &&
           run(load, "SELECT line FROM load_libraries()", 0, NULL);
}

/* The other facts, each file with the temporary table it goes to. */
static const struct {
    const char *file, *table;
} fact_files[] = {
    {"organizations", "staged_organization (id, name, sector, region_code, source, note)"},
    {"programs",
     "staged_program (slug, name, description, started_on, started_on_precision, ended_on, "
     "ended_on_precision, legal_basis, sdgs, source, note)"},
    {"program_organizations",
     "staged_program_organization (program_slug, organization_id, role, source)"},
    {"phases", "staged_phase (id, program_slug, name, starts_on, starts_on_precision, ends_on, "
               "ends_on_precision, status, funding_sources, source, note)"},
    {"phase_targets", "staged_phase_target (phase_id, measure, value, source, note)"},
    {"published_figures",
     "staged_published_figure (id, program_slug, phase_id, measure, value, unit, "
     "scope, as_of, as_of_precision, source, note)"},
    {"participations", "staged_participation (id, phase_id, library_id, support, status, origin, "
                       "source, note)"},
    {"replications", "staged_replication (id, program_slug, phase_id, replicator_id, library_id, "
                     "status, status_on, status_on_precision, origin, source, undocumented, note)"},
    {"teams", "staged_team (id, name, region_code, formed_on, formed_on_precision, origin, source, "
              "undocumented, note)"},
    {"team_decrees",
     "staged_team_decree (id, team_id, kind, issued_by, valid_from, origin, source, note)"},
    {"team_members", "staged_team_member (id, team_id, position, organization_id, role, starts_on, "
                     "starts_on_precision, ends_on, ends_on_precision, replaces_id, decree_id, "
                     "source, note)"},
    {"team_meetings", "staged_team_meeting (id, team_id, kind, status, planned_for, "
                      "planned_for_precision, region_code, agenda, origin, source)"},
    {"team_work_plans", "staged_team_work_plan (id, team_id, title, kind, status, source)"},
};
#define FACT_FILES (sizeof fact_files / sizeof *fact_files)

static bool load_facts(struct load *load, const char *directory)
{
    char facts[PATH_BYTES], path[PATH_BYTES];
    if (!path_join(load, facts, directory, "facts", "") ||
        !run(load, "SELECT load_facts_stage()", 0, NULL)) {
        return false;
    }
    for (size_t i = 0; i < FACT_FILES; i++) {
        if (!csv_find(load, facts, fact_files[i].file, path) ||
            !csv_copy(load, path, fact_files[i].table)) {
            return false;
        }
    }
    return run(load, "SELECT line FROM load_facts()", 0, NULL);
}

/* Two loads at once wait for each other: the lock's number is "referenc" in ASCII. The last statement
 * has no column, so that run() prints nothing. */
static const char begin[] = "BEGIN ISOLATION LEVEL READ COMMITTED;"
                            "SELECT pg_advisory_xact_lock(x'7265666572656e63'::bigint);"
                            "SELECT set_config('tpbis.bulk', 'on', true),"
                            "       set_config('tpbis.operation', 'load_reference', true),"
                            "       set_config('client_min_messages', 'warning', true),"
                            "       set_config('jit', 'off', true);"
                            "SELECT";

bool load_reference(const struct load_options *options, FILE *out)
{
    struct load load = {.out = out};
    struct edition edition = {.name = ""};
    const char *directory = options->directory ? options->directory : TPBIS_REFERENCE_DIR;
    bool own = options->edition_directory == NULL;
    bool named = own ? path_join(&load, edition.directory, directory, PINNED_EDITION, "")
                     : set_text(&load, edition.directory, sizeof edition.directory, "directory",
                                options->edition_directory);
    if (!named || !edition_read(&load, &edition)) {
        return false;
    }
    load.connection = session_open_plain(options->owner_url, out);
    bool needed = false;
    bool good = load.connection && run(&load, begin, 0, NULL) &&
                edition_needed(&load, &edition, own, &needed) &&
                (!needed || load_regions(&load, &edition)) &&
                (!own || (load_libraries(&load, directory) && load_facts(&load, directory))) &&
                run(&load, "COMMIT", 0, NULL);
    PQfinish(load.connection);
    return good;
}
