/* A result without a database: the test's own struct rows. All of rows_* is defined here, so that
 * db/query.c is not linked in. A cell NULL is NULL. And the arena that each test of a writer gets. */
#ifndef TESTS_UNIT_API_FAKE_ROWS_H
#define TESTS_UNIT_API_FAKE_ROWS_H

#include "db/query.h"

#define FAKE_COLUMNS_MAX 16

struct rows {
    size_t columns, count;
    struct {
        const char *name;
        enum cell_type type;
    } heads[FAKE_COLUMNS_MAX];
    const char *cells[4][FAKE_COLUMNS_MAX];
};

size_t rows_count(const struct rows *rows)
{
    return rows->count;
}

size_t rows_columns(const struct rows *rows)
{
    return rows->columns;
}

const char *rows_name(const struct rows *rows, size_t column)
{
    return rows->heads[column].name;
}

enum cell_type rows_type(const struct rows *rows, size_t column)
{
    return rows->heads[column].type;
}

int rows_column(const struct rows *rows, const char *name)
{
    for (size_t i = 0; i < rows->columns; i++)
        if (strcmp(rows->heads[i].name, name) == 0)
            return (int)i;
    return -1;
}

bool rows_cell(const struct rows *rows, size_t row, size_t column, struct span *ret_cell)
{
    if (!rows->cells[row][column])
        return false;
    *ret_cell = span_of(rows->cells[row][column]);
    return true;
}

void rows_free(struct rows *rows)
{
    (void)rows;
}

static struct arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = arena_new(65536);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

#endif
