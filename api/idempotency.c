/* Keys, claims and replays. Rule: what is stored shows nothing without the key: the row's name and the seal of its answer are
 * two hashes of caller and key, and the key itself is nowhere. */
#include "api/idempotency.h"

#include <stdlib.h>
#include "api/base/clock.h"
#include "api/base/digest.h"
#include "api/base/log.h"
#include "api/metrics.h"
#include "api/respond.h"
#include "auth/seal.h"

#define KEY_MAX 255
#define SECRET_KEY_MIN 16 /* whoever guesses the key can open the seal */
#define WAIT_MOST_MS 3000 /* for a first request at work; a connection is held meanwhile */

struct idempotency {
    unsigned char seal[SEAL_KEY_BYTES];
};

/* ---- the header ------------------------------------------------------------------------------- */

static void hash_bind(struct call *call, const char *name, const char *text, size_t len)
{
    unsigned char hash[32];
    char hex[64];
    digest_sha256((struct span){text, len}, hash);
    hex_encode(hash, sizeof(hash), hex);
    call_bind(call, name, (struct span){hex, sizeof(hex)});
}

/* Where the caller may act now, as its statements are bound to it. */
static void reach_hash(struct call *call)
{
    struct buffer text = {0};
    for (size_t name = NAME_REACH; name <= NAME_REACH_LIBRARIES; name++) {
        const struct value *value = &call->values[name];
        if (name == NAME_CALLER_SCOPES)
            continue;
        if (value->state == VALUE_PRESENT)
            buffer_add(&text, value->text, value->len);
        buffer_char(&text, '\n');
    }
    hash_bind(call, "idempotency.reach", text.data, text.len);
    buffer_free(&text);
}

static void key_take(struct call *call, struct span key)
{
    const struct principal *caller = &call->principal;
    char *text = arena_printf(call->arena, "idempotency name\n%s\n%s\n%.*s", caller->client_id,
                              caller->subject, SPAN_ARG(key));
    hash_bind(call, "idempotency.key", text, strlen(text));
    text = arena_printf(call->arena, "idempotency seal\n%s\n%s\n%.*s", caller->client_id,
                        caller->subject, SPAN_ARG(key));
    digest_sha256(span_of(text), call->idempotency->seal);

    /* Under the seal: a body may hold a password, which a bare hash would let be guessed. */
    struct buffer request = {0};
    buffer_add(&request, (const char *)call->idempotency->seal, sizeof(call->idempotency->seal));
    buffer_printf(&request, "%s\n%.*s\n", method_names[call->method],
                  SPAN_ARG(call->frame->target));
    buffer_span(&request, call->body);
    hash_bind(call, "idempotency.fingerprint", request.data, request.len);
    buffer_free(&request);
    reach_hash(call);
    call_bind(call, "idempotency.operation", span_of(call->operation->id));
}

/* The draft's form is a string in quotes; most clients send it bare. Both are the same key. */
static bool key_read(struct span header, struct span *ret_key)
{
    if (header.len >= 2 && header.ptr[0] == '"' && header.ptr[header.len - 1] == '"')
        header = (struct span){header.ptr + 1, header.len - 2};
    for (size_t i = 0; i < header.len; i++)
        if (header.ptr[i] <= ' ' || header.ptr[i] > '~')
            return false;
    *ret_key = header;
    return header.len >= 1 && header.len <= KEY_MAX;
}

enum problem_code idempotency_take(struct call *call)
{
    struct span key;
    struct span header = call->operation->idempotent ? call_header_list(call, "Idempotency-Key")
                                                     : SPAN_NONE;
    if (!header.ptr)
        return PROBLEM_NONE;
    if (!key_read(header, &key))
        return call_refuse_for(call, PROBLEM_bad_request, (struct said){.reason = REASON_key_form});
    if (call->operation->secret && key.len < SECRET_KEY_MIN)
        return call_refuse_for(call, PROBLEM_bad_request,
                               (struct said){.reason = REASON_key_short});
    call->idempotency = arena_alloc(call->arena, sizeof(*call->idempotency));
    key_take(call, key);
    return PROBLEM_NONE;
}

/* ---- the answer, kept and replayed ------------------------------------------------------------ */

static struct span gzip_mark_cut(const char *name, const char *value)
{
    struct span text = span_of(value);
    bool marked = strcmp(name, "ETag") == 0 && text.len > 4 &&
                  strcmp(value + text.len - 4, "-gz\"") == 0;
    return marked ? (struct span){value, text.len - 4} : text;
}

/* Status, media type and headers, a line each; an empty line; the body. */
static struct span answer_pack(struct call *call)
{
    const struct response *response = &call->response;
    struct buffer text = {0};
    buffer_printf(&text, "%d\n%s\n", response->status,
                  response->content_type ? response->content_type : "");
    for (size_t i = 0; i < response->header_count; i++) {
        const char *name = response->headers[i].name, *value = response->headers[i].value;
        struct span plain = gzip_mark_cut(name, value);
        buffer_printf(&text, "%s: %.*s%s\n", name, SPAN_ARG(plain),
                      plain.len < strlen(value) ? "\"" : "");
    }
    buffer_char(&text, '\n');
    buffer_span(&text, respond_plain(call));
    struct span sealed = seal_close(call->arena, call->idempotency->seal,
                                    (struct span){text.data, text.len});
    buffer_free(&text);
    return sealed;
}

static struct span line_take(struct span *rest)
{
    const char *end = memchr(rest->ptr, '\n', rest->len);
    size_t len = end ? (size_t)(end - rest->ptr) : rest->len;
    struct span line = {rest->ptr, len};
    len += end != NULL;
    *rest = (struct span){rest->ptr + len, rest->len - len};
    return line;
}

static void header_replay(struct call *call, struct span line)
{
    const char *colon = memchr(line.ptr, ':', line.len);
    if (!colon)
        return;
    struct span name = {line.ptr, (size_t)(colon - line.ptr)};
    struct span value = {colon + 2, line.len - name.len - 2};
    bool gzip = span_is(name, "ETag") && respond_gzip_wanted(call);
    response_header(call, arena_cstr(call->arena, name), "%.*s%s", (int)(value.len - gzip),
                    value.ptr, gzip ? "-gz\"" : "");
}

static void answer_replay(struct call *call, struct span text)
{
    struct response *response = &call->response;
    struct span rest = text, line = line_take(&rest);
    struct span headers;
    response->status = atoi(arena_cstr(call->arena, line));
    line = line_take(&rest);
    response->content_type = line.len ? arena_cstr(call->arena, line) : NULL;
    headers = rest;
    while (line_take(&rest).len)
        ;
    buffer_span(&response->body, rest);
    while ((line = line_take(&headers)).len)
        header_replay(call, line);
    response_header_lent(call, "Idempotent-Replayed", "true");
    respond_gzip(call);
    metrics_count(call->service->metrics, METRIC_IDEMPOTENCY_REPLAYED);
}

static int nibble(char c)
{
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* As PostgreSQL writes a bytea. */
static struct span bytes_read(struct arena *arena, struct span cell)
{
    size_t len = cell.len > 2 ? (cell.len - 2) / 2 : 0;
    char *bytes = arena_alloc(arena, len + 1);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (char)(nibble(cell.ptr[2 * i + 2]) << 4 | nibble(cell.ptr[2 * i + 3]));
    return (struct span){bytes, len};
}

static enum problem_code answer_take(struct call *call, struct rows *rows, bool *ret_replayed)
{
    struct span cell, plain;
    bool kept = rows_count(rows) == 1 && rows_cell(rows, 0, 0, &cell);
    struct span sealed = kept ? bytes_read(call->arena, cell) : SPAN_NONE;
    rows_free(rows);
    *ret_replayed = kept;
    if (!kept)
        return PROBLEM_NONE;
    if (!seal_open(call->arena, call->idempotency->seal, sealed, &plain)) {
        log_event(LOG_ERROR, "idempotency_seal_broken");
        return PROBLEM_internal;
    }
    answer_replay(call, plain);
    return PROBLEM_NONE;
}

/* ---- statements ------------------------------------------------------------------------------- */

static enum problem_code write_step(struct call *call, struct connection *connection,
                                    const struct write_context *context, const char *name,
                                    struct rows **ret_rows)
{
    struct query_step step = {contract_statement(name), call->values, false};
    struct query_failure failure = {0};
    struct table_set changed;
    enum problem_code code = query_write(connection, context, &step, 1, call->deadline_ms, ret_rows,
                                         &changed, &failure);
    bool waited = strcmp(failure.sqlstate, "55P03") == 0; /* lock_not_available */
    if (waited)
        call->retry_after_s = 1;
    return waited ? PROBLEM_idempotency_in_progress : code;
}

enum problem_code idempotency_claim(struct call *call, struct connection *connection,
                                    const struct write_context *context, bool *ret_replayed)
{
    *ret_replayed = false;
    if (!call->idempotency)
        return PROBLEM_NONE;
    struct rows *rows = NULL;
    int64_t wait_ms = (call->deadline_ms - clock_monotonic_ms()) / 2;
    wait_ms = wait_ms < 1 ? 1 : wait_ms > WAIT_MOST_MS ? WAIT_MOST_MS : wait_ms;
    call_bind(call, "idempotency.wait_ms",
              span_of(arena_printf(call->arena, "%lld", (long long)wait_ms)));
    enum problem_code code = write_step(call, connection, context, "claim_idempotency", &rows);
    if (code)
        return code;
    code = answer_take(call, rows, ret_replayed);
    if (code || *ret_replayed)
        query_rollback(connection);
    return code;
}

enum problem_code idempotency_find(struct call *call, bool *ret_replayed)
{
    *ret_replayed = false;
    if (!call->idempotency)
        return PROBLEM_NONE;
    struct query_step step = {contract_statement("find_idempotency"), call->values, false};
    struct query_failure failure = {0};
    struct connection *connection;
    struct rows *rows = NULL;
    int64_t wait_ms = clock_monotonic_ms() + call->service->settings.pool_wait_ms;
    enum problem_code code = pool_lend(call->service->pool, wait_ms, &connection);
    if (code)
        return code;
    code = query_read(connection, &step, 1, call->deadline_ms, &rows, &failure);
    pool_return(call->service->pool, connection);
    return code ? code : answer_take(call, rows, ret_replayed);
}

enum problem_code idempotency_keep(struct call *call, struct connection *connection,
                                   const struct write_context *context)
{
    if (!call->idempotency)
        return PROBLEM_NONE;
    struct span sealed = answer_pack(call);
    struct rows *rows = NULL;
    char *hex = arena_alloc(call->arena, 2 * sealed.len + 1);
    hex_encode(sealed.ptr, sealed.len, hex);
    call_bind(call, "idempotency.answer", (struct span){hex, 2 * sealed.len});
    enum problem_code code = write_step(call, connection, context, "keep_idempotency", &rows);
    rows_free(rows);
    if (!code)
        metrics_count(call->service->metrics, METRIC_IDEMPOTENCY_KEPT);
    return code;
}
