/* Assembles statements. The rule never to break: the text, the order of the parameters and
 * their types depend on the variant alone, never on a value, because a prepared statement
 * outlives the request. */
#include "db/statement.h"

#include <assert.h>
#include <string.h>

/* Whether the engine looks at that value at all. A count is of the whole list: where the page
 * begins, how it is ordered and how long it is are left out. */
static bool name_counts(uint16_t name)
{
    switch (name) {
    case NAME_CURSOR:
    case NAME_PAGE_ROWS:
    case NAME_KEY_1:
    case NAME_KEY_2:
    case NAME_KEY_3:
    case NAME_KEY_4:
        return false;
    default:
        return strncmp(contract_names[name], "sort.", 5) != 0;
    }
}

static bool name_present(uint16_t name, const struct value *values, bool count)
{
    return values[name].state != VALUE_ABSENT && (!count || name_counts(name));
}

static bool condition_holds(const struct condition *condition, const struct value *values,
                            bool count)
{
    for (size_t i = 0; i < 3 && condition->names[i] != NAME_NONE; i++)
        if (name_present(condition->names[i], values, count) == condition->negated[i])
            return false;
    return true;
}

struct variant statement_variant(const struct statement *statement, const struct value *values,
                                 bool count)
{
    assert(statement->condition_count <= 64 &&
           statement->parameter_count <= STATEMENT_PARAMETERS_MAX);
    struct variant variant = {.statement = statement, .count = count};
    for (uint8_t i = 0; i < statement->condition_count; i++)
        if (condition_holds(&statement->conditions[i], values, count))
            variant.mask |= UINT64_C(1) << i;
    for (uint16_t i = 0; i < statement->parameter_count; i++) {
        uint16_t name = statement->parameters[i].name;
        if (name < NAME_KEY_1 || name > NAME_KEY_4 || !name_present(name, values, count))
            continue;
        unsigned type = (unsigned)values[name].type + 1U;
        variant.key_types |= (uint16_t)(type << (4U * (unsigned)(name - NAME_KEY_1)));
    }
    return variant;
}

static bool fragment_stands(const struct variant *variant, const struct fragment *fragment)
{
    return fragment->condition < 0 || (variant->mask >> fragment->condition & 1U);
}

/* The number of a parameter is its place among those that the standing fragments name, in the
 * order of their first use; a parameter that is used twice has one number. */
static void number_parameters(const struct variant *variant, struct statement_binding *ret_binding,
                              uint8_t ret_numbers[STATEMENT_PARAMETERS_MAX])
{
    const struct statement *statement = variant->statement;
    memset(ret_numbers, 0, STATEMENT_PARAMETERS_MAX);
    ret_binding->count = 0;
    for (uint16_t i = 0; i < statement->fragment_count; i++) {
        const struct fragment *fragment = &statement->fragments[i];
        if (fragment->parameter < 0 || !fragment_stands(variant, fragment) ||
            ret_numbers[fragment->parameter])
            continue;
        ret_binding->parameters[ret_binding->count++] = (uint8_t)fragment->parameter;
        ret_numbers[fragment->parameter] = ret_binding->count;
    }
}

void statement_bind(const struct variant *variant, struct statement_binding *ret_binding)
{
    uint8_t numbers[STATEMENT_PARAMETERS_MAX];
    number_parameters(variant, ret_binding, numbers);
}

void statement_text(const struct variant *variant, struct buffer *text)
{
    const struct statement *statement = variant->statement;
    struct statement_binding binding;
    uint8_t numbers[STATEMENT_PARAMETERS_MAX];
    number_parameters(variant, &binding, numbers);

    if (variant->count)
        BUFFER_LITERAL(text, "SELECT count(*) FROM (");
    for (uint16_t i = 0; i < statement->fragment_count; i++) {
        const struct fragment *fragment = &statement->fragments[i];
        if (!fragment_stands(variant, fragment))
            continue;
        buffer_add(text, fragment->text, fragment->len);
        if (fragment->parameter >= 0)
            buffer_printf(text, "$%u", numbers[fragment->parameter]);
    }
    /* On a line of its own: the statement's last line may end in a comment. */
    if (variant->count)
        BUFFER_LITERAL(text, "\n) AS counted");
}

enum value_type statement_type(const struct variant *variant, uint8_t parameter)
{
    const struct statement_parameter *which = &variant->statement->parameters[parameter];
    if (which->name < NAME_KEY_1 || which->name > NAME_KEY_4)
        return (enum value_type)which->type;
    unsigned type = (unsigned)variant->key_types >> (4U * (unsigned)(which->name - NAME_KEY_1)) &
                    15U;
    return type ? (enum value_type)(type - 1U) : VALUE_TEXT;
}

uint32_t statement_oid(enum value_type type)
{
    static const uint32_t oids[] = {
        [VALUE_TEXT] = 25,           [VALUE_INTEGER] = 20,     [VALUE_NUMBER] = 701,
        [VALUE_BOOLEAN] = 16,        [VALUE_UUID] = 2950,      [VALUE_DATE] = 1082,
        [VALUE_TIMESTAMP] = 1184,    [VALUE_JSON] = 3802,      [VALUE_TEXT_LIST] = 1009,
        [VALUE_INTEGER_LIST] = 1016, [VALUE_UUID_LIST] = 2951,
    };
    assert((size_t)type < sizeof oids / sizeof oids[0]);
    return oids[type];
}

const char *statement_value(const struct variant *variant, uint8_t parameter,
                            const struct value *values)
{
    uint16_t name = variant->statement->parameters[parameter].name;
    if (values[name].state != VALUE_PRESENT || (variant->count && !name_counts(name)))
        return NULL;
    return values[name].text;
}
