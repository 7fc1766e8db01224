/* The signing keys: ES256 on P-256, one PEM file each. There is no other kind of key in this
 * program, so a verifier cannot be talked into using one kind as another. Immutable after loading,
 * safe to share. */
#ifndef AUTH_KEYS_H
#define AUTH_KEYS_H

#include "api/base/span.h"
#include <stdint.h>
#include <stdio.h>

#define KEY_ID_LENGTH 43     /* base64url of SHA-256 */
#define KEY_NUMBER_LENGTH 43 /* base64url of a P-256 coordinate, 32 bytes */

struct es256_key {
    char id[KEY_ID_LENGTH + 1]; /* the kid: its RFC 7638 thumbprint */
    char x[KEY_NUMBER_LENGTH + 1], y[KEY_NUMBER_LENGTH + 1];
    char *public_pem, *private_pem; /* NUL-terminated; lengths without it */
    size_t public_pem_len, private_pem_len;
    char *file;           /* its name in the directory */
    int64_t signs_from_s; /* Unix time, from the name; 0: from the beginning */
    int64_t made_s;       /* when the file was written */
};

struct key_ring;

/* Every *.pem of the directory; all verify. A name es256-<YYYYMMDD>T<HHMMSS>Z.pem says from when on its key signs, any other name
 * means from the beginning. They stand in the order of these moments, then of their names. Each must be a regular file that only its
 * owner may read (mode & 077 == 0) and hold one unencrypted P-256 private key. Every fault is written to `errors`; with any fault, or
 * without a key, the answer is NULL. */
struct key_ring *key_ring_load(const char *directory, FILE *errors);
void key_ring_free(struct key_ring *ring); /* wipes the private keys; NULL is fine */

const struct es256_key *key_ring_find(const struct key_ring *ring, struct span id); /* or NULL */
size_t key_ring_count(const struct key_ring *ring);
const struct es256_key *key_ring_at(const struct key_ring *ring, size_t i); /* in their order */
/* The key that signs at that moment: of those that may, the one whose time came last (of several at once the first by name). Where
 * the time of none has come, the first. */
const struct es256_key *key_ring_signer(const struct key_ring *ring, int64_t now_s);
struct span key_ring_jwks(const struct key_ring *ring); /* RFC 7517 set of the public keys */

/* RFC 7638 thumbprint of the P-256 point with these base64url coordinates. */
void key_thumbprint(const char *x, const char *y, char ret_id[KEY_ID_LENGTH + 1]);

int64_t key_signs_from(const char *file); /* as the name says, or 0 */

/* Makes `directory` (0700) and in it a new key (0600), unless a *.pem is there already. Safe when
 * two processes try at once: one key is made. */
bool key_create(const char *directory, FILE *errors);

/* Makes a key in the file of that name. Where root makes it, it belongs to whom the directory belongs. False when there is one. */
bool key_make(const char *directory, const char *name, FILE *errors);

#endif
