/* Inside of row plans. Only row_plan.c and write_*.c include this. */
#ifndef API_ROW_PLAN_STEPS_H
#define API_ROW_PLAN_STEPS_H

#include "api/row_plan.h"

/* What is written of a row, in order. Every literal is complete: the comma before, the key, the
 * colon, the brace that opens. */
enum step_kind {
    STEP_CELL,
    STEP_OPEN, /* a nested object begins: "null", and on to `after`, when the cell of `column` is
                  NULL */
    STEP_CLOSE /* it ends */
};

struct row_step {
    uint8_t kind; /* enum step_kind */
    uint8_t type; /* enum cell_type */
    uint16_t column;
    uint16_t after; /* of STEP_OPEN: the step behind its STEP_CLOSE */
    uint16_t literal_len;
    const char *literal;
};

struct row_steps {
    struct row_step *list;
    uint16_t count;
    size_t literal_bytes; /* of all steps together, braces and "null" included */
};

struct row_plan {
    struct row_steps json;       /* the columns that are kept */
    struct row_steps properties; /* the same without id and location, made for GeoJSON alone */
    uint16_t column_count;       /* of the result */
    bool *kept;                  /* by column: it is written */
    const char **names;          /* by column */
    uint8_t *types;              /* by column */
    bool one_column;             /* in CSV */
    int key, deleted_at, latitude, longitude; /* columns, -1 when there is none */
    struct span key_literal;                  /* {"id": */
};

/* All cells of a row; ptr == NULL for NULL. Gives the most bytes that they can take as JSON. */
size_t row_cells(const struct row_plan *plan, const struct rows *rows, size_t row,
                 struct span *ret_cells);

/* The writers below put bytes at `at`, where there is room, and give the end. */
char *write_steps(char *at, const struct row_steps *steps, const struct span *cells);
char *write_cell(char *at, enum cell_type type, struct span cell);
char *write_string(char *at, struct span text);    /* as a JSON string with its quotes */
char *write_timestamp(char *at, struct span cell); /* RFC 3339, without quotes */

static inline char *write_bytes(char *at, const char *bytes, size_t len)
{
    memcpy(at, bytes, len);
    return at + len;
}
#define WRITE_LITERAL(at, literal) write_bytes((at), (literal), sizeof(literal) - 1)

#endif
