/* The only file that includes jwt.h. Rule: libjwt 1.10.2 is asked one thing, whether the signature
 * is right, with a key and an algorithm that we chose before; it believes the header and checks no
 * claim. */
#include "auth/token.h"

#include <jansson.h>
#include <jwt.h>
#include <stdlib.h>

#include "api/base/digest.h"
#include "api/base/uuid.h"
#include "auth/scope.h"

#define HEADER_MAX_BYTES 512
#define SIGNATURE_BYTES 64 /* r and s of P-256, RFC 7518 3.4 */
#define JSON_DEPTH 8       /* jansson recurses; ours is 2 deep */
#define AUDIENCES_MAX 16

static void json_release(json_t **json)
{
    json_decref(*json);
}
static void jwt_release(jwt_t **jwt)
{
    jwt_free(*jwt);
}
#define AUTO_JSON __attribute__((cleanup(json_release))) json_t *
#define AUTO_JWT __attribute__((cleanup(jwt_release))) jwt_t *

static const char *const fault_names[] = {
#define TOKEN_FAULT(name) #name,
    TOKEN_FAULTS(TOKEN_FAULT)
#undef TOKEN_FAULT
};

const char *token_fault_text(enum token_fault fault)
{
    return fault_names[fault];
}

bool subject_valid(struct span text)
{
    return text.len > 0 && text.len <= SUBJECT_MAX_BYTES && subject_characters(text);
}

bool subject_characters(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!plain && c != '.' && c != '_' && c != '~' && c != '-')
            return false;
    }
    return true;
}

/* ---- shape ---------------------------------------------------------------------------------- */

struct segments { /* decoded */
    struct span header, payload, signature;
};

/* base64url_decode() takes the canonical spelling only: with spare bits set, many texts were one
 * token. */
static bool segment_decode(struct arena *arena, struct span text, struct span *ret_data)
{
    return text.len > 0 && base64url_decode(arena, text, ret_data);
}

static bool token_split(struct arena *arena, struct span token, struct segments *ret_segments)
{
    const char *end = token.ptr + token.len;
    const char *first = memchr(token.ptr, '.', token.len);
    const char *second = first ? memchr(first + 1, '.', (size_t)(end - first - 1)) : NULL;
    if (!second || memchr(second + 1, '.', (size_t)(end - second - 1)))
        return false;
    return segment_decode(arena, (struct span){token.ptr, (size_t)(first - token.ptr)},
                          &ret_segments->header) &&
           segment_decode(arena, (struct span){first + 1, (size_t)(second - first - 1)},
                          &ret_segments->payload) &&
           segment_decode(arena, (struct span){second + 1, (size_t)(end - second - 1)},
                          &ret_segments->signature);
}

/* Deep nesting is refused before a parser that recurses (ours and libjwt's) meets it. */
static bool json_is_flat(struct span text)
{
    int depth = 0;
    bool inside = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (inside) {
            if (c == '\\')
                i++;
            else if (c == '"')
                inside = false;
        } else if (c == '"') {
            inside = true;
        } else if (c == '{' || c == '[') {
            if (++depth > JSON_DEPTH)
                return false;
        } else if (c == '}' || c == ']') {
            depth--;
        }
    }
    return true;
}

/* ---- header --------------------------------------------------------------------------------- */

struct header {
    const char *algorithm, *kid;
};

/* alg, kid and typ, and nothing else: what we never write (crit, jku, jwk, x5u, b64 ...) we do not
 * accept. The texts live as long as `json`. */
static bool header_read(json_t *json, struct header *ret_header)
{
    const char *algorithm = json_string_value(json_object_get(json, "alg"));
    const char *kid = json_string_value(json_object_get(json, "kid"));
    const char *type = json_string_value(json_object_get(json, "typ"));
    if (!algorithm || !kid || !type || json_object_size(json) != 3 || strcmp(type, "JWT") != 0)
        return false;
    *ret_header = (struct header){algorithm, kid};
    return true;
}

static enum token_fault header_check(const struct token_rules *rules, struct span text,
                                     const struct es256_key **ret_key)
{
    if (text.len > HEADER_MAX_BYTES || !json_is_flat(text))
        return TOKEN_FAULT_header;
    AUTO_JSON json = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
    struct header header;
    if (!header_read(json, &header))
        return TOKEN_FAULT_header;
    const struct es256_key *key = key_ring_find(rules->keys, span_of(header.kid));
    if (!key)
        return TOKEN_FAULT_kid;
    if (strcmp(header.algorithm, "ES256") != 0) /* the one algorithm of every key there is */
        return TOKEN_FAULT_algorithm;
    *ret_key = key;
    return TOKEN_FAULT_none;
}

/* ---- signature ------------------------------------------------------------------------------ */

static bool signature_good(struct arena *arena, const struct es256_key *key, struct span token)
{
    jwt_t *decoded = NULL;
    if (!key->public_pem || key->public_pem_len == 0) /* libjwt takes "no key" for "valid" */
        return false;
    int fault = jwt_decode(&decoded, arena_cstr(arena, token),
                           (const unsigned char *)key->public_pem, (int)key->public_pem_len);
    AUTO_JWT jwt = decoded;
    return fault == 0 && jwt && jwt_get_alg(jwt) == JWT_ALG_ES256;
}

/* ---- claims --------------------------------------------------------------------------------- */

static bool audience_holds(const json_t *audience, const char *wanted)
{
    if (json_is_string(audience))
        return strcmp(json_string_value(audience), wanted) == 0;
    bool found = false;
    size_t count = json_array_size(audience); /* 0 for anything but an array */
    if (count > AUDIENCES_MAX)
        return false;
    for (size_t i = 0; i < count; i++) {
        const char *one = json_string_value(json_array_get(audience, i));
        if (!one)
            return false;
        found = found || strcmp(one, wanted) == 0;
    }
    return found;
}

/* An integer, never a real or a text: 1e9 and "1" are other types. */
static bool claim_time(const json_t *claims, const char *name, bool required, int64_t absent,
                       int64_t *ret_value)
{
    const json_t *value = json_object_get(claims, name);
    if (!value && !required) {
        *ret_value = absent;
        return true;
    }
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return false;
    *ret_value = json_integer_value(value);
    return true;
}

static bool claim_subject(struct arena *arena, const json_t *claims, const char *name,
                          const char **ret_text)
{
    struct span text = span_of(json_string_value(json_object_get(claims, name)));
    if (!subject_valid(text))
        return false;
    *ret_text = arena_cstr(arena, text);
    return true;
}

/* The grant that a token of a user was issued from; a client's own has none. */
static bool claim_session(struct arena *arena, const json_t *claims, const char **ret_session)
{
    *ret_session = NULL;
    return !json_object_get(claims, "sid") || claim_subject(arena, claims, "sid", ret_session);
}

/* amr: a list of texts. acr is not read: it says the same in one word. */
static bool claim_methods(const json_t *claims, unsigned *ret_methods)
{
    const json_t *list = json_object_get(claims, "amr");
    *ret_methods = 0;
    if (list && !json_is_array(list))
        return false;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *one = json_string_value(json_array_get(list, i));
        if (!one)
            return false;
        *ret_methods |= login_methods_read(span_of(one));
    }
    return true;
}

static enum token_fault claims_check(const struct token_rules *rules, struct arena *arena,
                                     struct span text, int64_t now_s,
                                     struct token_claims *ret_claims)
{
    AUTO_JSON json = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(json))
        return TOKEN_FAULT_claims;
    struct token_claims claims;
    int64_t not_before_s;
    const char *scope = json_string_value(json_object_get(json, "scope"));
    if (!claim_time(json, "exp", true, 0, &claims.expires_s) ||
        !claim_time(json, "iat", true, 0, &claims.issued_s) ||
        !claim_time(json, "nbf", false, 0, &not_before_s) ||
        !claim_subject(arena, json, "sub", &claims.subject) ||
        !claim_subject(arena, json, "client_id", &claims.client_id) ||
        !claim_subject(arena, json, "jti", &claims.id) ||
        !claim_session(arena, json, &claims.session) ||
        !claim_time(json, "auth_time", false, 0, &claims.login.at_s) ||
        !claim_methods(json, &claims.login.methods) || !scope ||
        !scope_parse(span_of(scope), false, &claims.scopes))
        return TOKEN_FAULT_claims;
    const char *issuer = json_string_value(json_object_get(json, "iss"));
    if (!issuer || strcmp(issuer, rules->issuer) != 0)
        return TOKEN_FAULT_issuer;
    if (!audience_holds(json_object_get(json, "aud"), rules->audience))
        return TOKEN_FAULT_audience;
    if (now_s >= claims.expires_s)
        return TOKEN_FAULT_expired;
    if (not_before_s > now_s + TOKEN_LEEWAY_S || claims.issued_s > now_s + TOKEN_LEEWAY_S)
        return TOKEN_FAULT_early;
    *ret_claims = claims;
    return TOKEN_FAULT_none;
}

enum token_fault token_verify(const struct token_rules *rules, struct arena *arena,
                              struct span token, int64_t now_s, struct token_claims *ret_claims)
{
    if (token.len == 0 || token.len > TOKEN_MAX_BYTES)
        return TOKEN_FAULT_size;
    struct segments segments;
    if (!token_split(arena, token, &segments))
        return TOKEN_FAULT_shape;
    const struct es256_key *key;
    enum token_fault fault = header_check(rules, segments.header, &key);
    if (fault != TOKEN_FAULT_none)
        return fault;
    if (!json_is_flat(segments.payload))
        return TOKEN_FAULT_claims;
    if (segments.signature.len != SIGNATURE_BYTES || !signature_good(arena, key, token))
        return TOKEN_FAULT_signature;
    return claims_check(rules, arena, segments.payload, now_s, ret_claims);
}

/* ---- issue ---------------------------------------------------------------------------------- */

static bool login_add(jwt_t *jwt, struct arena *arena, const struct token_login *login)
{
    return jwt_add_grant_int(jwt, "auth_time", (long)login->at_s) == 0 &&
           jwt_add_grant(jwt, "acr", login_acr(login)) == 0 &&
           jwt_add_grants_json(jwt, arena_printf(arena, "{\"amr\":%s}",
                                                 login_methods_json(arena, login->methods))) == 0;
}

bool token_issue(const struct token_rules *rules, struct arena *arena, const char *subject,
                 const char *client_id, const char *session, const struct token_login *login,
                 const char *scope, int64_t now_s, int64_t lifetime_s, struct span *ret_token)
{
    const struct es256_key *key = key_ring_signer(rules->keys, now_s);
    char id[37];
    uuid_v7(id);
    jwt_t *made = NULL;
    if (jwt_new(&made) != 0)
        return false;
    AUTO_JWT jwt = made;
    if (jwt_add_header(jwt, "kid", key->id) != 0 || jwt_add_grant(jwt, "iss", rules->issuer) != 0 ||
        jwt_add_grant(jwt, "aud", rules->audience) != 0 ||
        jwt_add_grant(jwt, "sub", subject) != 0 ||
        jwt_add_grant(jwt, "client_id", client_id) != 0 ||
        (session && jwt_add_grant(jwt, "sid", session) != 0) ||
        (login && !login_add(jwt, arena, login)) || jwt_add_grant(jwt, "scope", scope) != 0 ||
        jwt_add_grant(jwt, "jti", id) != 0 || jwt_add_grant_int(jwt, "iat", (long)now_s) != 0 ||
        jwt_add_grant_int(jwt, "exp", (long)(now_s + lifetime_s)) != 0 ||
        jwt_set_alg(jwt, JWT_ALG_ES256, (const unsigned char *)key->private_pem,
                    (int)key->private_pem_len) != 0)
        return false;
    char *text = jwt_encode_str(jwt);
    if (!text)
        return false;
    *ret_token = arena_copy(arena, span_of(text));
    free(text);
    return true;
}
