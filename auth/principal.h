/* Who calls, what they may do, and where. */
#ifndef AUTH_PRINCIPAL_H
#define AUTH_PRINCIPAL_H

#include "api/base/arena.h"
#include "api/base/problem.h"
#include "auth/amr.h"
#include "db/pool.h"
#include "db/watch.h"
#include <stdint.h>
#include <stdio.h>

struct assignment {    /* one that is in force today */
    uint32_t scopes;   /* bits of contract_scopes its role grants */
    int rank;          /* highest library rank it may write in its region (1 national .. 6 tbm) */
    bool needs_factor; /* worth nothing in a login with a password alone */
    const char *role;
    const char *region;     /* "" = Indonesia, NULL = none: a library only, or nowhere at all */
    const char *library_id; /* or NULL */
};
struct principal {
    const char *subject, *client_id; /* subject: the user, or the client when it acts for itself */
    const char *user_id;             /* NULL when a client acts for itself */
    const char *token_id;            /* jti of its token; NULL when it came with an API key */
    const char *session;    /* the grant a user's token was issued from; NULL without one */
    const char *api_key_id; /* NULL unless it came with an API key instead of a token */
    const unsigned char *api_key_hash; /* beside it: the SHA-256 of the key's text */
    struct token_login login;          /* when and how the user logged in; zero for a client */
    uint32_t scopes; /* of the token, reduced to what the assignments in force grant */
    uint32_t
        withheld; /* those that a login with a second factor would grant, and this one does not */
    int64_t expires_s;
    int64_t rate_per_minute; /* of the client that acts for itself; 0: as configured */
    const struct assignment *assignments;
    size_t assignment_count;
};

/* Reach for one scope, ready to bind: PostgreSQL array literals, in the arena. */
struct reach {
    bool national; /* no limit: bind nothing */
    const char *from, *to, *rank, *libraries;
};

/* Where the principal may use `scope` (bits of contract_scopes; all of them are needed): the union
 * over the assignments that grant them all. Ranges are [from, to) over library.place, with the rank
 * beside each. Empty arrays, never national, when the token does not hold the scope. Of a place as
 * a whole (from "") the end stands behind every code, so that it covers Indonesia with the limit of
 * its rank. */
void principal_reach(struct arena *arena, const struct principal *principal, uint32_t scope,
                     struct reach *ret_reach);

/* The same for an operation with alternatives (any one of them suffices): the union over those
 * held. */
void principal_reach_any(struct arena *arena, const struct principal *principal,
                         const uint32_t *alternatives, size_t count, struct reach *ret_reach);

#endif
