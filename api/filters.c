/* Looks up what filters name. Rule: what names nothing is told with its successors, where there are any, and never followed
 * in silence. */
#include "api/filters.h"

#include <assert.h>

/* The value of a filter of that statement's kind; SPAN_NONE when it was not sent. */
static struct span named(const struct call *call, const struct parameter *parameter,
                         const struct statement *statement)
{
    const struct value *value = &call->values[parameter->name_id];
    return parameter->refers == statement && value->state == VALUE_PRESENT
               ? (struct span){value->text, value->len}
               : SPAN_NONE;
}

/* All values of a kind as an array literal, each in quotes. */
static bool values_bind(struct call *call, const struct parameter *first)
{
    const struct operation *operation = call->operation;
    struct buffer literal = {0};
    for (size_t i = 0; i < operation->parameter_count; i++) {
        struct span value = named(call, &operation->parameters[i], first->refers);
        if (!value.ptr)
            continue;
        buffer_char(&literal, literal.len ? ',' : '{');
        buffer_json_string(&literal, value);
    }
    bool any = literal.len > 0;
    if (any) {
        buffer_char(&literal, '}');
        call_set(call, first->references, (struct span){literal.data, literal.len});
    }
    buffer_free(&literal);
    return any;
}

/* Every operationId, for a statement that asks for them; none needs quotes. */
static void operations_bind(struct call *call, const struct statement *statement)
{
    struct buffer literal = {0};
    bool asked = false;
    for (size_t i = 0; i < statement->parameter_count; i++)
        asked = asked || statement->parameters[i].name == NAME_CONTRACT_OPERATIONS;
    for (size_t i = 0; asked && i < contract_operation_count; i++)
        buffer_printf(&literal, "%c%s", i ? ',' : '{', contract_operations[i].id);
    if (asked) {
        buffer_char(&literal, '}');
        call_set(call, NAME_CONTRACT_OPERATIONS, (struct span){literal.data, literal.len});
    }
    buffer_free(&literal);
}

static bool among(const struct statement *const *statements, size_t count,
                  const struct statement *wanted)
{
    for (size_t i = 0; i < count; i++)
        if (statements[i] == wanted)
            return true;
    return false;
}

size_t filters_statements(struct call *call, const struct statement *ret_statements[FILTERS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < call->operation->parameter_count; i++) {
        const struct parameter *parameter = &call->operation->parameters[i];
        if (!parameter->refers || among(ret_statements, count, parameter->refers) ||
            !values_bind(call, parameter))
            continue;
        assert(count < FILTERS_MAX);
        operations_bind(call, parameter->refers);
        ret_statements[count++] = parameter->refers;
    }
    return count;
}

void filters_faults(struct call *call, const struct statement *statement, const struct rows *rows)
{
    struct span value, successors;
    for (size_t row = 0; row < rows_count(rows); row++) {
        rows_cell(rows, row, 0, &value);
        bool known = rows_cell(rows, row, 1, &successors);
        for (size_t i = 0; i < call->operation->parameter_count; i++) {
            const struct parameter *parameter = &call->operation->parameters[i];
            struct span sent = named(call, parameter, statement);
            if (!sent.ptr || !span_equal(sent, value))
                continue;
            if (known && successors.len)
                call_fault(call, parameter->name, FAULT_replaced, successors);
            else
                call_fault(call, parameter->name, known ? FAULT_retired : FAULT_names_nothing,
                           SPAN_NONE);
        }
    }
}
