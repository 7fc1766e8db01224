/* Rows as CSV, RFC 4180. What text needs is csv_text.c's. */
#include "api/row_plan_steps.h"

#define BYTE_ORDER_MARK "\xEF\xBB\xBF"

static void number_add(struct buffer *buffer, const struct csv_form *form, struct span number)
{
    const char *point = form->separator == ';' ? memchr(number.ptr, '.', number.len) : NULL;
    size_t whole = point ? (size_t)(point - number.ptr) : number.len;
    buffer_span(buffer, (struct span){number.ptr, whole});
    if (!point)
        return;
    buffer_char(buffer, ',');
    buffer_span(buffer, (struct span){point + 1, number.len - whole - 1});
}

static void cell_add(struct buffer *buffer, const struct csv_form *form, enum cell_type type,
                     struct span cell)
{
    switch (type) {
    case CELL_NUMBER:
        number_add(buffer, form, cell);
        break;
    case CELL_BOOLEAN:
        buffer_span(buffer, cell.len && cell.ptr[0] == 't' ? SPAN("true") : SPAN("false"));
        break;
    case CELL_TIMESTAMP:
        buffer_reserve(buffer, cell.len + 3);
        buffer->len = (size_t)(write_timestamp(buffer->data + buffer->len, cell) - buffer->data);
        break;
    case CELL_JSON:
        csv_json_add(buffer, form, cell);
        break;
    case CELL_DATE:
    case CELL_UUID:
    case CELL_TEXT:
        csv_text_add(buffer, form, cell, type != CELL_TEXT);
        break;
    }
}

/* Where there may be tombstones their key and deleted_at are columns, whatever fields were asked for. */
static bool is_column(const struct row_plan *plan, uint16_t column)
{
    return plan->kept[column] || column == plan->deleted_at ||
           (plan->deleted_at >= 0 && column == plan->key);
}

void write_csv_header(struct buffer *buffer, const struct row_plan *plan,
                      const struct csv_form *form)
{
    bool begun = false;
    if (form->people)
        BUFFER_LITERAL(buffer, BYTE_ORDER_MARK);
    for (uint16_t i = 0; i < plan->column_count; i++) {
        if (!is_column(plan, i))
            continue;
        if (begun)
            buffer_char(buffer, form->separator);
        csv_text_add(buffer, form,
                     span_of(i == plan->deleted_at ? plan->names[i] + 1 : plan->names[i]), true);
        begun = true;
    }
    BUFFER_LITERAL(buffer, "\r\n");
}

/* Makes the cells of nested objects that are null all NULL, as they are in JSON. */
static void clear_null_objects(const struct row_plan *plan, struct span *cells)
{
    for (uint16_t i = 0; i < plan->json.count; i++) {
        const struct row_step *step = &plan->json.list[i];
        if (step->kind != STEP_OPEN || cells[step->column].ptr)
            continue;
        for (uint16_t k = i; k < step->after; k++)
            if (plan->json.list[k].kind == STEP_CELL)
                cells[plan->json.list[k].column] = SPAN_NONE;
    }
}

/* A tombstone has its key and deleted_at, and nothing else. */
static bool is_shown(const struct row_plan *plan, uint16_t column, bool deleted)
{
    return !deleted || column == plan->key || column == plan->deleted_at;
}

void write_csv(struct buffer *buffer, const struct row_plan *plan, const struct csv_form *form,
               const struct rows *rows, size_t row)
{
    struct span cells[plan->column_count + 1u];
    bool begun = false;
    row_cells(plan, rows, row, cells);
    clear_null_objects(plan, cells);
    bool deleted = plan->deleted_at >= 0 && cells[plan->deleted_at].ptr;
    for (uint16_t i = 0; i < plan->column_count; i++) {
        if (!is_column(plan, i))
            continue;
        if (begun)
            buffer_char(buffer, form->separator);
        begun = true;
        if (cells[i].ptr && is_shown(plan, i, deleted))
            cell_add(buffer, form, (enum cell_type)plan->types[i], cells[i]);
        else if (plan->one_column) /* an empty line would be no record */
            BUFFER_LITERAL(buffer, "\"\"");
    }
    BUFFER_LITERAL(buffer, "\r\n");
}
