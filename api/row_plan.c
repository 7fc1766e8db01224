/* Makes the plan of a result. Never to be broken: the steps open and close in pairs, so that every
 * row is a complete document whatever is NULL in it. */
#include "api/row_plan_steps.h"

#include <assert.h>

#define NESTING_MAX 8

static bool is_hidden(const char *name)
{
    return name[0] == '@';
}

static bool is_kept(const char *name, const struct span *fields, size_t count)
{
    size_t top = strcspn(name, ".");
    if (is_hidden(name))
        return false;
    for (size_t i = 0; i < count; i++)
        if (fields[i].len == top && memcmp(fields[i].ptr, name, top) == 0)
            return true;
    return count == 0;
}

/* The building of one list of steps: which objects are open, and what has been named in each. */
struct builder {
    struct arena *arena;
    struct row_steps *steps;
    size_t depth;
    struct span open[NESTING_MAX]; /* their names */
    uint16_t opened[NESTING_MAX];  /* their STEP_OPEN */
    bool begun[NESTING_MAX + 1];   /* something stands in it already: a comma is due */
};

static struct row_step *step_add(struct builder *builder, enum step_kind kind, struct span key)
{
    struct row_step *step = &builder->steps->list[builder->steps->count++];
    step->kind = (uint8_t)kind;
    if (kind == STEP_CLOSE) {
        step->literal = "}";
        step->literal_len = 1;
    } else {
        for (size_t i = 0; i < key.len; i++) /* aliases are ours and need no escapes */
            assert((unsigned char)key.ptr[i] >= 0x20 && key.ptr[i] != '"' && key.ptr[i] != '\\');
        char *literal = arena_alloc(builder->arena, key.len + 4);
        literal[0] = builder->begun[builder->depth] ? ',' : '{';
        literal[1] = '"';
        memcpy(literal + 2, key.ptr, key.len);
        literal[key.len + 2] = '"';
        literal[key.len + 3] = ':';
        step->literal = literal;
        step->literal_len = (uint16_t)(key.len + 4);
        builder->begun[builder->depth] = true;
    }
    builder->steps->literal_bytes += step->literal_len + sizeof("null");
    return step;
}

static void object_close(struct builder *builder)
{
    step_add(builder, STEP_CLOSE, SPAN_NONE);
    builder->depth--;
    builder->steps->list[builder->opened[builder->depth]].after = builder->steps->count;
}

static void object_open(struct builder *builder, struct span name, uint16_t column)
{
    assert(builder->depth < NESTING_MAX);
    builder->opened[builder->depth] = builder->steps->count;
    builder->open[builder->depth] = name;
    step_add(builder, STEP_OPEN, name)->column = column;
    builder->depth++;
    builder->begun[builder->depth] = false;
}

/* Closes what the alias is not in, opens what it is in, and adds its cell. */
static void column_add(struct builder *builder, const char *alias, uint16_t column,
                       enum cell_type type)
{
    size_t shared = 0;
    const char *name = alias, *dot;
    while ((dot = strchr(name, '.')) && shared < builder->depth &&
           span_equal(builder->open[shared], (struct span){name, (size_t)(dot - name)})) {
        shared++;
        name = dot + 1;
    }
    while (builder->depth > shared)
        object_close(builder);
    for (; (dot = strchr(name, '.')); name = dot + 1)
        object_open(builder, (struct span){name, (size_t)(dot - name)}, column);
    struct row_step *step = step_add(builder, STEP_CELL, span_of(name));
    step->column = column;
    step->type = (uint8_t)type;
}

static void steps_build(struct arena *arena, const struct row_plan *plan, bool properties,
                        struct row_steps *ret_steps)
{
    struct builder builder = {.arena = arena, .steps = ret_steps};
    size_t most = 0;
    for (uint16_t i = 0; i < plan->column_count; i++)
        for (const char *p = plan->kept[i] ? plan->names[i] : NULL; p; p = strchr(p + 1, '.'))
            most += 2; /* a cell, or an opening with its closing */
    ret_steps->list = arena_alloc(arena, (most + 1) * sizeof(struct row_step));
    ret_steps->literal_bytes = sizeof("{}");
    for (uint16_t i = 0; i < plan->column_count; i++) {
        if (!plan->kept[i] ||
            (properties && (i == plan->key || i == plan->latitude || i == plan->longitude)))
            continue;
        column_add(&builder, plan->names[i], i, (enum cell_type)plan->types[i]);
    }
    while (builder.depth)
        object_close(&builder);
    assert(ret_steps->count <= most);
}

/* What names the row in a tombstone and in a feature: its id; for regions and programmes, whose key
 * is another, the first column that is written. */
static int key_column(const struct row_plan *plan, const struct rows *rows)
{
    int id = rows_column(rows, "id");
    for (int i = 0; id < 0 && i < plan->column_count; i++)
        if (!is_hidden(plan->names[i]) && !strchr(plan->names[i], '.'))
            id = i;
    return id;
}

struct row_plan *row_plan_new(struct arena *arena, const struct rows *rows,
                              const struct span *fields, size_t count, bool features)
{
    size_t columns = rows_columns(rows);
    size_t kept = 0;
    struct row_plan *plan = arena_alloc(arena, sizeof(*plan));
    assert(columns < UINT16_MAX);
    plan->column_count = (uint16_t)columns;
    plan->kept = arena_alloc(arena, columns * sizeof(*plan->kept) + 1);
    plan->types = arena_alloc(arena, columns + 1);
    plan->names = arena_alloc(arena, (columns + 1) * sizeof(*plan->names));
    for (size_t i = 0; i < columns; i++) {
        plan->names[i] = rows_name(rows, i);
        plan->types[i] = (uint8_t)rows_type(rows, i);
        plan->kept[i] = is_kept(plan->names[i], fields, count);
        kept += plan->kept[i];
    }
    plan->deleted_at = rows_column(rows, "@deleted_at");
    plan->latitude = rows_column(rows, "latitude");
    plan->longitude = rows_column(rows, "longitude");
    plan->one_column = kept == 1 && plan->deleted_at < 0;
    plan->key = key_column(plan, rows);
    if (plan->key >= 0)
        plan->key_literal = span_of(arena_printf(arena, "{\"%s\":", plan->names[plan->key]));
    steps_build(arena, plan, false, &plan->json);
    if (features)
        steps_build(arena, plan, true, &plan->properties);
    return plan;
}

size_t row_cells(const struct row_plan *plan, const struct rows *rows, size_t row,
                 struct span *ret_cells)
{
    size_t most = 0;
    for (uint16_t i = 0; i < plan->column_count; i++) {
        if (!rows_cell(rows, row, i, &ret_cells[i]))
            ret_cells[i] = SPAN_NONE;
        else if (!ret_cells[i].ptr)
            ret_cells[i] = SPAN("");
        /* a byte of text is six at most (\u0001), of a timestamp three ("+00" is "+00:00") */
        most += ret_cells[i].len *
                    (plan->types[i] == CELL_TEXT || plan->types[i] == CELL_TIMESTAMP ? 6 : 1) +
                8;
    }
    return most;
}
