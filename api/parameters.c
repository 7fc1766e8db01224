/* Binds path and query parameters. Rule: a parameter that is not understood is a fault, never ignored:
 * a dropped filter widens a result. */
#include "api/parameters.h"

#include <stdlib.h>
#include "api/base/text.h"
#include "api/validate.h"

static const struct query_pair *pair_find(const struct call *call, const char *name)
{
    for (size_t i = 0; i < call->target.pair_count; i++)
        if (span_is(call->target.pairs[i].name, name))
            return &call->target.pairs[i];
    return NULL;
}

static const struct parameter *parameter_find(const struct operation *operation, struct span name)
{
    for (size_t i = 0; i < operation->parameter_count; i++)
        if (operation->parameters[i].role != PARAMETER_PATH &&
            span_is(name, operation->parameters[i].name))
            return &operation->parameters[i];
    return NULL;
}

/* What no parameter of the operation explains: unknown names, and names that come twice. */
static void pairs_check(struct call *call)
{
    if (call->target.pair_count > PAIRS_MAX) {
        call_fault(call, "?", FAULT_too_many_values, SPAN("64"));
        call->target.pair_count = PAIRS_MAX;
    }
    for (size_t i = 0; i < call->target.pair_count; i++) {
        struct span name = call->target.pairs[i].name;
        const char *text = arena_cstr(call->arena, name);
        if (!parameter_find(call->operation, name)) {
            call_fault(call, text, FAULT_unknown_parameter, SPAN_NONE);
            continue;
        }
        for (size_t j = 0; j < i; j++)
            if (span_equal(name, call->target.pairs[j].name)) {
                call_fault(call, text, FAULT_duplicate_parameter, SPAN_NONE);
                break;
            }
    }
}

/* The next item of a comma separated list. */
static bool item_next(struct span *rest, struct span *ret_item)
{
    if (!rest->ptr)
        return false;
    const char *comma = rest->len ? memchr(rest->ptr, ',', rest->len) : NULL;
    size_t len = comma ? (size_t)(comma - rest->ptr) : rest->len;
    *ret_item = (struct span){rest->ptr, len};
    *rest = comma ? (struct span){comma + 1, rest->len - len - 1} : SPAN_NONE;
    return true;
}

/* A PostgreSQL array literal of the items: every one quoted. */
static struct span array_literal(struct call *call, struct span list)
{
    struct buffer literal = {0};
    struct span rest = list, item;
    buffer_char(&literal, '{');
    while (item_next(&rest, &item)) {
        if (literal.len > 1)
            buffer_char(&literal, ',');
        buffer_char(&literal, '"');
        for (size_t i = 0; i < item.len; i++) {
            if (item.ptr[i] == '"' || item.ptr[i] == '\\')
                buffer_char(&literal, '\\');
            buffer_char(&literal, item.ptr[i]);
        }
        buffer_char(&literal, '"');
    }
    buffer_char(&literal, '}');
    struct span copy = arena_copy(call->arena, (struct span){literal.data, literal.len});
    buffer_free(&literal);
    return copy;
}

/* As it is checked and as the statement is to see it: text in its one form, an id in the letters PostgreSQL gives back,
 * so that cursors and addresses agree. */
static struct span text_of(struct call *call, const struct parameter *parameter, struct span text)
{
    if (parameter->type == VALUE_UUID || parameter->type == VALUE_UUID_LIST)
        return arena_lower(call->arena, text);
    return parameter->list ? text
                           : text_clean(call->arena, (enum text_kind)parameter->schema->text, text);
}

static bool list_check(struct call *call, const struct parameter *parameter, struct span list)
{
    size_t before = call->faults.count, count = 0;
    struct span rest = list, item;
    while (item_next(&rest, &item)) {
        if (++count > parameter->list_max) {
            call_fault(call, parameter->name, FAULT_max_items,
                       span_of(arena_printf(call->arena, "%u", parameter->list_max)));
            break;
        }
        validate_text(parameter->schema, span_of(parameter->name), item, &call->faults);
    }
    return call->faults.count == before;
}

/* The conditions of expand=a,b and sort=x: one name for each enumeration value. */
static void choices_set(struct call *call, const struct parameter *parameter, struct span list)
{
    struct span rest = list, item;
    while (item_next(&rest, &item))
        for (size_t i = 0; i < parameter->schema->enumeration_count; i++) {
            struct span choice = span_of(parameter->schema->enumeration[i]); /* a JSON string */
            if (span_equal(item, (struct span){choice.ptr + 1, choice.len - 2}))
                call_set_flag(call, parameter->choice_names[i]);
        }
}

static void fields_set(struct call *call, const struct parameter *parameter, struct span list)
{
    struct span rest = list, item;
    while (item_next(&rest, &item)) {
        bool known = false;
        for (size_t i = 0; i < call->operation->field_count && !known; i++)
            known = span_is(item, call->operation->fields[i]);
        if (!known)
            call_fault(call, parameter->name, FAULT_unknown_field, item);
        else if (call->field_count < FIELDS_MAX)
            call->fields[call->field_count++] = arena_copy(call->arena, item);
    }
}

static void near_set(struct call *call, struct span point)
{
    const char *comma = memchr(point.ptr, ',', point.len);
    size_t len = (size_t)(comma - point.ptr);
    call_set(call, NAME_NEAR_LATITUDE, (struct span){point.ptr, len});
    call_set(call, NAME_NEAR_LONGITUDE, (struct span){comma + 1, point.len - len - 1});
}

static void order_choose(struct call *call, struct span asked)
{
    const struct operation *operation = call->operation;
    const struct order *chosen = NULL;
    for (size_t i = 0; i < operation->order_count && !chosen; i++) {
        const struct order *order = &operation->orders[i];
        bool met = order->needs == NAME_NONE || call_has(call, order->needs);
        if (asked.ptr && span_is(asked, order->name)) {
            chosen = order;
            if (!met)
                call_fault(call, "sort", FAULT_needs, span_of(contract_names[order->needs]));
        } else if (!asked.ptr && order->needs != NAME_NONE && met) {
            chosen = order;
        }
    }
    for (size_t i = 0; i < operation->order_count && !chosen; i++)
        if (operation->orders[i].needs == NAME_NONE)
            chosen = &operation->orders[i];
    call->page.order = chosen;
    if (chosen)
        call_set_flag(call, chosen->condition);
}

static void parameter_bind(struct call *call, const struct parameter *parameter, struct span text)
{
    text = text_of(call, parameter, text);
    if (parameter->list ? !list_check(call, parameter, text) : false)
        return;
    if (!parameter->list) {
        size_t before = call->faults.count;
        validate_text(parameter->schema, span_of(parameter->name), text, &call->faults);
        if (call->faults.count != before)
            return;
    }
    switch ((enum parameter_role)parameter->role) {
    case PARAMETER_LIMIT:
        call->page.limit = strtoul(arena_cstr(call->arena, text), NULL, 10);
        break;
    case PARAMETER_CURSOR:
        call->page.cursor = text;
        break;
    case PARAMETER_FIELDS:
        fields_set(call, parameter, text);
        break;
    case PARAMETER_EXPAND:
        choices_set(call, parameter, text);
        break;
    case PARAMETER_COUNT:
        call->page.count = true;
        break;
    case PARAMETER_NEAR:
        call_set(call, parameter->name_id, text);
        near_set(call, text);
        break;
    case PARAMETER_DELETED:
        call_set_flag(call, NAME_DELETED_INCLUDE);
        break;
    case PARAMETER_SEPARATOR:
        call->csv.separator = span_is(text, "semicolon") ? ';' : ',';
        break;
    case PARAMETER_SORT:
    case PARAMETER_FORMAT:
        break; /* read where the order and the media type are chosen */
    case PARAMETER_PATH:
    case PARAMETER_PLAIN:
        call_set(call, parameter->name_id, parameter->list ? array_literal(call, text) : text);
        break;
    }
}

/* A parameter that says nothing without another one (radius_km without near) is a fault, not ignored. */
static void needs_check(struct call *call)
{
    for (size_t i = 0; i < call->operation->parameter_count; i++) {
        const struct parameter *parameter = &call->operation->parameters[i];
        if (parameter->needs != NAME_NONE && pair_find(call, parameter->name) &&
            !call_has(call, parameter->needs))
            call_fault(call, parameter->name, FAULT_needs,
                       span_of(contract_names[parameter->needs]));
    }
}

enum problem_code parameters_bind(struct call *call)
{
    const struct operation *operation = call->operation;
    size_t path_at = 0;
    struct span sort = SPAN_NONE;

    if (operation->lenient)
        return PROBLEM_NONE;
    for (size_t i = 0; i < operation->parameter_count; i++) {
        const struct parameter *parameter = &operation->parameters[i];
        if (parameter->role != PARAMETER_PATH)
            continue;
        struct span value = text_of(call, parameter, call->path_values[path_at++]);
        validate_text(parameter->schema, span_of(parameter->name), value, &call->faults);
        call_set(call, parameter->name_id, value);
    }
    call->path_valid = call->faults.count == 0;
    pairs_check(call);
    call->page.list = operation->answer && operation->answer->cardinality == CARDINALITY_MANY;
    for (size_t i = 0; i < operation->parameter_count; i++) {
        const struct parameter *parameter = &operation->parameters[i];
        if (parameter->role == PARAMETER_PATH)
            continue;
        const struct query_pair *pair = pair_find(call, parameter->name);
        if (pair) {
            call->parameters_cost += parameter->cost;
            parameter_bind(call, parameter, pair->has_value ? pair->value : SPAN(""));
            if (parameter->role == PARAMETER_SORT)
                sort = pair->value;
        } else if (parameter->required) {
            call_fault(call, parameter->name, FAULT_required, SPAN_NONE);
        } else if (parameter->initial && parameter->role == PARAMETER_PLAIN) {
            call_set_cstr(call, parameter->name_id, parameter->initial);
        }
    }
    needs_check(call);
    order_choose(call, sort);
    return call->faults.count ? PROBLEM_invalid_parameter : PROBLEM_NONE;
}
