/* Clients and what is known of their secrets (auth/secret.h). */
#ifndef AUTH_CLIENT_H
#define AUTH_CLIENT_H

#include "api/base/arena.h"
#include "auth/auth.h"
#include "auth/secret.h"

#define SECRET_MAX_BYTES 128 /* of what a caller may present */
#define CLIENT_SECRETS_MAX                                                                         \
    4 /* valid at once: the old and the new while they are exchanged, with room */

struct client_secrets { /* SHA-256 of each secret's text */
    unsigned char hashes[CLIENT_SECRETS_MAX][32];
    size_t count;
};

/* Compares with every place of the table, filled or not, in constant time: an unknown client costs
 * what a known one costs. */
bool client_secret_verify(struct span secret, const struct client_secrets *secrets);

/* A hash as the statements carry it: 64 hexadecimal digits in lower case, read also with \x before
 * them. */
bool client_hash_read(struct span text, unsigned char ret_hash[32]);
void client_hash_write(const unsigned char hash[32], char ret_text[65]);

/* What the database knows about the wished place; region_level is NULL when the region is unknown.
 * */
struct client_facts {
    bool role_known, library_known;
    const char *region_level; /* "province", "regency", "district", "village" */
};
/* Where a role may be: the table "Who may write what". Every fault is a line on `errors`. */
bool client_place_check(const struct new_client *wanted, const struct client_facts *facts,
                        FILE *errors);
/* What can be said without a database: a name, and a role, region and library id of the right form.
 * */
bool client_form_check(const struct new_client *wanted, FILE *errors);

#endif
