/* What the database says about clients: the statements of db/queries that auth uses, as C values.
 * */
#ifndef AUTH_ACCESS_H
#define AUTH_ACCESS_H

#include "auth/client.h"
#include "auth/standing.h"
#include "db/query.h"

enum access_statement { /* ACCESS_x runs the statement x */
                        ACCESS_client_secret_hashes,
                        ACCESS_principal_assignments,
                        ACCESS_client_create_facts,
                        ACCESS_insert_client,
                        ACCESS_insert_client_secret,
                        ACCESS_insert_assignment,
                        ACCESS_STATEMENT_COUNT
};
enum access_name { /* their parameters */
                   ACCESS_CLIENT_ID,
                   ACCESS_CLIENT_NAME,
                   ACCESS_SECRET_HASH,
                   ACCESS_ROLE,
                   ACCESS_REGION,
                   ACCESS_LIBRARY,
                   ACCESS_NAME_COUNT
};

/* Finds statements and names in the contract, once; aborts when one is missing, which is a fault of
 * the build. Call it before threads start. */
void access_init(void);
const struct statement *access_statement(enum access_statement which);
struct value *access_values(struct arena *arena); /* all absent */
void access_bind(struct value *values, enum access_name name, struct span text,
                 struct arena *arena);

/* The tables a standing depends on, for watch_version(). */
const uint16_t *access_tables(size_t *ret_count);

/* The standing of a client today. An unknown client is one that is not active.
 * Problems: those of pool_lend() and query_read(). */
enum problem_code access_standing(struct pool *pool, struct arena *arena, const char *client_id,
                                  int64_t deadline_ms, struct standing *ret_standing);

/* The same, and the hashes of the client's secrets that are valid now, in one trip. None for an
 * unknown client. */
enum problem_code access_credentials(struct pool *pool, struct arena *arena, const char *client_id,
                                     int64_t deadline_ms, struct standing *ret_standing,
                                     struct client_secrets *ret_secrets);

#endif
