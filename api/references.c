/* What a body names, found along the paths of the contract. Rule: every member that says x-refers is asked about, in objects and
 * lists alike, and the order in which they are found is the one in which the database counts them. */
#include "api/references.h"

#include "api/bind.h"
#include "api/json_place.h"

#define ALTERNATIVES_MAX 8

/* One walk over the members of a body that name records. */
struct walk {
    struct call *call;
    const struct reference *reference;
    struct buffer json; /* for the statement: what is named, in the order of call->references */
};

static void member_add(struct buffer *json, const char *name, struct span text)
{
    if (json->data[json->len - 1] != '{')
        buffer_char(json, ',');
    buffer_json_string(json, span_of(name));
    buffer_char(json, ':');
    buffer_json_string(json, text);
}

/* Where the caller sees records of that kind: as the operation that shows one binds it. Nothing is added without a limit. */
static void reach_add(struct walk *walk, const struct operation *shown_by)
{
    bool limited = shown_by->reach_count > 0; /* x-reach, instead of security */
    const struct security *scopes = limited ? shown_by->reach : shown_by->security;
    size_t count = limited ? shown_by->reach_count : shown_by->security_count;
    uint32_t alternatives[ALTERNATIVES_MAX];
    struct reach reach;
    for (size_t i = 0; i < count && i < ALTERNATIVES_MAX; i++)
        alternatives[i] = scopes[i].scopes;
    principal_reach_any(walk->call->arena, &walk->call->principal, alternatives,
                        count < ALTERNATIVES_MAX ? count : ALTERNATIVES_MAX, &reach);
    if (reach.national)
        return;
    BUFFER_LITERAL(&walk->json, ",\"reach\":{");
    member_add(&walk->json, "from", span_of(reach.from));
    member_add(&walk->json, "to", span_of(reach.to));
    member_add(&walk->json, "rank", span_of(reach.rank));
    member_add(&walk->json, "libraries", span_of(reach.libraries));
    buffer_char(&walk->json, '}');
}

/* Room is doubled when the count is a power of two: the old list stays in the arena. */
static void pointer_add(struct call *call, struct span pointer)
{
    size_t count = call->reference_count;
    if ((count & (count - 1)) == 0) {
        struct span *more = arena_alloc(call->arena, (count ? 2 * count : 4) * sizeof *more);
        if (count)
            memcpy(more, call->references, count * sizeof *more);
        call->references = more;
    }
    call->references[call->reference_count++] = pointer;
}

static void value_add(struct walk *walk, const json_t *value, const struct json_place *place)
{
    struct call *call = walk->call;
    const struct operation *shown_by = walk->reference->kind->shown_by;
    pointer_add(call, json_place_pointer(call->arena, place));
    buffer_char(&walk->json, walk->json.len ? ',' : '[');
    buffer_char(&walk->json, '{');
    member_add(&walk->json, "kind", span_of(walk->reference->kind->name));
    member_add(&walk->json, "id", bind_json(call->arena, value, VALUE_TEXT));
    if (call->service->personal[shown_by->index]) /* else it is shown to everybody */
        reach_add(walk, shown_by);
    buffer_char(&walk->json, '}');
}

/* Follows the rest of a path; what is absent, or null, names nothing. */
static void path_walk(struct walk *walk, const char *path, const json_t *value,
                      const struct json_place *place)
{
    size_t len = strcspn(path, ".");
    const char *rest = path + len + (path[len] == '.');
    if (!value || json_is_null(value))
        return;
    if (!*path) {
        value_add(walk, value, place);
    } else if (len == 1 && *path == '*') {
        for (size_t i = 0; i < json_array_size(value); i++) {
            struct json_place at = {place, SPAN_NONE, i};
            path_walk(walk, rest, json_array_get(value, i), &at);
        }
    } else {
        struct json_place at = {place, {path, len}, 0};
        path_walk(walk, rest, json_object_getn(value, path, len), &at);
    }
}

void references_bind(struct call *call, const json_t *body)
{
    const struct operation *operation = call->operation;
    struct walk walk = {.call = call};
    if (!operation->reference_count)
        return;
    for (size_t i = 0; i < operation->reference_count; i++) {
        walk.reference = &operation->references[i];
        path_walk(&walk, walk.reference->path, body, NULL);
    }
    if (walk.json.len) {
        buffer_char(&walk.json, ']');
        call_set(call, NAME_REFERENCES, (struct span){walk.json.data, walk.json.len});
    }
    buffer_free(&walk.json);
}

const struct statement *references_statement(const struct call *call)
{
    return call->reference_count ? contract_statement("check_references") : NULL;
}

void references_faults(struct call *call, struct span arguments)
{
    json_t *document = json_loadb(arguments.ptr, arguments.len, 0, NULL);
    const json_t *places = json_object_get(document, "places");
    for (size_t i = 0; i < json_array_size(places); i++) {
        json_int_t place = json_integer_value(json_array_get(places, i));
        if (place >= 0 && (size_t)place < call->reference_count)
            faults_add(&call->faults,
                       (struct fault){.pointer = call->references[place], .code = FAULT_reference});
    }
    json_decref(document);
}
