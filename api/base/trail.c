/* One pointer a thread. */
#include "api/base/trail.h"

#include <stddef.h>

static const struct trail none = {.network = ""};
static _Thread_local const struct trail *current;

void trail_set(const struct trail *trail)
{
    current = trail;
}

const struct trail *trail_get(void)
{
    return current ? current : &none;
}
