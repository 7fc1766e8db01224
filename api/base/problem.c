/* The tables of problems and faults, and their texts with the places filled. Arguments come from
 * us or from refuse() in the database; a text never fails to be written, whatever they hold. */
#include "api/base/problem.h"

#include "api/base/buffer.h"
#include <assert.h>
#include <jansson.h>
#include <stdlib.h>

const struct problem_text problem_texts[PROBLEM_COUNT] = {
    [PROBLEM_NONE] = {"", 0, {"", ""}, {"", ""}},
#define PROBLEM(name, status, title_id, title_en, detail_id, detail_en)                            \
    [PROBLEM_##name] = {#name, status, {title_id, title_en}, {detail_id, detail_en}},
#include "api/base/problems.def"
#undef PROBLEM
};

const struct fault_text fault_texts[FAULT_COUNT] = {
#define FAULT(name, detail_id, detail_en) [FAULT_##name] = {#name, {detail_id, detail_en}},
#include "api/base/faults.def"
#undef FAULT
};

enum problem_code problem_find(struct span code)
{
    for (int i = PROBLEM_NONE + 1; i < PROBLEM_COUNT; i++)
        if (span_is(code, problem_texts[i].code))
            return (enum problem_code)i;
    return PROBLEM_NONE;
}

void faults_add(struct faults *faults, struct fault fault)
{
    assert(faults->arena);
    if (faults->count == FAULTS_MAX) {
        faults->dropped++;
        return;
    }
    if (faults->count == faults->cap) {
        size_t cap = faults->cap ? faults->cap * 2 : 8;
        struct fault *list = arena_alloc(faults->arena, cap * sizeof *list);
        if (faults->count)
            memcpy(list, faults->list, faults->count * sizeof *list);
        faults->list = list;
        faults->cap = cap;
    }
    faults->list[faults->count++] = (struct fault){
        .pointer = arena_copy(faults->arena, fault.pointer),
        .parameter = arena_copy(faults->arena, fault.parameter),
        .code = fault.code,
        .argument = arena_copy(faults->arena, fault.argument),
    };
}

static void fill_place(struct buffer *out, const json_t *arguments, struct span name)
{
    const json_t *value = json_object_getn(arguments, name.ptr, name.len);
    if (json_is_string(value)) {
        buffer_add(out, json_string_value(value), json_string_length(value));
    } else if (json_is_number(value)) {
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
        if (text)
            buffer_span(out, span_of(text));
        free(text);
    }
}

struct span problem_fill(struct arena *arena, const char *text, struct span arguments)
{
    if (!strchr(text, '{'))
        return arena_copy(arena, span_of(text));
    struct buffer out = {0};
    json_t *object = NULL; /* read at the first named place: most texts have none */
    for (const char *at = text; *at;) {
        const char *close = *at == '{' ? strchr(at, '}') : NULL;
        if (!close) {
            buffer_char(&out, *at++);
            continue;
        }
        struct span name = {at + 1, (size_t)(close - at - 1)};
        if (name.len == 0) {
            buffer_span(&out, arguments);
        } else {
            if (!object && arguments.len)
                object = json_loadb(arguments.ptr, arguments.len, 0, NULL);
            fill_place(&out, object, name);
        }
        at = close + 1;
    }
    struct span filled = arena_copy(arena, (struct span){out.data ? out.data : "", out.len});
    json_decref(object);
    buffer_free(&out);
    return filled;
}
