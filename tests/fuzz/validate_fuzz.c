/* Arbitrary JSON against every body schema of the contract, and arbitrary text against every
 * parameter. The two ways to ask agree, every fault can be told, and what holds can be bound:
 * NUL-free text that PostgreSQL would read. */
#include <stdint.h>
#include <stdlib.h>

#include "api/base/utf8.h"
#include "api/bind.h"
#include "api/json_scan.h"
#include "api/validate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static void demand(bool truth)
{
    if (!truth)
        abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    validate_init();
    return 0;
}

static void demand_tellable(const struct faults *faults)
{
    for (size_t i = 0; i < faults->count; i++) {
        const struct fault *fault = &faults->list[i];
        demand(fault->code < FAULT_COUNT);
        demand(utf8_valid(fault->pointer) && utf8_valid(fault->argument));
        demand(fault->pointer.len == 0 || fault->pointer.ptr[0] == '/');
    }
}

static void demand_bindable(struct arena *arena, const struct operation *operation,
                            const json_t *json)
{
    for (uint16_t i = 0; i < operation->member_count; i++) {
        const struct member *member = &operation->members[i];
        const json_t *value = json_object_get(json, member->path);
        if (!value || json_is_null(value))
            continue;
        struct span text = bind_json(arena, value, (enum value_type)member->type);
        demand(text.ptr && strlen(text.ptr) == text.len && utf8_valid(text));
    }
}

static void try_bodies(struct arena *arena, const json_t *json)
{
    for (uint16_t i = 0; i < contract_operation_count; i++) {
        const struct operation *operation = &contract_operations[i];
        if (!operation->body)
            continue;
        bool patch = operation->method == METHOD_PATCH;
        struct faults faults = {.arena = arena};
        validate_json(operation->body, json, patch, &faults);
        demand_tellable(&faults);
        bool good = faults.count == 0;
        if (!patch)
            demand(validate_holds(operation->body, json) == good);
        if (good && json_is_object(json))
            demand_bindable(arena, operation, json);
    }
}

static void try_parameters(struct arena *arena, struct span text)
{
    for (uint16_t i = 0; i < contract_operation_count; i++) {
        const struct operation *operation = &contract_operations[i];
        for (uint16_t k = 0; k < operation->parameter_count; k++) {
            struct faults faults = {.arena = arena};
            validate_text(operation->parameters[k].schema, SPAN("p"), text, &faults);
            demand_tellable(&faults);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(65536);
    struct faults faults = {.arena = arena};
    struct span text = {(const char *)data, size}, arguments = SPAN_NONE;
    json_t *json = NULL;
    if (json_scan(arena, text, &json, &faults, &arguments) == PROBLEM_NONE)
        try_bodies(arena, json);
    if (size < 512)
        try_parameters(arena, text);
    json_decref(json);
    arena_free(arena);
    return 0;
}
