/* Streams a list. Rule: no database connection is held while bytes wait for the client. */
#include "api/stream.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <zlib.h>
#include "api/base/clock.h"
#include "api/page.h"
#include "api/record.h"
#include "api/render.h"
#include "api/respond.h"

struct stream {
    struct call *call;
    struct arena *arena; /* of one batch */
    struct buffer plain, packed;
    size_t at;          /* of the bytes that go out: packed where compressed, else plain */
    bool ended, failed; /* nothing more to fetch; a batch failed */
    bool zipping;
    z_stream zip;
    int socket;
    int64_t until_ms;
    struct stream *previous, *next; /* in the list of those attached */
};

static pthread_mutex_t attached_lock = PTHREAD_MUTEX_INITIALIZER;
static struct stream *attached;

static void pack(struct stream *stream)
{
    z_stream *zip = &stream->zip;
    stream->packed.len = 0;
    zip->next_in = (Bytef *)stream->plain.data;
    zip->avail_in = (uInt)stream->plain.len;
    int flush = stream->ended ? Z_FINISH : Z_SYNC_FLUSH;
    do {
        buffer_reserve(&stream->packed, 65536);
        zip->next_out = (Bytef *)stream->packed.data + stream->packed.len;
        zip->avail_out = (uInt)(stream->packed.cap - stream->packed.len);
        uInt room = zip->avail_out;
        int outcome = deflate(zip, flush);
        assert(outcome != Z_STREAM_ERROR);
        stream->packed.len += room - zip->avail_out;
    } while (zip->avail_out == 0);
    stream->plain.len = 0;
}

/* Renders one batch and binds the keys of its last row. */
static void batch_take(struct stream *stream, const struct rows *rows, bool first)
{
    struct call *call = stream->call;
    arena_reset(stream->arena);
    struct row_plan *plan = row_plan_new(stream->arena, rows, call->fields, call->field_count,
                                         call->media == MEDIA_GEOJSON);
    size_t count = rows_count(rows);
    size_t shown = count > call->page.limit ? call->page.limit : count;
    if (first)
        render_opening(&stream->plain, call, plan);
    render_batch(&stream->plain, call, plan, rows, shown, first);
    if (count > call->page.limit) {
        page_advance(call, rows, shown - 1);
    } else {
        render_closing(&stream->plain, call->media);
        stream->ended = true;
    }
    if (stream->zipping)
        pack(stream);
    stream->at = 0;
}

static bool batch_next(struct stream *stream)
{
    struct call *call = stream->call;
    struct query_step step = {call->operation->answer, call->values, false};
    struct connection *connection;
    struct rows *rows = NULL;
    struct query_failure failure;
    int64_t now = clock_monotonic_ms();
    if (pool_lend(call->service->pool, now + call->service->settings.pool_wait_ms, &connection))
        return false;
    enum problem_code code = query_read(connection, &step, 1, now + call_timeout_ms(call), &rows,
                                        &failure);
    pool_return(call->service->pool, connection);
    if (code)
        return false;
    stream->plain.len = 0;
    batch_take(stream, rows, false);
    rows_free(rows);
    return true;
}

enum problem_code stream_open(struct call *call, struct rows *first)
{
    struct service *service = call->service;
    if (atomic_fetch_add(&service->streams, 1) >= service->settings.stream_limit) {
        atomic_fetch_sub(&service->streams, 1);
        return PROBLEM_busy;
    }
    struct stream *stream = memory_alloc(sizeof(*stream));
    stream->call = call;
    stream->arena = arena_new(16384);
    stream->zipping = call->accepts_gzip &&
                      deflateInit2(&stream->zip, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, 8,
                                   Z_DEFAULT_STRATEGY) == Z_OK;
    call->response.gzipped = stream->zipping;
    batch_take(stream, first, true);
    call->response.stream = stream;
    return PROBLEM_NONE;
}

ssize_t stream_read(struct stream *stream, char *ret_bytes, size_t max)
{
    for (;;) {
        struct buffer *out = stream->zipping ? &stream->packed : &stream->plain;
        if (stream->at < out->len) {
            size_t len = out->len - stream->at < max ? out->len - stream->at : max;
            memcpy(ret_bytes, out->data + stream->at, len);
            stream->at += len;
            stream->call->bytes_sent += len;
            return (ssize_t)len;
        }
        if (stream->ended)
            return 0;
        trail_set(&stream->call->trail); /* another thread's, perhaps */
        bool good = batch_next(stream);
        trail_set(NULL);
        if (!good) {
            stream->failed = true;
            return -1;
        }
    }
}

void stream_attach(struct stream *stream, int socket)
{
    stream->socket = socket;
    stream->until_ms = clock_monotonic_ms() +
                       stream->call->service->settings.stream_timeout_s * 1000;
    pthread_mutex_lock(&attached_lock);
    stream->next = attached;
    if (attached)
        attached->previous = stream;
    attached = stream;
    pthread_mutex_unlock(&attached_lock);
}

static void stream_detach(struct stream *stream)
{
    pthread_mutex_lock(&attached_lock);
    if (stream->previous)
        stream->previous->next = stream->next;
    else if (attached == stream)
        attached = stream->next;
    if (stream->next)
        stream->next->previous = stream->previous;
    pthread_mutex_unlock(&attached_lock);
}

void streams_cut(void)
{
    int64_t now_ms = clock_monotonic_ms();
    pthread_mutex_lock(&attached_lock);
    for (struct stream *stream = attached; stream; stream = stream->next)
        if (stream->until_ms <= now_ms)
            shutdown(stream->socket, SHUT_RDWR); /* the sender fails, and closes */
    pthread_mutex_unlock(&attached_lock);
}

void stream_close(struct stream *stream)
{
    struct call *call = stream->call;
    stream_detach(stream);
    atomic_fetch_sub(&call->service->streams, 1);
    trail_set(&call->trail);
    record_stream(call, stream->ended && !stream->failed);
    trail_set(NULL);
    if (stream->zipping)
        deflateEnd(&stream->zip);
    buffer_free(&stream->plain);
    buffer_free(&stream->packed);
    arena_free(stream->arena);
    free(stream);
    call_free(call);
}
