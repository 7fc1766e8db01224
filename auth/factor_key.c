/* See factor_key.h. Rule: only `tpbis key create` makes the key, never a service that does not find it: two machines with a copy of
 * the directory each would make two. */
#include "auth/factor_key.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/base/digest.h"
#include "api/base/log.h"
#include "auth/secret_file.h"

bool factor_key_create(const char *directory, FILE *errors)
{
    unsigned char bytes[SEAL_KEY_BYTES];
    bool there;
    random_bytes(bytes, sizeof bytes);
    bool good = secret_directory_make(directory, errors) &&
                secret_file_make(directory, FACTOR_KEY_FILE,
                                 (struct span){(const char *)bytes, sizeof bytes}, &there, errors);
    OPENSSL_cleanse(bytes, sizeof bytes);
    return good;
}

static const char *fault_of(int fd, unsigned char ret_bytes[SEAL_KEY_BYTES])
{
    struct stat info;
    if (fd < 0 || fstat(fd, &info) != 0)
        return strerror(errno);
    if (!S_ISREG(info.st_mode) || info.st_size != SEAL_KEY_BYTES)
        return "is no file of 32 bytes";
    if (info.st_mode & 077)
        return "may be read by others: chmod 600";
    return read(fd, ret_bytes, SEAL_KEY_BYTES) == SEAL_KEY_BYTES ? NULL : "cannot be read";
}

bool factor_key_read(const char *directory, struct factor_key *ret_key)
{
    unsigned char hash[32];
    struct arena *arena = arena_new(512);
    int fd = open(arena_printf(arena, "%s/%s", directory, FACTOR_KEY_FILE), O_RDONLY | O_CLOEXEC);
    const char *fault = fault_of(fd, ret_key->bytes);
    if (fd >= 0)
        close(fd);
    arena_free(arena);
    if (fault) {
        log_event(LOG_ERROR, "key_of_factors", LOG_C("file", FACTOR_KEY_FILE), LOG_C("why", fault));
        return false;
    }
    digest_sha256((struct span){(const char *)ret_key->bytes, sizeof ret_key->bytes}, hash);
    hex_encode(hash, FACTOR_KEY_ID_LENGTH / 2, ret_key->id);
    ret_key->id[FACTOR_KEY_ID_LENGTH] = '\0';
    return true;
}

void factor_key_wipe(struct factor_key *key)
{
    OPENSSL_cleanse(key->bytes, sizeof key->bytes);
}
