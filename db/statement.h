/* A statement and the values of one request become SQL text: the lines whose conditions hold,
 * with its parameters numbered. Pure: knows no connection. Two requests share a prepared
 * statement exactly when their variants are equal, so everything that shapes the text or a
 * parameter's type is in the variant. */
#ifndef DB_STATEMENT_H
#define DB_STATEMENT_H

#include "api/base/buffer.h"
#include "db/value.h"

#define STATEMENT_PARAMETERS_MAX 64

struct variant {
    const struct statement *statement;
    uint64_t mask;      /* bit i: condition i holds */
    uint16_t key_types; /* four bits for each of key.1 to key.4: 0 when absent, else its type + 1 */
    bool count; /* SELECT count(*) over the statement, without cursor, order and page_rows */
};

/* `values` is indexed by name id. A condition is about presence: a value that is NULL is
 * present. */
struct variant statement_variant(const struct statement *statement, const struct value *values,
                                 bool count);

/* The statement's parameters that the text uses, in the order of $1, $2, ... */
struct statement_binding {
    uint8_t count;
    uint8_t parameters[STATEMENT_PARAMETERS_MAX]; /* indexes into statement->parameters */
};
void statement_bind(const struct variant *variant, struct statement_binding *ret_binding);

/* Appends the SQL text; its $n are those of statement_bind(). Not NUL-terminated. */
void statement_text(const struct variant *variant, struct buffer *text);

enum value_type statement_type(const struct variant *variant, uint8_t parameter);
uint32_t statement_oid(enum value_type type); /* of pg_type, fixed for built-in types */

/* What is bound: the text, or NULL when the value is NULL, absent or without meaning in a count. */
const char *statement_value(const struct variant *variant, uint8_t parameter,
                            const struct value *values);

#endif
