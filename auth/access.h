/* What the database says about clients: the statements of db/queries that auth uses, as C values.
 * */
#ifndef AUTH_ACCESS_H
#define AUTH_ACCESS_H

#include "auth/api_key.h"
#include "auth/client.h"
#include "auth/standing.h"
#include "db/query.h"

enum access_statement { /* ACCESS_x runs the statement x */
                        ACCESS_client_secret_hashes,
                        ACCESS_principal_assignments,
                        ACCESS_user_assignments,
                        ACCESS_libraries_within,
                        ACCESS_client_create_facts,
                        ACCESS_insert_client,
                        ACCESS_insert_client_secret,
                        ACCESS_insert_assignment,
                        ACCESS_set_client_status,
                        ACCESS_find_api_key,
                        ACCESS_api_key_used,
                        ACCESS_STATEMENT_COUNT
};
enum access_name { /* their parameters */
                   ACCESS_CLIENT_ID,
                   ACCESS_CLIENT_NAME,
                   ACCESS_USER_ID,
                   ACCESS_LIBRARY_IDS,
                   ACCESS_SECRET_HASH,
                   ACCESS_ROLE,
                   ACCESS_REGION,
                   ACCESS_LIBRARY,
                   ACCESS_CLIENT_TYPE,
                   ACCESS_CLIENT_REDIRECT_URIS,
                   ACCESS_CLIENT_SCOPES,
                   ACCESS_CLIENT_OWNER_NAME,
                   ACCESS_CLIENT_OWNER_EMAIL,
                   ACCESS_CLIENT_REASON,
                   ACCESS_API_KEY_IDS,
                   ACCESS_NAME_COUNT
};

/* Finds statements and names in the contract, once; aborts when one is missing, which is a fault of
 * the build. Call it before threads start. */
void access_init(void);
const struct statement *access_statement(enum access_statement which);
struct value *access_values(struct arena *arena); /* all absent */
void access_bind(struct value *values, enum access_name name, struct span text,
                 struct arena *arena);

/* The tables a standing (of a client, or of a user) depends on, for watch_version(). */
const uint16_t *access_tables(bool user, size_t *ret_count);

/* The standing today of a client, or of a user through a client (user_id may be NULL). Who is
 * unknown is not active.
 * Problems: those of pool_lend() and query_read(). */
enum problem_code access_standing(struct pool *pool, struct arena *arena, const char *client_id,
                                  const char *user_id, int64_t deadline_ms,
                                  struct standing *ret_standing);

/* Takes from the standing what lies beyond the client's limit: of libraries this is asked each
 * time, for they move, and no cache of standings could follow every change of a library. */
enum problem_code access_limit(struct pool *pool, struct arena *arena, int64_t deadline_ms,
                               struct standing *standing);

/* The same, and the hashes of the client's secrets that are valid now, in one trip. None for an
 * unknown client. */
enum problem_code access_credentials(struct pool *pool, struct arena *arena, const char *client_id,
                                     int64_t deadline_ms, struct standing *ret_standing,
                                     struct client_secrets *ret_secrets);

/* The API key of that hash; its id is "" when there is none that is not revoked. */
enum problem_code access_api_key(struct pool *pool, struct arena *arena,
                                 const unsigned char hash[32], int64_t deadline_ms,
                                 struct api_key *ret_key);

#endif
