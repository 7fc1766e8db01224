/* Streams a list. Rule: no database connection is held while bytes wait for the client. */
#include "api/stream.h"

#include <assert.h>
#include <linux/sockios.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <zlib.h>
#include "api/base/clock.h"
#include "api/base/log.h"
#include "api/limit.h"
#include "api/page.h"
#include "api/record.h"
#include "api/render.h"
#include "api/respond.h"

#define OF_A_CALLER 2
#define AGAIN_S 5
#define PACE_OVER_MS 10000
#define PACE_BYTES 32768 /* a second */
#define HELD_FREE_S 20   /* paid for with the price of a whole list */

struct stream {
    struct call *call;
    struct arena *arena; /* of one batch */
    struct buffer plain, packed;
    size_t at;          /* of the bytes that go out: packed where compressed, else plain */
    bool ended, failed; /* nothing more to fetch; a batch failed */
    bool zipping;
    z_stream zip;
    atomic_uint_fast64_t given;  /* bytes handed to the socket */
    atomic_int_fast64_t ours_ms; /* in which its client had to wait for us */
    atomic_int_fast64_t
        fetching_ms;          /* since when it does, by the monotonic clock; 0: it does not */
    int socket;               /* -1 until it is attached; under the lock, as what follows */
    int64_t begun_ms, held_s; /* its client's own seconds that are paid for */
    struct {
        int64_t at_ms;              /* of the client's own time */
        int64_t bytes;              /* that had reached the client by then */
    } paced;                        /* where the pace is measured from */
    struct stream *previous, *next; /* in the list of those on their way */
};

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static struct stream *list;

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

/* May its caller still have it, long after it began? */
static bool still_allowed(const struct stream *stream)
{
    const struct call *call = stream->call;
    if (!call->authenticated)
        return true;
    enum problem_code code = auth_again(call->service->auth, &call->principal,
                                        clock_monotonic_ms() +
                                            call->service->settings.pool_wait_ms);
    if (code)
        log_event(LOG_INFO, "export_ended", LOG_S("request_id", call->request_id),
                  LOG_C("why", problem_texts[code].code));
    return !code;
}

static bool batch_next(struct stream *stream)
{
    struct call *call = stream->call;
    if (!still_allowed(stream))
        return false;
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

/* Takes a place, and stands in the list from now on. */
static enum problem_code place_take(struct stream *stream)
{
    struct service *service = stream->call->service;
    const struct limit *limit = &stream->call->limit;
    enum problem_code code = PROBLEM_NONE;
    size_t own = 0, by_address = 0;
    int64_t most = service->settings.stream_limit;
    pthread_mutex_lock(&list_lock);
    for (const struct stream *one = list; one; one = one->next) {
        own += memcmp(one->call->limit.key, limit->key, sizeof(limit->key)) == 0;
        by_address += limit_is_of_address(one->call);
    }
    if (own >= OF_A_CALLER)
        code = PROBLEM_exports_at_once;
    else if (atomic_load(&service->streams) >= most ||
             (limit_is_of_address(stream->call) && (int64_t)by_address >= (most + 1) / 2))
        code = PROBLEM_busy;
    if (!code) {
        atomic_fetch_add(&service->streams, 1);
        stream->next = list;
        if (list)
            list->previous = stream;
        list = stream;
    }
    pthread_mutex_unlock(&list_lock);
    if (code == PROBLEM_exports_at_once)
        stream->call->retry_after_s = AGAIN_S;
    return code;
}

enum problem_code stream_new(struct call *call, struct stream **ret_stream)
{
    struct stream *stream = memory_alloc(sizeof(*stream));
    stream->call = call;
    stream->socket = -1;
    enum problem_code code = place_take(stream);
    if (code) {
        free(stream);
        return code;
    }
    stream->arena = arena_new(16384);
    *ret_stream = stream;
    return PROBLEM_NONE;
}

void stream_open(struct stream *stream, const struct rows *first)
{
    struct call *call = stream->call;
    stream->zipping = call->accepts_gzip &&
                      deflateInit2(&stream->zip, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, 8,
                                   Z_DEFAULT_STRATEGY) == Z_OK;
    call->response.gzipped = stream->zipping;
    batch_take(stream, first, true);
    call->response.stream = stream;
}

/* The next batch, and for how long its client had to wait for it. */
static bool batch_timed(struct stream *stream)
{
    int64_t began_ms = clock_monotonic_ms();
    atomic_store(&stream->fetching_ms, began_ms);
    bool good = batch_next(stream);
    atomic_fetch_add(&stream->ours_ms, clock_monotonic_ms() - began_ms);
    atomic_store(&stream->fetching_ms, 0);
    return good;
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
            atomic_fetch_add(&stream->given, len);
            return (ssize_t)len;
        }
        if (stream->ended)
            return 0;
        trail_set(&stream->call->trail); /* another thread's, perhaps */
        bool good = batch_timed(stream);
        trail_set(NULL);
        if (!good) {
            stream->failed = true;
            return -1;
        }
    }
}

void stream_attach(struct stream *stream, int socket)
{
    pthread_mutex_lock(&list_lock);
    stream->socket = socket;
    stream->begun_ms = clock_monotonic_ms();
    pthread_mutex_unlock(&list_lock);
}

static void stream_detach(struct stream *stream)
{
    pthread_mutex_lock(&list_lock);
    if (stream->previous)
        stream->previous->next = stream->next;
    else
        list = stream->next;
    if (stream->next)
        stream->next->previous = stream->previous;
    atomic_fetch_sub(&stream->call->service->streams, 1);
    pthread_mutex_unlock(&list_lock);
}

/* How much of the time since it began was its client's. */
static int64_t client_ms(const struct stream *stream, int64_t now_ms)
{
    int64_t fetching_ms = atomic_load(&stream->fetching_ms);
    int64_t ours_ms = atomic_load(&stream->ours_ms) + (fetching_ms ? now_ms - fetching_ms : 0);
    return now_ms - stream->begun_ms - ours_ms;
}

/* What has reached the client: without that which waits in the socket (tcp(7), SIOCOUTQ). */
static int64_t reached_bytes(const struct stream *stream)
{
    int waiting = 0;
    ioctl(stream->socket, SIOCOUTQ, &waiting);
    return (int64_t)atomic_load(&stream->given) - waiting;
}

/* True when its client took too little since the pace was last measured; measures anew every ten seconds of the client's own. */
static bool too_slow(struct stream *stream, int64_t spent_ms)
{
    int64_t passed_ms = spent_ms - stream->paced.at_ms;
    if (passed_ms < PACE_OVER_MS)
        return false;
    int64_t bytes = reached_bytes(stream), before = stream->paced.bytes;
    stream->paced.at_ms = spent_ms;
    stream->paced.bytes = bytes;
    return (bytes - before) * 1000 < passed_ms * PACE_BYTES;
}

/* Who holds a place longer than the price of a whole list covers pays for each further second. */
static void hold_charge(struct stream *stream, int64_t spent_ms)
{
    int64_t due_s = spent_ms / 1000 - HELD_FREE_S;
    if (due_s > stream->held_s) {
        limit_hold(stream->call, due_s - stream->held_s);
        stream->held_s = due_s;
    }
}

static bool watch_over(struct stream *stream, int64_t now_ms)
{
    int64_t most_ms = stream->call->service->settings.stream_timeout_s * 1000;
    int64_t spent_ms = client_ms(stream, now_ms);
    hold_charge(stream, spent_ms);
    return now_ms - stream->begun_ms >= most_ms || too_slow(stream, spent_ms);
}

void streams_cut(void)
{
    int64_t now_ms = clock_monotonic_ms();
    pthread_mutex_lock(&list_lock);
    for (struct stream *stream = list; stream; stream = stream->next)
        if (stream->socket >= 0 && watch_over(stream, now_ms))
            shutdown(stream->socket, SHUT_RDWR); /* the sender fails, and closes */
    pthread_mutex_unlock(&list_lock);
}

void stream_drop(struct stream *stream)
{
    stream_detach(stream);
    if (stream->zipping)
        deflateEnd(&stream->zip);
    buffer_free(&stream->plain);
    buffer_free(&stream->packed);
    arena_free(stream->arena);
    free(stream);
}

void stream_close(struct stream *stream)
{
    struct call *call = stream->call;
    trail_set(&call->trail);
    record_stream(call, stream->ended && !stream->failed);
    trail_set(NULL);
    stream_drop(stream);
    call_free(call);
}
