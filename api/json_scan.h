/* Reads a JSON body, safely: one pass over the bytes finds every duplicated field, bad UTF-8,
 * U+0000, half surrogates, numbers out of range, and stops at limits of depth and number of values
 * before any tree is built (jansson needs up to 79 bytes a byte). */
#ifndef API_JSON_SCAN_H
#define API_JSON_SCAN_H

#include "api/base/problem.h"
#include <jansson.h>

#define JSON_DEPTH_MAX 32
#define JSON_VALUES_MAX 20000

/* PROBLEM_NONE and a tree (the caller's, json_decref); PROBLEM_invalid_json with its arguments (JSON
 * object, reason_arguments(): why, and at which line and column); or PROBLEM_invalid_body with faults.
 */
enum problem_code json_scan(struct arena *arena, struct span body, json_t **ret_json,
                            struct faults *faults, struct span *ret_arguments);

#endif
