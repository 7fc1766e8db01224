/* Loads and makes the signing keys with OpenSSL 3. Rule: a private key that anybody but its owner
 * may read is not a key; it is refused, never used "for now". */
#define _GNU_SOURCE /* strptime, timegm */
#include "auth/keys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "api/base/arena.h"
#include "api/base/buffer.h"
#include "api/base/digest.h"
#include "auth/secret_file.h"

#define KEY_FILE_MAX_BYTES 16384
#define KEY_FILE_NAME "es256.pem"

struct key_ring {
    struct es256_key *keys;
    size_t count;
    char *jwks;
    size_t jwks_len;
};

/* ---- one key -------------------------------------------------------------------------------- */

/* An encrypted file would make OpenSSL ask on the terminal of a server that has none. */
static int no_passphrase(char *text, int size, int writing, void *user)
{
    (void)text, (void)size, (void)writing, (void)user;
    return -1;
}

static char *pem_take(BIO *bio, size_t *ret_len)
{
    char *data = NULL;
    long len = BIO_get_mem_data(bio, &data);
    char *copy = memory_alloc((size_t)len + 1);
    memcpy(copy, data, (size_t)len);
    *ret_len = (size_t)len;
    return copy;
}

static bool coordinate(const EVP_PKEY *pkey, const char *name, char ret_text[KEY_NUMBER_LENGTH + 1])
{
    BIGNUM *number = NULL;
    unsigned char bytes[32];
    bool good = EVP_PKEY_get_bn_param(pkey, name, &number) == 1 &&
                BN_bn2binpad(number, bytes, (int)sizeof bytes) == (int)sizeof bytes;
    BN_free(number);
    if (!good)
        return false;
    struct arena *arena = arena_new(256);
    struct span text = base64url_encode(arena, bytes, sizeof bytes);
    memcpy(ret_text, text.ptr, KEY_NUMBER_LENGTH);
    ret_text[KEY_NUMBER_LENGTH] = '\0';
    arena_free(arena);
    return true;
}

void key_thumbprint(const char *x, const char *y, char ret_id[KEY_ID_LENGTH + 1])
{
    struct arena *arena = arena_new(1024);
    /* The required members only, in this order and without white space: RFC 7638 3.2. */
    const char *text = arena_printf(
        arena, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}", x, y);
    unsigned char hash[32];
    digest_sha256(span_of(text), hash);
    struct span id = base64url_encode(arena, hash, sizeof hash);
    memcpy(ret_id, id.ptr, KEY_ID_LENGTH);
    ret_id[KEY_ID_LENGTH] = '\0';
    arena_free(arena);
}

static bool is_p256(const EVP_PKEY *pkey)
{
    char group[64];
    size_t len = 0;
    return EVP_PKEY_is_a(pkey, "EC") == 1 &&
           EVP_PKEY_get_group_name(pkey, group, sizeof group, &len) == 1 &&
           strcmp(group, SN_X9_62_prime256v1) == 0;
}

/* NULL, or what is wrong. Writes both PEMs anew, so that libjwt only ever sees what we would write.
 * */
static const char *key_fill(EVP_PKEY *pkey, struct es256_key *ret_key)
{
    if (!is_p256(pkey))
        return "is not a P-256 key";
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    bool sound = context && EVP_PKEY_pairwise_check(context) == 1;
    EVP_PKEY_CTX_free(context);
    if (!sound)
        return "holds a private and a public half that do not belong together";
    struct es256_key key = {.id = ""};
    if (!coordinate(pkey, OSSL_PKEY_PARAM_EC_PUB_X, key.x) ||
        !coordinate(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, key.y))
        return "has no readable public half";
    key_thumbprint(key.x, key.y, key.id);
    BIO *public_bio = BIO_new(BIO_s_mem()), *private_bio = BIO_new(BIO_s_secmem());
    bool written = public_bio && private_bio && PEM_write_bio_PUBKEY(public_bio, pkey) == 1 &&
                   PEM_write_bio_PKCS8PrivateKey(private_bio, pkey, NULL, NULL, 0, NULL, NULL) == 1;
    if (written) {
        key.public_pem = pem_take(public_bio, &key.public_pem_len);
        key.private_pem = pem_take(private_bio, &key.private_pem_len);
        *ret_key = key;
    }
    BIO_free(public_bio);
    BIO_free(private_bio);
    return written ? NULL : "cannot be written as PEM";
}

static void key_wipe(struct es256_key *key)
{
    free(key->file);
    if (key->private_pem)
        OPENSSL_cleanse(key->private_pem, key->private_pem_len);
    free(key->private_pem);
    free(key->public_pem);
}

/* ---- files ---------------------------------------------------------------------------------- */

/* The permissions are those of the opened file, so that nobody can swap it between look and read.
 * */
static const char *file_read(const char *path, char bytes[KEY_FILE_MAX_BYTES], size_t *ret_len,
                             int64_t *ret_made_s)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return "cannot be opened";
    struct stat info;
    const char *fault = NULL;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
        fault = "is not a regular file";
    else if (info.st_mode & 077)
        fault = "may be read or written by others than its owner; run chmod 600 on it";
    else if (info.st_size >= KEY_FILE_MAX_BYTES)
        fault = "is too large for a key";
    size_t len = 0;
    while (!fault && len < KEY_FILE_MAX_BYTES) {
        ssize_t got = read(fd, bytes + len, KEY_FILE_MAX_BYTES - len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            fault = "cannot be read";
        if (got <= 0)
            break;
        len += (size_t)got;
    }
    close(fd);
    if (!fault) {
        *ret_len = len;
        *ret_made_s = info.st_mtim.tv_sec;
    }
    return fault;
}

static const char *key_read(const char *path, struct es256_key *ret_key)
{
    char bytes[KEY_FILE_MAX_BYTES];
    size_t len = 0;
    int64_t made_s = 0;
    const char *fault = file_read(path, bytes, &len, &made_s);
    if (fault)
        return fault;
    BIO *bio = BIO_new_mem_buf(bytes, (int)len);
    EVP_PKEY *pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
    BIO_free(bio);
    OPENSSL_cleanse(bytes, len);
    ERR_clear_error();
    if (!pkey)
        return "holds no unencrypted private key in PEM form";
    fault = key_fill(pkey, ret_key);
    EVP_PKEY_free(pkey);
    ERR_clear_error();
    if (!fault)
        ret_key->made_s = made_s;
    return fault;
}

int64_t key_signs_from(const char *file)
{
    struct tm parts = {.tm_isdst = 0};
    if (strlen(file) != strlen("es256-20261121T210000Z.pem"))
        return 0;
    const char *end = strptime(file, "es256-%Y%m%dT%H%M%SZ.pem", &parts);
    int64_t at_s = end && *end == '\0' ? timegm(&parts) : 0;
    return at_s > 0 ? at_s : 0;
}

static int is_pem(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return entry->d_name[0] != '.' && len > 4 && strcmp(entry->d_name + len - 4, ".pem") == 0;
}

static int by_time(const void *a, const void *b)
{
    const struct es256_key *first = a, *second = b;
    if (first->signs_from_s != second->signs_from_s)
        return first->signs_from_s < second->signs_from_s ? -1 : 1;
    return strcmp(first->file, second->file);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name); /* not alphasort(): that one follows the locale */
}

static void jwks_write(struct key_ring *ring)
{
    struct buffer buffer = {NULL, 0, 0};
    BUFFER_LITERAL(&buffer, "{\"keys\":[");
    for (size_t i = 0; i < ring->count; i++) {
        const struct es256_key *key = &ring->keys[i];
        buffer_printf(
            &buffer,
            "%s{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\",\"kid\":\"%s\","
            "\"use\":\"sig\",\"alg\":\"ES256\"}",
            i ? "," : "", key->x, key->y, key->id);
    }
    BUFFER_LITERAL(&buffer, "]}");
    ring->jwks = buffer_take(&buffer, &ring->jwks_len);
}

struct key_ring *key_ring_load(const char *directory, FILE *errors)
{
    struct dirent **entries = NULL;
    int found = scandir(directory, &entries, is_pem, by_name);
    if (found < 0) {
        fprintf(errors, "key directory %s: %s\n", directory, strerror(errno));
        return NULL;
    }
    struct key_ring *ring = memory_alloc(sizeof *ring);
    ring->keys = memory_alloc((size_t)(found ? found : 1) * sizeof *ring->keys);
    struct arena *arena = arena_new(1024);
    bool good = true;
    for (int i = 0; i < found; i++) {
        const char *path = arena_printf(arena, "%s/%s", directory, entries[i]->d_name);
        struct es256_key key;
        const char *fault = key_read(path, &key);
        if (fault) {
            fprintf(errors, "key %s %s\n", path, fault);
            good = false;
        } else if (key_ring_find(ring, span_of(key.id))) {
            key_wipe(&key); /* the same key under two names: promoted by a copy, perhaps */
        } else {
            key.file = memory_copy(entries[i]->d_name);
            key.signs_from_s = key_signs_from(key.file);
            ring->keys[ring->count++] = key;
        }
        free(entries[i]);
    }
    free(entries);
    arena_free(arena);
    if (good && ring->count == 0) {
        fprintf(errors, "key directory %s holds no *.pem\n", directory);
        good = false;
    }
    if (!good) {
        key_ring_free(ring);
        return NULL;
    }
    qsort(ring->keys, ring->count, sizeof *ring->keys, by_time);
    jwks_write(ring);
    return ring;
}

void key_ring_free(struct key_ring *ring)
{
    if (!ring)
        return;
    for (size_t i = 0; i < ring->count; i++)
        key_wipe(&ring->keys[i]);
    free(ring->keys);
    free(ring->jwks);
    free(ring);
}

const struct es256_key *key_ring_find(const struct key_ring *ring, struct span id)
{
    for (size_t i = 0; i < ring->count; i++)
        if (span_is(id, ring->keys[i].id))
            return &ring->keys[i];
    return NULL;
}

size_t key_ring_count(const struct key_ring *ring)
{
    return ring->count;
}

const struct es256_key *key_ring_at(const struct key_ring *ring, size_t i)
{
    return &ring->keys[i];
}

const struct es256_key *key_ring_signer(const struct key_ring *ring, int64_t now_s)
{
    const struct es256_key *best = NULL;
    for (size_t i = 0; i < ring->count; i++) {
        const struct es256_key *key = &ring->keys[i];
        if (key->signs_from_s <= now_s && (!best || key->signs_from_s > best->signs_from_s))
            best = key;
    }
    return best ? best : &ring->keys[0];
}

struct span key_ring_jwks(const struct key_ring *ring)
{
    return (struct span){ring->jwks, ring->jwks_len};
}

/* ---- making one ----------------------------------------------------------------------------- */

static bool make(const char *directory, const char *name, bool *ret_there, FILE *errors)
{
    EVP_PKEY *pkey = EVP_EC_gen("P-256");
    struct es256_key key;
    const char *fault = pkey ? key_fill(pkey, &key) : "cannot be generated";
    EVP_PKEY_free(pkey);
    if (fault) {
        fprintf(errors, "new key %s\n", fault);
        return false;
    }
    bool good = secret_file_make(
        directory, name, (struct span){key.private_pem, key.private_pem_len}, ret_there, errors);
    key_wipe(&key);
    return good;
}

bool key_make(const char *directory, const char *name, FILE *errors)
{
    bool there;
    if (!make(directory, name, &there, errors))
        return false;
    if (there)
        fprintf(errors, "key %s/%s is there already\n", directory, name);
    return !there;
}

/* -1 when the directory cannot be read. */
static int pem_count(const char *directory)
{
    struct dirent **entries = NULL;
    int found = scandir(directory, &entries, is_pem, NULL);
    for (int i = 0; i < found; i++)
        free(entries[i]);
    free(entries);
    return found;
}

bool key_create(const char *directory, FILE *errors)
{
    if (!secret_directory_make(directory, errors))
        return false;
    int found = pem_count(directory);
    if (found < 0)
        fprintf(errors, "key directory %s: %s\n", directory, strerror(errno));
    if (found != 0)
        return found > 0;
    bool there; /* another maker was quicker: as good */
    return make(directory, KEY_FILE_NAME, &there, errors);
}
