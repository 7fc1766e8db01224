/* Arbitrary bytes as a body. What json_scan accepts jansson accepts too, with no name twice; what
 * it refuses for the syntax jansson refuses too; every pointer and text it tells is UTF-8. */
#include <stdint.h>
#include <stdlib.h>

#include "api/base/utf8.h"
#include "api/json_scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool truth)
{
    if (!truth)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(16384);
    struct faults faults = {.arena = arena};
    struct span body = {(const char *)data, size}, arguments = SPAN_NONE;
    json_t *json = NULL, *other = json_loadb(body.ptr ? body.ptr : "", size,
                                             JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
    enum problem_code code = json_scan(arena, body, &json, &faults, &arguments);

    demand((code == PROBLEM_NONE) == (json != NULL));
    demand((code == PROBLEM_invalid_body) == (faults.count > 0));
    demand(code == PROBLEM_NONE || code == PROBLEM_invalid_body || code == PROBLEM_invalid_json);
    if (code == PROBLEM_NONE)
        demand(other && json_equal(json, other));
    if (code == PROBLEM_invalid_json) {
        demand(!other || memchr(data, 0, size)); /* jansson takes "0\0" */
        json_t *object = json_loadb(arguments.ptr, arguments.len, 0, NULL);
        demand(json_is_string(json_object_get(object, "reason")));
        json_decref(object);
    }
    for (size_t i = 0; i < faults.count; i++) {
        demand(utf8_valid(faults.list[i].pointer));
        /* only our limits may refuse what jansson takes */
        if (other)
            demand(faults.list[i].code == FAULT_too_deep ||
                   faults.list[i].code == FAULT_too_many_values);
    }
    json_decref(json);
    json_decref(other);
    arena_free(arena);
    return 0;
}
