/* UUIDs, RFC 9562. */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include "api/base/span.h"

void uuid_v7(char ret_text[37]);   /* time-ordered, 74 random bits from the kernel */
bool uuid_valid(struct span text); /* the 8-4-4-4-12 form, any version, either case */

#endif
