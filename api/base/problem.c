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

const struct fault_text reason_texts[REASON_COUNT] = {
    [REASON_NONE] = {"", {"", ""}},
#define REASON(name, text_id, text_en) [REASON_##name] = {#name, {text_id, text_en}},
#include "api/base/reasons.def"
#undef REASON
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

struct span reason_arguments(struct arena *arena, struct said said)
{
    struct buffer json = {0};
    buffer_printf(&json, "{\"reason\":\"%s\"", reason_texts[said.reason].code);
    if (said.inner)
        buffer_printf(&json, ",\"inner\":\"%s\"", reason_texts[said.inner].code);
    if (said.header)
        buffer_printf(&json, ",\"header\":\"%s\"", said.header);
    if (said.scope)
        buffer_printf(&json, ",\"scope\":\"%s\"", said.scope);
    if (said.line)
        buffer_printf(&json, ",\"line\":%zu,\"column\":%zu", said.line, said.column);
    buffer_char(&json, '}');
    struct span arguments = arena_copy(arena, (struct span){json.data, json.len});
    buffer_free(&json);
    return arguments;
}

/* A text that is being filled: places of reasons are texts with places in turn. */
struct filling {
    struct buffer out;
    enum language language;
    struct span arguments;
    json_t *object; /* `arguments`, read at the first named place: most texts have none */
};

static void fill(struct filling *filling, const char *text, int depth);

static void fill_reason(struct filling *filling, const json_t *value, int depth)
{
    for (int i = REASON_NONE + 1; json_is_string(value) && i < REASON_COUNT; i++)
        if (strcmp(json_string_value(value), reason_texts[i].code) == 0)
            fill(filling, reason_texts[i].detail[filling->language], depth);
}

static void fill_place(struct filling *filling, struct span name, int depth)
{
    const json_t *value = json_object_getn(filling->object, name.ptr, name.len);
    if (span_is(name, "reason") || span_is(name, "inner")) {
        if (depth == (span_is(name, "reason") ? 0 : 1))
            fill_reason(filling, value, depth + 1);
    } else if (json_is_string(value)) {
        buffer_add(&filling->out, json_string_value(value), json_string_length(value));
    } else if (json_is_number(value)) {
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
        if (text)
            buffer_span(&filling->out, span_of(text));
        free(text);
    }
}

/* `depth`: 0 of the text itself, 1 of its reason, 2 of that one's inner reason. */
static void fill(struct filling *filling, const char *text, int depth)
{
    while (*text) {
        const char *close = *text == '{' ? strchr(text, '}') : NULL;
        if (!close) {
            buffer_char(&filling->out, *text++);
            continue;
        }
        struct span name = {text + 1, (size_t)(close - text - 1)};
        if (name.len == 0) {
            buffer_span(&filling->out, filling->arguments);
        } else {
            if (!filling->object && filling->arguments.len)
                filling->object = json_loadb(filling->arguments.ptr, filling->arguments.len, 0,
                                             NULL);
            fill_place(filling, name, depth);
        }
        text = close + 1;
    }
}

struct span problem_fill(struct arena *arena, const char *text, enum language language,
                         struct span arguments)
{
    if (!strchr(text, '{'))
        return arena_copy(arena, span_of(text));
    struct filling filling = {.language = language, .arguments = arguments};
    fill(&filling, text, 0);
    struct span filled = arena_copy(
        arena, (struct span){filling.out.data ? filling.out.data : "", filling.out.len});
    json_decref(filling.object);
    buffer_free(&filling.out);
    return filled;
}
