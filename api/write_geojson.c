/* Rows as GeoJSON features, RFC 7946. Never to be broken: longitude stands before latitude
 * (section 3.1.1), and what has no place is a feature all the same, with geometry null
 * (section 3.2). */
#include "api/row_plan_steps.h"

#include <assert.h>

static char *write_geometry(char *at, const struct row_plan *plan, const struct span *cells)
{
    if (plan->latitude < 0 || plan->longitude < 0 || !cells[plan->latitude].ptr ||
        !cells[plan->longitude].ptr)
        return WRITE_LITERAL(at, "null");
    at = WRITE_LITERAL(at, "{\"type\":\"Point\",\"coordinates\":[");
    at = write_bytes(at, cells[plan->longitude].ptr, cells[plan->longitude].len);
    *at++ = ',';
    at = write_bytes(at, cells[plan->latitude].ptr, cells[plan->latitude].len);
    return WRITE_LITERAL(at, "]}");
}

void write_geojson(struct buffer *buffer, const struct row_plan *plan, const struct rows *rows,
                   size_t row)
{
    struct span cells[plan->column_count + 1u];
    size_t most = row_cells(plan, rows, row, cells);
    assert(plan->properties.list); /* the plan was made for features */
    buffer_reserve(buffer, 2 * most + plan->properties.literal_bytes + 256);
    char *start = buffer->data + buffer->len, *at = start;
    bool deleted = plan->deleted_at >= 0 && cells[plan->deleted_at].ptr;

    at = WRITE_LITERAL(at, "{\"type\":\"Feature\"");
    if (plan->key >= 0 && cells[plan->key].ptr) {
        at = WRITE_LITERAL(at, ",\"id\":");
        at = write_cell(at, (enum cell_type)plan->types[plan->key], cells[plan->key]);
    }
    at = WRITE_LITERAL(at, ",\"geometry\":");
    at = deleted ? WRITE_LITERAL(at, "null") : write_geometry(at, plan, cells);
    at = WRITE_LITERAL(at, ",\"properties\":");
    if (deleted) {
        at = WRITE_LITERAL(at, "{\"deleted_at\":");
        at = write_cell(at, (enum cell_type)plan->types[plan->deleted_at], cells[plan->deleted_at]);
        *at++ = '}';
    } else {
        at = write_steps(at, &plan->properties, cells);
    }
    *at++ = '}';
    buffer->len += (size_t)(at - start);
}
