/* Writes results as JSON, CSV and GeoJSON. Rule: the same row gives the same names in every format. */
#include "api/render.h"

#include "api/page.h"

void render_object(struct call *call, const struct rows *rows, struct span *ret_version)
{
    struct row_plan *plan = row_plan_new(call->arena, rows, call->fields, call->field_count,
                                         call->media == MEDIA_GEOJSON);
    struct buffer *body = &call->response.body;
    int version = rows_column(rows, "@version");
    struct span cell = SPAN("");
    if (version >= 0)
        rows_cell(rows, 0, (size_t)version, &cell);
    *ret_version = arena_copy(call->arena, cell);
    if (call->media == MEDIA_GEOJSON)
        write_geojson(body, plan, rows, 0);
    else
        write_json(body, plan, rows, 0);
}

void render_opening(struct buffer *buffer, const struct call *call, const struct row_plan *plan)
{
    if (call->media == MEDIA_CSV)
        write_csv_header(buffer, plan, &call->csv);
    else if (call->media == MEDIA_GEOJSON)
        BUFFER_LITERAL(buffer, "{\"type\":\"FeatureCollection\",\"features\":[");
    else
        BUFFER_LITERAL(buffer, "{\"items\":[");
}

void render_batch(struct buffer *buffer, const struct call *call, const struct row_plan *plan,
                  const struct rows *rows, size_t shown, bool first)
{
    uint8_t media = call->media;
    for (size_t row = 0; row < shown; row++) {
        if (media != MEDIA_CSV && !(first && row == 0))
            buffer_char(buffer, ',');
        if (media == MEDIA_CSV)
            write_csv(buffer, plan, &call->csv, rows, row);
        else if (media == MEDIA_GEOJSON)
            write_geojson(buffer, plan, rows, row);
        else
            write_json(buffer, plan, rows, row);
    }
}

void render_closing(struct buffer *buffer, uint8_t media)
{
    if (media == MEDIA_CSV)
        return;
    buffer_char(buffer, ']');
    buffer_char(buffer, '}');
}

static void next_write(struct buffer *body, struct span next)
{
    BUFFER_LITERAL(body, "],\"next\":");
    if (next.ptr)
        buffer_json_string(body, next);
    else
        BUFFER_LITERAL(body, "null");
}

void render_page(struct call *call, const struct rows *rows, const struct rows *total)
{
    struct buffer *body = &call->response.body;
    struct row_plan *plan = row_plan_new(call->arena, rows, call->fields, call->field_count,
                                         call->media == MEDIA_GEOJSON);
    size_t count = rows_count(rows), shown = count;
    struct span next = SPAN_NONE;

    if (call->page.order && count > call->page.limit) {
        shown = call->page.limit;
        next = page_cursor(call, rows, shown - 1);
        response_header(call, "Link", "<%.*s>; rel=\"next\"", SPAN_ARG(page_link(call, next)));
    }
    render_opening(body, call, plan);
    render_batch(body, call, plan, rows, shown, true);
    if (call->media == MEDIA_CSV)
        return;
    next_write(body, next);
    struct span cell;
    if (total && rows_cell(total, 0, 0, &cell)) {
        BUFFER_LITERAL(body, ",\"total\":");
        buffer_span(body, cell);
    }
    buffer_char(body, '}');
}
