/* One bound value: the text form PostgreSQL reads, or null, or absent. */
#ifndef DB_VALUE_H
#define DB_VALUE_H

#include <stdint.h>
#include "openapi/contract.h"

enum value_state { VALUE_ABSENT, VALUE_NULL, VALUE_PRESENT };

struct value {
    const char *text; /* NUL-terminated when present, owned by the call's arena */
    uint32_t len;
    uint8_t state; /* enum value_state */
    uint8_t type;  /* only read for key.N, whose type the order gives */
};

/* Values are indexed by name id: struct value values[contract_name_count]. */

#endif
