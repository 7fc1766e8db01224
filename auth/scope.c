/* Scopes as bits. Rule: the contract alone knows which scopes exist. */
#include "auth/scope.h"

#include "openapi/contract.h"

uint32_t scope_bit(struct span name)
{
    for (unsigned i = 0; i < contract_scope_count; i++)
        if (span_is(name, contract_scopes[i]))
            return UINT32_C(1) << i;
    return 0;
}

uint32_t scope_account(void)
{
    return scope_bit(SPAN("account:read")) | scope_bit(SPAN("account:write"));
}

bool scope_parse(struct span text, bool unknown_refused, uint32_t *ret_scopes)
{
    uint32_t scopes = 0;
    size_t at = 0;
    do {
        size_t start = at;
        for (; at < text.len && text.ptr[at] != ' '; at++) {
            unsigned char c = (unsigned char)text.ptr[at];
            if (c < 0x21 || c > 0x7e || c == '"' || c == '\\')
                return false;
        }
        uint32_t bit = scope_bit((struct span){text.ptr + start, at - start});
        if (at == start || (!bit && unknown_refused))
            return false;
        scopes |= bit;
    } while (at++ < text.len);
    *ret_scopes = scopes;
    return true;
}

struct span scope_text(struct arena *arena, uint32_t scopes)
{
    size_t len = 0;
    for (unsigned i = 0; i < contract_scope_count; i++)
        if (scopes & UINT32_C(1) << i)
            len += strlen(contract_scopes[i]) + 1;
    char *text = arena_alloc(arena, len + 1), *end = text;
    for (unsigned i = 0; i < contract_scope_count; i++) {
        if (!(scopes & UINT32_C(1) << i))
            continue;
        if (end != text)
            *end++ = ' ';
        end = stpcpy(end, contract_scopes[i]);
    }
    return (struct span){text, (size_t)(end - text)};
}
