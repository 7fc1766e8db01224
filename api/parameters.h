/* Path and query parameters: from decoded text to bound values, with every fault named. */
#ifndef API_PARAMETERS_H
#define API_PARAMETERS_H

#include "api/call.h"

/* Sets the values of the operation's parameters and the page. Problem: PROBLEM_invalid_parameter with all
 * faults, those of path values (a region code without dots, say) included. */
enum problem_code parameters_bind(struct call *call);

#endif
