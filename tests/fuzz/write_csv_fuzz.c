/* Arbitrary cells as CSV, JSON and GeoJSON. A reader of RFC 4180 gets every cell back, no text
 * begins so that a spreadsheet runs it, and both JSON forms are JSON and hold the same texts.
 * Input: cells apart by a 0 byte, of the kinds below in turn; the cell "\1" is NULL. */
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>

#include "api/base/utf8.h"
#include "api/row_plan.h"
#include "tests/unit/api/fake_rows.h"

#define COLUMNS 5

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool truth)
{
    if (!truth)
        abort();
}

/* Reads one field of RFC 4180 into `field`; gives what follows its separator. */
static const char *read_field(const char *at, struct buffer *field, bool last)
{
    field->len = 0;
    if (*at == '"') {
        for (at++; *at; at++) {
            if (*at == '"' && *++at != '"')
                break;
            buffer_char(field, *at);
        }
    } else {
        for (; *at && *at != ',' && *at != '\r' && *at != '\n'; at++) {
            demand(*at != '"');
            buffer_char(field, *at);
        }
    }
    if (!last) {
        demand(*at == ',');
        return at + 1;
    }
    demand(at[0] == '\r' && at[1] == '\n');
    return at + 2;
}

static void check_csv(const struct row_plan *plan, const struct rows *rows)
{
    struct buffer csv = {0}, field = {0};
    write_csv(&csv, plan, rows, 0);
    buffer_char(&csv, '\0');
    const char *at = csv.data;
    for (size_t i = 0; i < COLUMNS; i++) {
        at = read_field(at, &field, i == COLUMNS - 1);
        struct span got = {field.data, field.len};
        /* of an object whose first cell is NULL nothing is told */
        const char *cell = i > 0 && i < 3 && !rows->cells[0][1] ? NULL : rows->cells[0][i];
        if (!cell) {
            demand(got.len == 0);
            continue;
        }
        demand(got.len == 0 || !memchr("=+-@\t\r\n", got.ptr[0], 7));
        bool guarded = cell[0] && strchr("=+-@\t\r\n", cell[0]);
        if (guarded) {
            demand(got.ptr[0] == '\'');
            got = (struct span){got.ptr + 1, got.len - 1};
        }
        demand(span_is(got, cell));
    }
    demand(*at == '\0');
    buffer_free(&csv);
    buffer_free(&field);
}

static void check_text(const json_t *object, const char *name, const char *cell)
{
    const json_t *value = json_object_get(object, name);
    demand(value != NULL);
    if (cell)
        demand(json_is_string(value) && strcmp(json_string_value(value), cell) == 0);
    else
        demand(json_is_null(value));
}

static void check_object(const json_t *object, const struct rows *rows)
{
    const json_t *region = json_object_get(object, "region");
    check_text(object, "name", rows->cells[0][0]);
    check_text(object, "tail", rows->cells[0][4]);
    if (!rows->cells[0][1]) {
        demand(json_is_null(region));
        return;
    }
    check_text(region, "code", rows->cells[0][1]);
    check_text(region, "name", rows->cells[0][2]);
}

static void check_json(const struct row_plan *plan, const struct rows *rows)
{
    struct buffer text = {0};
    for (size_t i = 0; i < COLUMNS; i++)
        if (rows->cells[0][i] && !utf8_valid(span_of(rows->cells[0][i])))
            return; /* PostgreSQL gives UTF-8 */
    write_json(&text, plan, rows, 0);
    json_t *json = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
    demand(json != NULL);
    check_object(json, rows);
    json_decref(json);
    text.len = 0;
    write_geojson(&text, plan, rows, 0);
    json = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
    demand(json != NULL);
    check_text(json, "id", rows->cells[0][3]);
    check_object(json_object_get(json, "properties"), rows);
    json_decref(json);
    buffer_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rows rows = {
        .columns = COLUMNS,
        .count = 1,
        .heads = {{"name", CELL_TEXT},
                  {"region.code", CELL_TEXT},
                  {"region.name", CELL_TEXT},
                  {"id", CELL_TEXT},
                  {"tail", CELL_TEXT}},
    };
    struct arena *arena = arena_new(16384);
    const char *at = (const char *)data, *end = at + size;
    for (size_t i = 0; i < COLUMNS; i++) {
        const char *stop = size && at < end ? memchr(at, 0, (size_t)(end - at)) : NULL;
        struct span cell = {at, (size_t)((stop ? stop : end) - at)};
        rows.cells[0][i] = span_is(cell, "\1") ? NULL
                                               : arena_cstr(arena, cell.len ? cell : SPAN(""));
        at = stop ? stop + 1 : end;
    }
    if (!rows.cells[0][3])
        rows.cells[0][3] = "id"; /* a feature without an id has none to check */
    struct row_plan *plan = row_plan_new(arena, &rows, NULL, 0, true);
    check_csv(plan, &rows);
    check_json(plan, &rows);
    arena_free(arena);
    return 0;
}
