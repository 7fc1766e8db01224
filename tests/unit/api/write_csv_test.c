/* Rows as CSV: RFC 4180, and no cell that a spreadsheet would run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/row_plan.h"
#include "tests/unit/api/fake_rows.h"

static const struct csv_form machine = {',', false}, people = {',', true}, semicolon = {';', true};

static const char *form_of(const struct csv_form *form, const struct rows *rows,
                           const struct span *fields, size_t count)
{
    struct buffer buffer = {0};
    struct row_plan *plan = row_plan_new(arena, rows, fields, count, false);
    write_csv_header(&buffer, plan, form);
    for (size_t i = 0; i < rows->count; i++)
        write_csv(&buffer, plan, form, rows, i);
    char *text = arena_cstr(arena, (struct span){buffer.data, buffer.len});
    buffer_free(&buffer);
    return text;
}

static const char *csv_of(const struct rows *rows, const struct span *fields, size_t count)
{
    return form_of(&machine, rows, fields, count);
}

/* The one cell of a result with one column beside another. */
static void expect_cell(enum cell_type type, const char *cell, const char *csv)
{
    const struct rows rows = {.columns = 2,
                              .count = 1,
                              .heads = {{"a", type}, {"b", CELL_NUMBER}},
                              .cells = {{cell, "1"}}};
    assert_string_equal(csv_of(&rows, NULL, 0), arena_printf(arena, "a,b\r\n%s,1\r\n", csv));
}

static void writes_every_kind(void **state)
{
    (void)state;
    static const struct rows rows = {
        .columns = 7,
        .count = 2,
        .heads = {{"@place", CELL_TEXT},
                  {"id", CELL_TEXT},
                  {"latitude", CELL_NUMBER},
                  {"contact_public", CELL_BOOLEAN},
                  {"region.code", CELL_TEXT},
                  {"region.province.name", CELL_TEXT},
                  {"updated_at", CELL_TIMESTAMP}},
        .cells = {{"x", "x1", "-6.2", "t", "19.01", "Babel", "2026-11-21 10:00:00.5+00"},
                  {"x", "x2", NULL, "f", NULL, "Babel", NULL}},
    };
    assert_string_equal(
        csv_of(&rows, NULL, 0),
        "id,latitude,contact_public,region.code,region.province.name,updated_at\r\n"
        "x1,-6.2,true,19.01,Babel,2026-11-21T10:00:00.5Z\r\n"
        "x2,,false,,,\r\n"); /* as in JSON: of an object that is null nothing is told */
    const struct span fields[] = {SPAN("region"), SPAN("id")};
    assert_string_equal(csv_of(&rows, fields, 2),
                        "id,region.code,region.province.name\r\nx1,19.01,Babel\r\nx2,,\r\n");
}

static void quotes_where_it_must(void **state)
{
    (void)state;
    expect_cell(CELL_TEXT, "plain text", "plain text");
    expect_cell(CELL_TEXT, "a,b", "\"a,b\"");
    expect_cell(CELL_TEXT, "a \"b\"", "\"a \"\"b\"\"\"");
    expect_cell(CELL_TEXT, "\"", "\"\"\"\"");
    expect_cell(CELL_TEXT, "a\nb", "\"a\nb\"");
    expect_cell(CELL_TEXT, "a\r\nb", "\"a\r\nb\"");
    expect_cell(CELL_TEXT, "Jl. Melati; \xc3\xa9", "Jl. Melati; \xc3\xa9");
    expect_cell(CELL_TEXT, NULL, "");
    expect_cell(CELL_TEXT, "", "\"\""); /* not NULL */
    expect_cell(CELL_JSON, "[{\"name\": \"x\"}, 2]", "\"[{\"\"name\"\": \"\"x\"\"}, 2]\"");
    expect_cell(CELL_JSON, "[]", "[]");
}

static void keeps_numbers_bare(void **state)
{
    (void)state;
    expect_cell(CELL_NUMBER, "-1", "-1");
    expect_cell(CELL_NUMBER, "+1", "+1");
    expect_cell(CELL_JSON, "-1", "-1");
}

static void writes_for_people(void **state)
{
    (void)state;
    static const struct rows rows = {
        .columns = 6,
        .count = 1,
        .heads = {{"id", CELL_UUID},
                  {"code", CELL_TEXT},
                  {"latitude", CELL_NUMBER},
                  {"founded_on", CELL_DATE},
                  {"name", CELL_TEXT},
                  {"open", CELL_BOOLEAN}},
        .cells = {{"01a1fdc3-5794-7ad4-bf33-412c110bd3ca", "19.01", "-6.25e-7", "2001-02-03",
                   "a;b,c", "t"}},
    };
    assert_string_equal(form_of(&people, &rows, NULL, 0),
                        "\xef\xbb\xbfid,code,latitude,founded_on,name,open\r\n"
                        "01a1fdc3-5794-7ad4-bf33-412c110bd3ca,\"\t19.01\",-6.25e-7,2001-02-03,"
                        "\"a;b,c\",true\r\n");
    assert_string_equal(form_of(&semicolon, &rows, NULL, 0),
                        "\xef\xbb\xbfid;code;latitude;founded_on;name;open\r\n"
                        "01a1fdc3-5794-7ad4-bf33-412c110bd3ca;\"\t19.01\";-6,25e-7;2001-02-03;"
                        "\"a;b,c\";true\r\n");
    assert_string_equal(csv_of(&rows, NULL, 0),
                        "id,code,latitude,founded_on,name,open\r\n"
                        "01a1fdc3-5794-7ad4-bf33-412c110bd3ca,19.01,-6.25e-7,2001-02-03,"
                        "\"a;b,c\",true\r\n");
}

static void a_single_null_is_still_a_record(void **state)
{
    (void)state;
    static const struct rows rows = {
        .columns = 1, .count = 2, .heads = {{"npp", CELL_TEXT}}, .cells = {{NULL}, {"1901"}}};
    assert_string_equal(csv_of(&rows, NULL, 0), "npp\r\n\"\"\r\n1901\r\n");
}

static void tells_tombstones(void **state)
{
    (void)state;
    static const struct rows rows = {
        .columns = 3,
        .count = 2,
        .heads = {{"id", CELL_TEXT}, {"name", CELL_TEXT}, {"@deleted_at", CELL_TIMESTAMP}},
        .cells = {{"x1", "Ilmu", NULL}, {"x2", "Ilmu", "2026-11-21 10:00:00+00"}},
    };
    assert_string_equal(csv_of(&rows, NULL, 0),
                        "id,name,deleted_at\r\nx1,Ilmu,\r\nx2,,2026-11-21T10:00:00Z\r\n");
    const struct span fields[] = {SPAN("name")}; /* the key is there whatever is asked for */
    assert_string_equal(csv_of(&rows, fields, 1),
                        "id,name,deleted_at\r\nx1,Ilmu,\r\nx2,,2026-11-21T10:00:00Z\r\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(writes_every_kind), TEST(quotes_where_it_must), TEST(keeps_numbers_bare),
        TEST(writes_for_people), TEST(tells_tombstones),     TEST(a_single_null_is_still_a_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
