/* Rows as CSV, RFC 4180. Never to be broken: no text of a client's begins a cell so that a
 * spreadsheet runs it. */
#include "api/row_plan_steps.h"

static bool is_run_by_spreadsheets(char c)
{
    return c == '=' || c == '+' || c == '-' || c == '@' || c == '\t' || c == '\r' || c == '\n';
}

/* Text as a field: quoted where it must be. An empty text is "", because an empty field is NULL. */
static void add_field(struct buffer *buffer, struct span text, bool guard)
{
    bool apostrophe = guard && text.len && is_run_by_spreadsheets(text.ptr[0]);
    bool quote = text.len == 0;
    for (size_t i = 0; i < text.len && !quote; i++)
        quote = text.ptr[i] == '"' || text.ptr[i] == ',' || text.ptr[i] == '\r' ||
                text.ptr[i] == '\n';
    buffer_reserve(buffer, 2 * text.len + 3);
    if (quote)
        buffer_char(buffer, '"');
    if (apostrophe)
        buffer_char(buffer, '\'');
    if (!quote) {
        buffer_span(buffer, text);
        return;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"')
            buffer_char(buffer, '"');
        buffer_char(buffer, text.ptr[i]);
    }
    buffer_char(buffer, '"');
}

static void add_cell(struct buffer *buffer, enum cell_type type, struct span cell)
{
    switch (type) {
    case CELL_NUMBER:
        buffer_span(buffer, cell);
        break;
    case CELL_BOOLEAN:
        buffer_span(buffer, cell.len && cell.ptr[0] == 't' ? SPAN("true") : SPAN("false"));
        break;
    case CELL_TIMESTAMP:
        buffer_reserve(buffer, cell.len + 3);
        buffer->len = (size_t)(write_timestamp(buffer->data + buffer->len, cell) - buffer->data);
        break;
    case CELL_JSON:
        add_field(buffer, cell, false);
        break;
    case CELL_TEXT:
        add_field(buffer, cell, true);
        break;
    }
}

/* Where there may be tombstones their key and deleted_at are columns, whatever fields were asked for. */
static bool is_column(const struct row_plan *plan, uint16_t column)
{
    return plan->kept[column] || column == plan->deleted_at ||
           (plan->deleted_at >= 0 && column == plan->key);
}

void write_csv_header(struct buffer *buffer, const struct row_plan *plan)
{
    bool comma = false;
    for (uint16_t i = 0; i < plan->column_count; i++) {
        if (!is_column(plan, i))
            continue;
        if (comma)
            buffer_char(buffer, ',');
        add_field(buffer, span_of(i == plan->deleted_at ? plan->names[i] + 1 : plan->names[i]),
                  true);
        comma = true;
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

void write_csv(struct buffer *buffer, const struct row_plan *plan, const struct rows *rows,
               size_t row)
{
    struct span cells[plan->column_count + 1u];
    bool comma = false;
    row_cells(plan, rows, row, cells);
    clear_null_objects(plan, cells);
    bool deleted = plan->deleted_at >= 0 && cells[plan->deleted_at].ptr;
    for (uint16_t i = 0; i < plan->column_count; i++) {
        if (!is_column(plan, i))
            continue;
        if (comma)
            buffer_char(buffer, ',');
        comma = true;
        if (cells[i].ptr && is_shown(plan, i, deleted))
            add_cell(buffer, (enum cell_type)plan->types[i], cells[i]);
        else if (plan->one_column) /* an empty line would be no record */
            BUFFER_LITERAL(buffer, "\"\"");
    }
    BUFFER_LITERAL(buffer, "\r\n");
}
