/* Refresh tokens: tpbis_r_ and 64 bytes in base64url: the grant, 256 random bits, and a mark that tells ours from others'
 * without a row for each that was ever given out. Opaque to everybody else; the database has only SHA-256 of the one in force. */
#ifndef AUTH_REFRESH_TOKEN_H
#define AUTH_REFRESH_TOKEN_H

#include "api/base/arena.h"

#define REFRESH_SECRET_BYTES 32
#define REFRESH_KEY_BYTES 32

struct refresh_token {
    char grant_id[37];
    unsigned char secret[REFRESH_SECRET_BYTES];
};

/* The text, in the arena. grant_id is a uuid. */
struct span refresh_token_text(struct arena *arena, const unsigned char key[REFRESH_KEY_BYTES],
                               const struct refresh_token *token);

/* Is it one that we made with this key? Says nothing about whether it is still in force. */
bool refresh_token_read(const unsigned char key[REFRESH_KEY_BYTES], struct span text,
                        struct refresh_token *ret_token);

bool refresh_token_claims(struct span text); /* has the prefix */

/* Masks the secret of a successor with what only the text of the token before it gives; and back again. */
void refresh_token_seal(struct span before, const unsigned char secret[REFRESH_SECRET_BYTES],
                        unsigned char ret_sealed[REFRESH_SECRET_BYTES]);

#endif
