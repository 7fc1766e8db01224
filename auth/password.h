/* Passwords of people: argon2id (19 MiB, two passes), at most two at a time in a process, so that guessing
 * takes neither its memory nor its processors. No composition rules: length, and not a common one. */
#ifndef AUTH_PASSWORD_H
#define AUTH_PASSWORD_H

#include "api/base/arena.h"
#include "api/base/problem.h"
#include "auth/turns.h"
#include <stdint.h>

#define PASSWORD_MIN 12  /* characters */
#define PASSWORD_MAX 128 /* characters */
#define PASSWORD_HASH_BYTES 128

/* Passwords are taken as they were typed; here they get the one form in which they are measured, hashed and compared
 * (auth/password_text.h). */

/* FAULT_min_length, FAULT_max_length, FAULT_common_password, FAULT_like_account, FAULT_bad_utf8, FAULT_control_character; FAULT_COUNT when
 * it is good. *ret_argument is the limit where there is one, in static memory. `username` and `name` may be absent. */
enum fault_code password_check(struct span password, struct span username, struct span name,
                               const char **ret_argument);

/* Are they one password, typed twice? */
bool password_same(struct span one, struct span other);

/* Problems: PROBLEM_busy when none of the two places becomes free in time (the deadline, at most five seconds), or when too many
 * wait (auth/turns.h). Takes some tens of milliseconds: hold no connection. Who sets a password of an account has proved something, and goes
 * before those who only try one. */
enum problem_code password_hash(struct span password, const char *user_id, int64_t deadline_ms,
                                char ret_hash[PASSWORD_HASH_BYTES]);
/* `hash` may be NULL (nobody of that name): then it is always wrong, and takes as long, without a place. */
enum problem_code password_verify(struct span password, const char *hash, const struct turn *turn,
                                  bool *ret_right);

#endif
