/* How the cells of a result become a document: one plan for JSON, CSV and GeoJSON alike. A column's
 * alias is its JSON name, a dot nests, a json column passes through, and a nested object whose
 * first cell is NULL is null. Columns whose alias begins with '@' are for the engine and are not
 * written. */
#ifndef API_ROW_PLAN_H
#define API_ROW_PLAN_H

#include "api/csv_text.h"
#include "db/query.h"

struct row_plan; /* in the arena */

/* `fields`: top-level names to keep (count 0 = all). Columns of one nested object stand together.
 * The plan holds for every result of the same statement, so for all batches of a stream. It borrows
 * the columns' names: they live as long as the rows it was made from. `features`: write_geojson()
 * will be called with it. */
struct row_plan *row_plan_new(struct arena *arena, const struct rows *rows,
                              const struct span *fields, size_t count, bool features);

/* One JSON object. A row whose "@deleted_at" is not NULL is written as {"id": ..., "deleted_at":
 * ...} (with its first column where there is no id: the code of a region). Numbers and booleans
 * bare, timestamps "2026-11-21T10:00:00.123456Z" (RFC 3339), everything else a string. */
void write_json(struct buffer *buffer, const struct row_plan *plan, const struct rows *rows,
                size_t row);

/* RFC 4180 with CRLF, in the form that csv_text.h describes; nested names dotted, json as JSON text, NULL empty, an empty
 * text "". Numbers stand bare. For people the header begins with a byte order mark. A result with "@deleted_at" has a
 * column deleted_at; a tombstone has nothing but it and its id. */
void write_csv_header(struct buffer *buffer, const struct row_plan *plan,
                      const struct csv_form *form);
void write_csv(struct buffer *buffer, const struct row_plan *plan, const struct csv_form *form,
               const struct rows *rows, size_t row);

/* One RFC 7946 Feature: id, geometry from the columns longitude and latitude (null when they are
 * NULL, read even when `fields` leaves them out), and everything else as properties. */
void write_geojson(struct buffer *buffer, const struct row_plan *plan, const struct rows *rows,
                   size_t row);

#endif
