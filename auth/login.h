/* Logging in with a name and a password: for the page of OAuth, and wherever a password is asked again. */
#ifndef AUTH_LOGIN_H
#define AUTH_LOGIN_H

#include "api/base/arena.h"
#include "api/base/problem.h"
#include "db/pool.h"

struct login_request {
    struct span username, password;
    const char *address; /* of the one who types, as text */
    struct span
        device; /* the browser (auth/device.h), or "grant:" and the id of the app's login; may be absent */
};
struct login_user {
    const char *id, *name, *language; /* in the arena; language is "id" or "en" */
};

/* Compares, and counts what is wrong by account and networks in the database, for all processes; an account in a browser in which it was
 * opened before is counted apart. It takes as long
 * for a name that does not exist, an account without a password and one that is disabled: all are PROBLEM_wrong_login.
 * Problems: PROBLEM_wrong_login; PROBLEM_login_throttled, with the seconds to wait in *ret_wait_s, when it came
 * too early (nothing was compared); PROBLEM_busy and those of the database. */
enum problem_code auth_login(struct pool *pool, struct arena *arena,
                             const struct login_request *request, int64_t deadline_ms,
                             struct login_user *ret_user, int64_t *ret_wait_s);

#endif
