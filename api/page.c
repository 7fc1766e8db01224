/* Keyset paging. Rule: a cursor is only good for the filters and the order it was made with, and a page
 * asks for one row more than it shows, so that `next` is null only at the true end.
 *
 * A cursor is base64url of: 16 bytes of an HMAC-SHA-256 over the filters' hash and all that follows, with a key that all processes share, then
 * each key cell as its length in decimal, ':' and its bytes; a NULL cell cannot be (key columns are NOT NULL). So the database is only ever
 * asked with cells that it gave itself. */
#include "api/page.h"

#include <stdio.h>
#include <stdlib.h>
#include "api/base/clock.h"
#include "api/base/digest.h"

#define MARK_BYTES 16
#define CURSOR_MAX_BYTES 2048

static const enum builtin_name key_names[4] = {NAME_KEY_1, NAME_KEY_2, NAME_KEY_3, NAME_KEY_4};

static void filters_hash(struct call *call)
{
    struct buffer text = {0};
    buffer_span(&text, span_of(call->operation->id));
    if (call->page.order)
        buffer_printf(&text, "\n%s", call->page.order->name);
    for (size_t i = 0; i < call->operation->parameter_count; i++) {
        const struct parameter *parameter = &call->operation->parameters[i];
        const struct value *value = &call->values[parameter->name_id];
        if (parameter->role != PARAMETER_PATH && parameter->role != PARAMETER_PLAIN &&
            parameter->role != PARAMETER_NEAR)
            continue;
        if (value->state == VALUE_PRESENT)
            buffer_printf(&text, "\n%s=%u:%s", parameter->name, value->len, value->text);
    }
    if (call_has(call, NAME_DELETED_INCLUDE))
        BUFFER_LITERAL(&text, "\ndeleted");
    digest_tag((struct span){text.data, text.len}, call->page.filters);
    buffer_free(&text);
}

static void cursor_mark(struct call *call, struct span keys, unsigned char ret_mark[32])
{
    struct span text = span_of(
        arena_printf(call->arena, "%s%.*s", call->page.filters, SPAN_ARG(keys)));
    digest_hmac_sha256((struct span){(const char *)call->page.key, sizeof(call->page.key)}, text,
                       ret_mark);
}

static bool key_read(struct span *rest, struct span *ret_key)
{
    size_t len = 0, at = 0;
    while (at < rest->len && rest->ptr[at] >= '0' && rest->ptr[at] <= '9' && len < CURSOR_MAX_BYTES)
        len = len * 10 + (size_t)(rest->ptr[at++] - '0');
    if (at == 0 || at >= rest->len || rest->ptr[at] != ':' || rest->len - at - 1 < len)
        return false;
    *ret_key = (struct span){rest->ptr + at + 1, len};
    *rest = (struct span){ret_key->ptr + len, rest->len - at - 1 - len};
    return true;
}

static void key_set(struct call *call, size_t at, struct span text)
{
    call_set(call, key_names[at], text);
    call->values[key_names[at]].type = call->page.order->keys[at].type;
}

static enum problem_code cursor_open(struct call *call)
{
    struct span raw;
    const struct order *order = call->page.order;
    if (!order || call->page.cursor.len > CURSOR_MAX_BYTES ||
        !base64url_decode(call->arena, call->page.cursor, &raw) || raw.len <= MARK_BYTES)
        return PROBLEM_invalid_cursor;
    struct span rest = {raw.ptr + MARK_BYTES, raw.len - MARK_BYTES};
    unsigned char mark[32];
    if (memchr(rest.ptr, '\0', rest.len)) /* the text under the mark would end there */
        return PROBLEM_invalid_cursor;
    cursor_mark(call, rest, mark);
    if (!digest_equal(mark, raw.ptr, MARK_BYTES))
        return PROBLEM_invalid_cursor;
    for (size_t i = 0; i < order->key_count; i++) {
        struct span key;
        if (!key_read(&rest, &key))
            return PROBLEM_invalid_cursor;
        key_set(call, i, key);
    }
    if (rest.len)
        return PROBLEM_invalid_cursor;
    call_set_flag(call, NAME_CURSOR);
    return PROBLEM_NONE;
}

enum problem_code page_open(struct call *call)
{
    struct page *page = &call->page;
    if (!page->list)
        return PROBLEM_NONE;
    filters_hash(call);
    page->stream = page->limit == 0 && (call->media == MEDIA_CSV || call->media == MEDIA_GEOJSON);
    if (page->count && (page->stream || call->media == MEDIA_CSV)) {
        call_fault(call, "count", FAULT_not_allowed,
                   SPAN_NONE); /* there is no place for the total */
        return PROBLEM_invalid_parameter;
    }
    if (page->limit == 0)
        page->limit = page->stream ? STREAM_BATCH_ROWS : PAGE_LIMIT_DEFAULT;
    char rows[24];
    snprintf(rows, sizeof(rows), "%zu", page->limit + 1);
    call_set_cstr(call, NAME_PAGE_ROWS, rows);
    enum problem_code code = PROBLEM_NONE;
    if (page->order)
        code = auth_key_derive(call->service->auth, call->arena, SPAN("cursor"),
                               clock_monotonic_ms() + call->service->settings.pool_wait_ms,
                               page->key);
    return !code && page->cursor.ptr ? cursor_open(call) : code;
}

static struct span key_cell(const struct call *call, const struct rows *rows, size_t row, size_t at)
{
    struct span cell = SPAN("");
    int column = rows_column(rows, call->page.order->keys[at].column);
    if (column >= 0)
        rows_cell(rows, row, (size_t)column, &cell);
    return cell;
}

struct span page_cursor(struct call *call, const struct rows *rows, size_t row)
{
    struct buffer keys = {0};
    for (size_t i = 0; i < call->page.order->key_count; i++) {
        struct span cell = key_cell(call, rows, row, i);
        buffer_printf(&keys, "%zu:", cell.len);
        buffer_span(&keys, cell);
    }
    unsigned char mark[32];
    cursor_mark(call, (struct span){keys.data, keys.len}, mark);
    char *raw = arena_alloc(call->arena, MARK_BYTES + keys.len);
    memcpy(raw, mark, MARK_BYTES);
    memcpy(raw + MARK_BYTES, keys.data, keys.len);
    struct span cursor = base64url_encode(call->arena, raw, MARK_BYTES + keys.len);
    buffer_free(&keys);
    return cursor;
}

void page_advance(struct call *call, const struct rows *rows, size_t row)
{
    for (size_t i = 0; i < call->page.order->key_count; i++)
        key_set(call, i, key_cell(call, rows, row, i));
    call_set_flag(call, NAME_CURSOR);
}

/* As the client wrote it, but for what would end the address in a Link (RFC 8288 3). */
static void link_pair(struct buffer *link, struct span pair)
{
    buffer_char(link, '&');
    for (size_t i = 0; i < pair.len; i++) {
        if (strchr("<>\"\\^`{|}", pair.ptr[i]))
            buffer_printf(link, "%%%02X", (unsigned char)pair.ptr[i]);
        else
            buffer_char(link, pair.ptr[i]);
    }
}

struct span page_link(struct call *call, struct span cursor)
{
    struct buffer link = {0};
    buffer_span(&link, call->target.path);
    buffer_printf(&link, "?cursor=%.*s", SPAN_ARG(cursor));
    struct span rest = call->target.query;
    for (size_t i = 0; rest.len && i < call->target.pair_count; i++) {
        const char *amp = memchr(rest.ptr, '&', rest.len);
        struct span pair = {rest.ptr, amp ? (size_t)(amp - rest.ptr) : rest.len};
        rest = amp ? (struct span){amp + 1, rest.len - pair.len - 1} : SPAN_NONE;
        if (!span_is(call->target.pairs[i].name, "cursor")) /* however it was written */
            link_pair(&link, pair);
    }
    struct span copy = arena_copy(call->arena, (struct span){link.data, link.len});
    buffer_free(&link);
    return copy;
}
