/* Sealing. Rule: a nonce is random and never used again. */
#include "auth/seal.h"

#include <sodium.h>

#include "api/base/digest.h"

_Static_assert(SEAL_KEY_BYTES == crypto_secretbox_KEYBYTES, "the key of a secretbox");

struct span seal_close(struct arena *arena, const unsigned char key[SEAL_KEY_BYTES],
                       struct span plain)
{
    size_t len = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + plain.len;
    unsigned char *sealed = arena_alloc(arena, len);
    random_bytes(sealed, crypto_secretbox_NONCEBYTES);
    crypto_secretbox_easy(sealed + crypto_secretbox_NONCEBYTES, (const unsigned char *)plain.ptr,
                          plain.len, sealed, key);
    return (struct span){(char *)sealed, len};
}

bool seal_open(struct arena *arena, const unsigned char key[SEAL_KEY_BYTES], struct span sealed,
               struct span *ret_plain)
{
    const unsigned char *bytes = (const unsigned char *)sealed.ptr;
    const size_t around = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES;
    if (sealed.len < around)
        return false;
    unsigned char *plain = arena_alloc(arena, sealed.len - around + 1);
    if (crypto_secretbox_open_easy(plain, bytes + crypto_secretbox_NONCEBYTES,
                                   sealed.len - crypto_secretbox_NONCEBYTES, bytes, key) != 0)
        return false;
    *ret_plain = (struct span){(char *)plain, sealed.len - around};
    return true;
}
