/* Rows as JSON. Never to be broken: room for the whole row is reserved before its first byte, after
 * which nothing looks at the buffer's end; so the most a cell can take (row_cells) must be true. */
#include "api/row_plan_steps.h"

#include <stdint.h>

/* What follows the backslash; 0: the byte stands as it is; 1: \u00XX. */
static const unsigned char escapes[256] = {
    1, 1, 1, 1, 1, 1, 1, 1, 'b', 't', 'n', 1, 'f', 'r', 1, 1,           1,
    1, 1, 1, 1, 1, 1, 1, 1, 1,   1,   1,   1, 1,   1,   1, ['"'] = '"', ['\\'] = '\\',
};

/* Is one of the eight bytes below 0x20, a quote or a backslash? */
static inline bool needs_escape(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
    uint64_t quote = word ^ (ones * '"'), backslash = word ^ (ones * '\\');
    return (((word - ones * 0x20) & ~word) | ((quote - ones) & ~quote) |
            ((backslash - ones) & ~backslash)) &
           highs;
}

char *write_string(char *at, struct span text)
{
    static const char hex[] = "0123456789abcdef";
    const char *from = text.ptr, *end = text.ptr + text.len;
    *at++ = '"';
    while (from < end) {
        uint64_t word;
        while (end - from >= 8 && (memcpy(&word, from, 8), !needs_escape(word))) {
            memcpy(at, &word, 8);
            from += 8;
            at += 8;
        }
        /* the next eight bytes, or the last ones, singly: there may be one to escape */
        for (const char *stop = end - from < 8 ? end : from + 8; from < stop; from++) {
            unsigned char c = (unsigned char)*from, escape = escapes[c];
            if (!escape) {
                *at++ = (char)c;
                continue;
            }
            *at++ = '\\';
            if (escape != 1) {
                *at++ = (char)escape;
                continue;
            }
            at = WRITE_LITERAL(at, "u00");
            *at++ = hex[c >> 4];
            *at++ = hex[c & 15];
        }
    }
    *at++ = '"';
    return at;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "2026-11-21 10:00:00.123456+00" */
char *write_timestamp(char *at, struct span cell)
{
    char *start = at;
    size_t len = cell.len;
    if (len < 22 || cell.ptr[10] != ' ') /* none of ours: infinity is refused by constraints */
        return write_bytes(at, cell.ptr, len);
    if (memcmp(cell.ptr + len - 3, "+00", 3) == 0) {
        at = write_bytes(at, cell.ptr, len - 3);
        *at++ = 'Z';
    } else {
        at = write_bytes(at, cell.ptr, len);
        if (cell.ptr[len - 3] != ':') /* "+07" */
            at = WRITE_LITERAL(at, ":00");
    }
    start[10] = 'T';
    return at;
}

char *write_cell(char *at, enum cell_type type, struct span cell)
{
    if (!cell.ptr)
        return WRITE_LITERAL(at, "null");
    switch (type) {
    case CELL_NUMBER: /* NaN and Infinity are no JSON; constraints refuse them, a computed one is
                         null */
        if (cell.len == 0 || !is_digit(cell.ptr[cell.len - 1]))
            return WRITE_LITERAL(at, "null");
        return write_bytes(at, cell.ptr, cell.len);
    case CELL_BOOLEAN:
        return cell.len && cell.ptr[0] == 't' ? WRITE_LITERAL(at, "true")
                                              : WRITE_LITERAL(at, "false");
    case CELL_JSON:
        return write_bytes(at, cell.ptr, cell.len);
    case CELL_TIMESTAMP:
        *at++ = '"';
        at = write_timestamp(at, cell);
        *at++ = '"';
        return at;
    case CELL_TEXT:
    case CELL_DATE:
    case CELL_UUID:
        break;
    }
    return write_string(at, cell);
}

char *write_steps(char *at, const struct row_steps *steps, const struct span *cells)
{
    if (steps->count == 0)
        return WRITE_LITERAL(at, "{}");
    for (uint16_t i = 0; i < steps->count;) {
        const struct row_step *step = &steps->list[i++];
        at = write_bytes(at, step->literal, step->literal_len);
        if (step->kind == STEP_CELL) {
            at = write_cell(at, (enum cell_type)step->type, cells[step->column]);
        } else if (step->kind == STEP_OPEN && !cells[step->column].ptr) {
            at = WRITE_LITERAL(at, "null");
            i = step->after;
        }
    }
    *at++ = '}';
    return at;
}

void write_json(struct buffer *buffer, const struct row_plan *plan, const struct rows *rows,
                size_t row)
{
    struct span cells[plan->column_count + 1u];
    size_t most = row_cells(plan, rows, row, cells);
    buffer_reserve(buffer, most + plan->json.literal_bytes + plan->key_literal.len + 64);
    char *start = buffer->data + buffer->len, *at = start;
    if (plan->deleted_at >= 0 && cells[plan->deleted_at].ptr && plan->key >= 0) {
        at = write_bytes(at, plan->key_literal.ptr, plan->key_literal.len);
        at = write_cell(at, (enum cell_type)plan->types[plan->key], cells[plan->key]);
        at = WRITE_LITERAL(at, ",\"deleted_at\":");
        at = write_cell(at, (enum cell_type)plan->types[plan->deleted_at], cells[plan->deleted_at]);
        *at++ = '}';
    } else {
        at = write_steps(at, &plan->json, cells);
    }
    buffer->len += (size_t)(at - start);
}
