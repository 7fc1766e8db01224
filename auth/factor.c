/* The second factor. Rule: the secret is in the clear only here, while a code is compared or a page is written; the database has it
 * sealed, with the account inside, so that it opens for no other account. */
#include "auth/factor.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#include "api/base/clock.h"
#include "api/base/digest.h"
#include "api/base/log.h"
#include "auth/ask.h"
#include "auth/door.h"
#include "auth/factor_key.h"

#define USER_ID_LENGTH 36
#define RECOVERY_BYTES 10
#define RECOVERY_LETTERS 16

static struct span bytes_hex(struct arena *arena, struct span bytes)
{
    char *text = arena_alloc(arena, 2 * bytes.len + 1);
    hex_encode(bytes.ptr, bytes.len, text);
    return (struct span){text, 2 * bytes.len};
}

/* ---- the database ------------------------------------------------------------------------------ */

#define PARAMETERS_MAX 8

/* One statement that answers `done`: as the person, for that browser's login. PROBLEM_invalid_grant when it is not done. */
static enum problem_code write_done(const struct oauth_call *call, const struct factor_login *login,
                                    const char *statement, const struct ask *more, size_t count)
{
    struct write_context context = {.actor = span_of(login->session->user_id),
                                    .request_id = call->request_id,
                                    .operation = call->operation};
    struct ask parameters[PARAMETERS_MAX] = {
        {"session.hash", digest_sha256_hex(call->arena, login->cookie)},
        {"user.id", span_of(login->session->user_id)},
    };
    struct rows *rows;
    struct table_set changed = {{0}};
    for (size_t i = 0; i < count; i++)
        parameters[2 + i] = more[i];
    enum problem_code problem = ask_write(call->auth->pool, call->arena, &context, statement,
                                          parameters, 2 + count, call->deadline_ms, &rows, &changed,
                                          NULL);
    if (problem != PROBLEM_NONE)
        return problem;
    const char *done = ask_cell(call->arena, rows, "done");
    rows_free(rows);
    if (call->auth->watch)
        watch_committed(call->auth->watch, &changed);
    return done && strcmp(done, "t") == 0 ? PROBLEM_NONE : PROBLEM_invalid_grant;
}

/* Counts a guess before anything is compared. */
static enum problem_code attempt(const struct oauth_call *call, const struct factor_login *login,
                                 int64_t *ret_wait_s)
{
    struct write_context context = {.actor = SPAN("login"), .operation = call->operation};
    const struct ask parameter = {"user.id", span_of(login->session->user_id)};
    struct rows *rows;
    enum problem_code problem = ask_write(call->auth->pool, call->arena, &context,
                                          "user_factor_attempt", &parameter, 1, call->deadline_ms,
                                          &rows, NULL, NULL);
    if (problem != PROBLEM_NONE)
        return problem;
    const char *wait = ask_cell(call->arena, rows, "wait_s");
    *ret_wait_s = wait ? strtoll(wait, NULL, 10) : 0;
    rows_free(rows);
    if (*ret_wait_s == 0)
        return PROBLEM_NONE;
    log_security(LOG_WARNING, "second_factor_throttled", LOG_I("wait_s", *ret_wait_s));
    return PROBLEM_login_throttled;
}

static enum problem_code wrong(const struct factor_login *login, const char *what)
{
    log_security(LOG_WARNING, "second_factor_refused", LOG_C("what", what),
                 LOG_C("user", login->session->user_id));
    return PROBLEM_wrong_login;
}

/* What the database refuses although it looked right: a code that was used before, or a login that has ended. */
static enum problem_code used(enum problem_code problem, const struct factor_login *login,
                              const char *what)
{
    return problem == PROBLEM_invalid_grant ? wrong(login, what) : problem;
}

/* ---- secrets ------------------------------------------------------------------------------------- */

static bool key_open(const struct oauth_call *call, struct factor_key *ret_key)
{
    return factor_key_read(call->auth->key_directory, ret_key);
}

static bool hex_decode(struct arena *arena, struct span text, struct span *ret_bytes)
{
    if (text.len % 2)
        return false;
    char *bytes = arena_alloc(arena, text.len / 2 + 1);
    for (size_t i = 0; i < text.len / 2; i++) {
        const char pair[3] = {text.ptr[2 * i], text.ptr[2 * i + 1], '\0'};
        char *end;
        bytes[i] = (char)strtoul(pair, &end, 16);
        if (end != pair + 2)
            return false;
    }
    *ret_bytes = (struct span){bytes, text.len / 2};
    return true;
}

static struct span secret_seal(struct arena *arena, const struct factor_key *key,
                               const char *user_id, const unsigned char secret[TOTP_SECRET_BYTES])
{
    char plain[USER_ID_LENGTH + TOTP_SECRET_BYTES];
    memcpy(plain, user_id, USER_ID_LENGTH);
    memcpy(plain + USER_ID_LENGTH, secret, TOTP_SECRET_BYTES);
    struct span sealed = seal_close(arena, key->bytes, (struct span){plain, sizeof plain});
    OPENSSL_cleanse(plain, sizeof plain);
    return bytes_hex(arena, sealed);
}

static bool secret_open(struct arena *arena, const struct factor_key *key, const char *user_id,
                        const char *sealed_hex, unsigned char ret_secret[TOTP_SECRET_BYTES])
{
    struct span sealed, plain;
    if (!hex_decode(arena, span_of(sealed_hex), &sealed) ||
        !seal_open(arena, key->bytes, sealed, &plain) ||
        plain.len != USER_ID_LENGTH + TOTP_SECRET_BYTES ||
        memcmp(plain.ptr, user_id, USER_ID_LENGTH) != 0)
        return false;
    memcpy(ret_secret, plain.ptr + USER_ID_LENGTH, TOTP_SECRET_BYTES);
    OPENSSL_cleanse((char *)plain.ptr, plain.len);
    return true;
}

/* The account's secret. PROBLEM_invalid_grant when it has none. */
static enum problem_code secret_read(const struct oauth_call *call,
                                     const struct factor_login *login,
                                     unsigned char ret_secret[TOTP_SECRET_BYTES])
{
    const char *user_id = login->session->user_id;
    const struct ask parameter = {"user.id", span_of(user_id)};
    struct factor_key key;
    struct rows *rows;
    enum problem_code problem = ask_read(call->auth->pool, call->arena, "user_factor_secret",
                                         &parameter, 1, call->deadline_ms, &rows);
    if (problem != PROBLEM_NONE)
        return problem;
    const char *sealed = ask_cell(call->arena, rows, "secret"),
               *key_id = ask_cell(call->arena, rows, "key_id");
    rows_free(rows);
    if (!sealed)
        return PROBLEM_invalid_grant;
    if (!key_open(call, &key))
        return PROBLEM_internal;
    bool opened = secret_open(call->arena, &key, user_id, sealed, ret_secret);
    factor_key_wipe(&key);
    if (!opened)
        log_security(LOG_ERROR, "second_factor_sealed_otherwise", LOG_C("user", user_id),
                     LOG_C("with", key_id), LOG_C("ours", key.id));
    return opened ? PROBLEM_NONE : PROBLEM_internal;
}

static void secret_derive(const struct factor_key *key, struct arena *arena,
                          const struct factor_login *login,
                          unsigned char ret_secret[TOTP_SECRET_BYTES])
{
    unsigned char mac[32];
    const struct oauth_session *session = login->session;
    const char *what = arena_printf(arena, "second factor\n%s\n%s\n%.*s", session->user_id,
                                    session->factor_id ? session->factor_id : "",
                                    SPAN_ARG(login->cookie));
    digest_hmac_sha256((struct span){(const char *)key->bytes, sizeof key->bytes}, span_of(what),
                       mac);
    memcpy(ret_secret, mac, TOTP_SECRET_BYTES);
    OPENSSL_cleanse(mac, sizeof mac);
}

enum problem_code factor_offer(const struct oauth_call *call, const struct factor_login *login,
                               unsigned char ret_secret[TOTP_SECRET_BYTES])
{
    struct factor_key key;
    if (!key_open(call, &key))
        return PROBLEM_internal;
    secret_derive(&key, call->arena, login, ret_secret);
    factor_key_wipe(&key);
    return PROBLEM_NONE;
}

/* ---- recovery codes -------------------------------------------------------------------------------- */

/* Four groups of four; *hashes gets SHA-256 of each without its hyphens, in hexadecimal digits, with blanks between. */
static void codes_make(struct arena *arena, struct recovery_codes *ret_codes,
                       struct span *ret_hashes)
{
    const char *hashes = "";
    for (size_t i = 0; i < FACTOR_RECOVERY_CODES; i++) {
        unsigned char bytes[RECOVERY_BYTES];
        char letters[RECOVERY_LETTERS], *at = ret_codes->text[i];
        random_bytes(bytes, sizeof bytes);
        struct span text = totp_base32(arena, bytes, sizeof bytes);
        for (size_t j = 0; j < RECOVERY_LETTERS; j++) {
            char c = text.ptr[j];
            letters[j] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
            if (j && j % 4 == 0)
                *at++ = '-';
            *at++ = letters[j];
        }
        *at = '\0';
        hashes = arena_printf(
            arena, "%s%s%.*s", hashes, i ? " " : "",
            SPAN_ARG(digest_sha256_hex(arena, (struct span){letters, RECOVERY_LETTERS})));
    }
    *ret_hashes = span_of(hashes);
}

/* What was typed, without blanks and hyphens, in lower case; false when it can be none. */
static bool recovery_read(struct span typed, char ret_letters[RECOVERY_LETTERS])
{
    size_t len = 0;
    for (size_t i = 0; i < typed.len; i++) {
        char c = typed.ptr[i];
        if (c == ' ' || c == '-')
            continue;
        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if (len == RECOVERY_LETTERS || ((c < 'a' || c > 'z') && (c < '2' || c > '7')))
            return false;
        ret_letters[len++] = c;
    }
    return len == RECOVERY_LETTERS;
}

/* ---- what a person does ----------------------------------------------------------------------------- */

/* People write the six digits in groups. */
static struct span digits_of(struct arena *arena, struct span typed)
{
    char *digits = arena_alloc(arena, typed.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < typed.len; i++)
        if (typed.ptr[i] != ' ')
            digits[len++] = typed.ptr[i];
    return (struct span){digits, len};
}

static struct span step_text(struct arena *arena, int64_t step)
{
    return span_of(arena_printf(arena, "%lld", (long long)step));
}

enum problem_code factor_enter(const struct oauth_call *call, const struct factor_login *login,
                               struct span code, int64_t *ret_wait_s)
{
    unsigned char secret[TOTP_SECRET_BYTES];
    int64_t step;
    enum problem_code problem = attempt(call, login, ret_wait_s);
    if (problem == PROBLEM_NONE)
        problem = secret_read(call, login, secret);
    if (problem != PROBLEM_NONE)
        return problem;
    bool right = totp_check(secret, digits_of(call->arena, code), clock_unix_s(), &step);
    OPENSSL_cleanse(secret, sizeof secret);
    if (!right)
        return wrong(login, "code");
    const struct ask parameter = {"factor.step", step_text(call->arena, step)};
    problem = used(write_done(call, login, "user_factor_enter", &parameter, 1), login,
                   "code again");
    if (problem == PROBLEM_NONE)
        log_security(LOG_INFO, "second_factor", LOG_C("user", login->session->user_id));
    return problem;
}

enum problem_code factor_recover(const struct oauth_call *call, const struct factor_login *login,
                                 struct span code, int64_t *ret_wait_s)
{
    char letters[RECOVERY_LETTERS];
    enum problem_code problem = attempt(call, login, ret_wait_s);
    if (problem != PROBLEM_NONE)
        return problem;
    if (!recovery_read(code, letters))
        return wrong(login, "recovery code");
    const struct ask parameter = {
        "factor.code", digest_sha256_hex(call->arena, (struct span){letters, RECOVERY_LETTERS})};
    problem = used(write_done(call, login, "user_factor_recover", &parameter, 1), login,
                   "recovery code");
    if (problem == PROBLEM_NONE)
        log_security(LOG_WARNING, "second_factor_recovered",
                     LOG_C("user", login->session->user_id));
    return problem;
}

enum problem_code factor_set_up(const struct oauth_call *call, const struct factor_login *login,
                                struct span code, struct recovery_codes *ret_codes,
                                int64_t *ret_wait_s)
{
    const struct oauth_session *session = login->session;
    unsigned char secret[TOTP_SECRET_BYTES];
    struct factor_key key;
    struct span hashes;
    int64_t step;
    enum problem_code problem = attempt(call, login, ret_wait_s);
    if (problem != PROBLEM_NONE)
        return problem;
    if (!key_open(call, &key))
        return PROBLEM_internal;
    secret_derive(&key, call->arena, login, secret);
    bool right = totp_check(secret, digits_of(call->arena, code), clock_unix_s(), &step);
    codes_make(call->arena, ret_codes, &hashes);
    const struct ask parameters[] = {
        {"factor.before", span_of(session->factor_id)},
        {"factor.secret", secret_seal(call->arena, &key, session->user_id, secret)},
        {"factor.key", span_of(key.id)},
        {"factor.step", right ? step_text(call->arena, step) : SPAN("0")},
        {"factor.codes", hashes},
    };
    factor_key_wipe(&key);
    OPENSSL_cleanse(secret, sizeof secret);
    if (!right)
        return wrong(login, "first code");
    problem = write_done(call, login, "user_factor_set_up", parameters,
                         sizeof parameters / sizeof *parameters);
    if (problem == PROBLEM_NONE)
        log_security(LOG_INFO, "second_factor_set_up", LOG_C("user", session->user_id));
    return problem;
}

enum problem_code factor_codes_renew(const struct oauth_call *call,
                                     const struct factor_login *login,
                                     struct recovery_codes *ret_codes)
{
    struct span hashes;
    codes_make(call->arena, ret_codes, &hashes);
    const struct ask parameter = {"factor.codes", hashes};
    return write_done(call, login, "user_recovery_codes_renew", &parameter, 1);
}

enum problem_code factor_codes_keep(const struct oauth_call *call, const struct factor_login *login)
{
    return write_done(call, login, "user_recovery_codes_keep", NULL, 0);
}
