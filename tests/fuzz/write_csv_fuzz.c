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
static const char *read_field(const char *at, struct buffer *field, char separator, bool last)
{
    field->len = 0;
    if (*at == '"') {
        for (at++; *at; at++) {
            if (*at == '"' && *++at != '"')
                break;
            buffer_char(field, *at);
        }
    } else {
        for (; *at && *at != separator && *at != '\r' && *at != '\n'; at++) {
            demand(*at != '"');
            buffer_char(field, *at);
        }
    }
    if (!last) {
        demand(*at == separator);
        return at + 1;
    }
    demand(at[0] == '\r' && at[1] == '\n');
    return at + 2;
}

static bool begins_formula(struct span piece)
{
    while (piece.len && (piece.ptr[0] == ' ' || piece.ptr[0] == '"'))
        piece = (struct span){piece.ptr + 1, piece.len - 1};
    return piece.len && memchr("=+-@", piece.ptr[0], 4);
}

/* No cell that any reader could see, whatever it takes for a separator, begins a formula; and the field is the text but for
 * one apostrophe more where pieces begin. */
static void check_field(const struct csv_form *form, const char *field, const char *text)
{
    bool begin = true;
    field += form->people && field[0] == '\t';
    while (*field) {
        struct span piece = {field, strcspn(field, ",;\t\r\n")};
        bool guarded = begin && strspn(field, "'") == strspn(text, "'") + 1;
        demand(!begin || guarded || !begins_formula(piece));
        field += guarded;
        demand(*field == *text);
        begin = strchr(",;\t\r\n", *field) != NULL;
        field += *field != '\0';
        text += *text != '\0';
    }
    demand(!*text);
}

static void check_csv(const struct row_plan *plan, const struct rows *rows,
                      const struct csv_form *form)
{
    struct buffer csv = {0}, field = {0};
    write_csv(&csv, plan, form, rows, 0);
    buffer_char(&csv, '\0');
    const char *at = csv.data;
    for (size_t i = 0; i < COLUMNS; i++) {
        at = read_field(at, &field, form->separator, i == COLUMNS - 1);
        buffer_char(&field, '\0');
        /* of an object whose first cell is NULL nothing is told */
        const char *cell = i > 0 && i < 3 && !rows->cells[0][1] ? NULL : rows->cells[0][i];
        if (cell)
            check_field(form, field.data, cell);
        else
            demand(field.len == 1);
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
    static const struct csv_form forms[] = {{',', false}, {',', true}, {';', true}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        check_csv(plan, &rows, &forms[i]);
    check_json(plan, &rows);
    arena_free(arena);
    return 0;
}
