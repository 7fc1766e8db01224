/* Between ulfius and the pipeline. Rule: nothing ulfius decoded is trusted; headers are read one by one from
 * libmicrohttpd, the target raw, because ulfius merges, splits and drops what it cannot decode.
 *
 * One thread per connection. The connection's handle reaches the endpoint through a thread-local that the URI
 * callback sets, which is sound in that mode only. */
#include "api/server.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <ulfius.h>
#include <unistd.h>
#include "api/base/clock.h"
#include "api/base/log.h"
#include "api/base/trail.h"
#include "api/body.h"
#include "api/connections.h"
#include "api/listener.h"
#include "api/metrics.h"
#include "api/pipeline.h"
#include "api/refusal.h"
#include "api/stream.h"
#include "db/client.h"

#define HEADERS_MAX 128
#define MEMORY_LIMIT_BYTES (32 * 1024)
#define THREAD_STACK_BYTES (1024 * 1024)
#ifdef __SANITIZE_ADDRESS__
#define STACK_BYTES (2 * THREAD_STACK_BYTES)
#else
#define STACK_BYTES THREAD_STACK_BYTES
#endif
#define CANCEL_INTERVAL_MS 50
#define CANCEL_WAIT_MS 1000
#define STREAM_BLOCK_BYTES (64 * 1024)

struct server {
    struct service *service;
    struct _u_instance instance;
    struct listener listener;
    struct sockaddr_storage address; /* that it listens on */
};

static _Thread_local struct MHD_Connection *current_connection;
static struct service
    *counted_service; /* of the one server of this process, for the callbacks below */
static atomic_uint_fast64_t completed; /* requests answered to their end, or given up */

/* What a connection has begun: libmicrohttpd tells of a request's end only where it had an answer to send. A request that
 * used its memory up (400 cookies will do) ends with its connection alone. */
struct header_list {
    struct header items[HEADERS_MAX];
    size_t count;
    bool too_many;
};
struct visit {
    struct seat *seat;
    /* of one request: */
    bool counted;
    bool head;         /* has arrived whole */
    void *state;       /* of ulfius */
    struct call *call; /* owned; NULL once it is answered */
    struct frame frame;
    struct header_list headers;
    size_t body_bytes; /* so far */
};

static struct visit *visit_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(
        connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static int socket_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

static void visit_end(struct visit *visit)
{
    if (!visit || !visit->counted)
        return;
    if (visit->call)
        trail_set(NULL);
    call_free(visit->call);
    visit->call = NULL;
    visit->counted = false;
    visit->state = NULL;
    seat_waiting(visit->seat);
    atomic_fetch_sub(&counted_service->in_flight, 1);
    atomic_fetch_add(&completed, 1);
}

static void *uri_callback(void *cls, const char *uri, struct MHD_Connection *connection)
{
    struct visit *visit = visit_of(connection);
    void *state = ulfius_uri_logger(cls, uri);
    current_connection = connection;
    if (visit) {
        *visit = (struct visit){.counted = true, .state = state, .seat = visit->seat};
        visit->call = call_new(counted_service);
        visit->frame.target = frame_target(
            visit->call->arena,
            arena_copy(visit->call->arena, span_of(uri))); /* a stream outlives the request */
        atomic_fetch_add(&counted_service->in_flight, 1);
    }
    return state;
}

static void connection_callback(void *cls, struct MHD_Connection *connection, void **context,
                                enum MHD_ConnectionNotificationCode what)
{
    (void)cls;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        struct visit *begun = memory_alloc(sizeof(*begun));
        begun->seat = seat_take(
            counted_service,
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr,
            socket_of(connection));
        *context = begun;
        return;
    }
    struct visit *visit = *context;
    if (visit && visit->counted) {
        if (visit->call)
            log_event(
                LOG_WARNING, "request_given_up",
                LOG_C("why",
                      "it ended before its head was whole, or outgrew the HTTP library's memory"));
        mhd_request_completed(NULL, connection, &visit->state, MHD_REQUEST_TERMINATED_WITH_ERROR);
        visit_end(visit);
    }
    if (visit)
        seat_leave(visit->seat);
    free(visit);
    *context = NULL;
}

static enum MHD_Result header_take(void *cls, enum MHD_ValueKind kind, const char *name,
                                   size_t name_len, const char *value, size_t value_len)
{
    struct header_list *list = cls;
    (void)kind;
    if (list->count == HEADERS_MAX) {
        list->too_many = true;
        return MHD_NO;
    }
    /* libmicrohttpd leaves the white space behind a value (RFC 9110 5.5) */
    while (value_len && (value[value_len - 1] == ' ' || value[value_len - 1] == '\t'))
        value_len--;
    list->items[list->count++] = (struct header){{name ? name : "", name_len},
                                                 {value ? value : "", value_len}};
    return MHD_YES;
}

/* Completes the frame and the call of a request by what is known of its head. */
static void head_take(struct MHD_Connection *connection, struct visit *visit, const char *method,
                      const char *version)
{
    visit->headers.count = 0;
    visit->headers.too_many = false;
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, header_take, &visit->headers);
    visit->frame.method = span_of(method);
    visit->frame.version = span_of(version);
    visit->frame.headers = visit->headers.items;
    visit->frame.header_count = visit->headers.count;
    visit->frame.headers_cut = visit->headers.too_many;
    visit->call->frame = &visit->frame;
    visit->call->peer =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
}

/* ---- requests that never reach the endpoint ------------------------------------------------------- */

static void refuse(struct MHD_Connection *connection, struct visit *visit, enum problem_code code)
{
    pipeline_refuse(visit->call, code);
    refusal_send(visit->call, socket_of(connection));
    call_free(visit->call);
    visit->call = NULL;
}

/* The library answers what it cannot read with a page of its own, some of them twice; its log is where that is first told. Where the
 * request line was read the connection is known: then the answer is ours, and the library's goes nowhere. */
static void library_refuses(unsigned status)
{
    struct visit *visit = current_connection ? visit_of(current_connection) : NULL;
    if (visit) {
        if (!visit->call) { /* behind a request that was answered */
            visit->call = call_new(counted_service);
            visit->frame = (struct frame){.target = SPAN("/")};
        }
        if (!visit->call->frame)
            head_take(current_connection, visit, "GET", "HTTP/1.1");
        refuse(current_connection, visit,
               refusal_of_status(visit->call, status, body_most_bytes()));
        return;
    }
    metrics_request(counted_service->metrics, NULL, (int)status, 0);
    log_event(LOG_INFO, "request", LOG_I("status", (int)status),
              LOG_C("problem", "refused by the HTTP library"));
}

static void completed_callback(void *cls, struct MHD_Connection *connection, void **state,
                               enum MHD_RequestTerminationCode why)
{
    mhd_request_completed(cls, connection, state, why);
    visit_end(visit_of(connection));
}

/* ---- before the body is read ------------------------------------------------------------------------ */

/* ulfius calls its endpoints when a body has been read to its end, and has no place before that. libmicrohttpd has: it hands its handler
 * the head first, and then the body piece by piece. ulfius registers that handler by MHD_start_daemon(), which the dynamic linker finds
 * here first (its call goes by name; server_start() makes sure of it), so that ours stands before it. */
static MHD_AccessHandlerCallback ulfius_handler;

static enum MHD_Result arrival(void *cls, struct MHD_Connection *connection, const char *url,
                               const char *method, const char *version, const char *data,
                               size_t *bytes, void **state)
{
    struct visit *visit = visit_of(connection);
    bool head = !visit->head;
    if (head) {
        visit->head = true;
        head_take(connection, visit, method, version);
        if (!frame_body_told(&visit->frame))
            seat_served(visit->seat);
        client_set(socket_of(connection));
        pipeline_head(visit->call);
        client_set(-1);
    } else if (*bytes && !visit->call->refused) {
        visit->body_bytes += *bytes;
        pipeline_admits(visit->call, visit->body_bytes);
    }
    if ((head || *bytes) && visit->call->refused && !pipeline_awaits(visit->call)) {
        refuse(connection, visit, visit->call->refused);
        return MHD_NO; /* no more is read */
    }
    if (*bytes && visit->call->refused) {
        *bytes = 0; /* thrown away */
        return MHD_YES;
    }
    return ulfius_handler(cls, connection, url, method, version, data, bytes, state);
}

struct MHD_Daemon *MHD_start_daemon(unsigned int flags, uint16_t port,
                                    MHD_AcceptPolicyCallback accept, void *accept_cls,
                                    MHD_AccessHandlerCallback handler, void *handler_cls, ...)
{
    va_list options;
    va_start(options, handler_cls);
    ulfius_handler = handler;
    struct MHD_Daemon *daemon = MHD_start_daemon_va(flags, port, accept, accept_cls, arrival,
                                                    handler_cls, options);
    va_end(options);
    return daemon;
}

/* ---- the endpoint --------------------------------------------------------------------------------- */

static ssize_t stream_callback(void *user, uint64_t offset, char *out, size_t max)
{
    (void)offset;
    ssize_t len = stream_read(user, out, max);
    return len > 0 ? len : len == 0 ? U_STREAM_END : U_STREAM_ERROR;
}

static void stream_free_callback(void *user)
{
    stream_close(user);
}

/* Hands the response over; the call is freed here, or by the stream at its end. */
static void response_give(struct call *call, struct _u_response *response)
{
    struct response *ours = &call->response;
    for (size_t i = 0; i < ours->header_count; i++)
        u_map_put(response->map_header, ours->headers[i].name, ours->headers[i].value);
    for (size_t i = 0; i < ours->cookie_count; i++)
        ulfius_add_same_site_cookie_to_response(response, ours->cookies[i].name,
                                                ours->cookies[i].value, NULL,
                                                (unsigned int)ours->cookies[i].seconds, NULL, "/",
                                                ours->cookies[i].secure, 1, U_COOKIE_SAME_SITE_LAX);
    response->status = ours->status;
    if (ours->stream) {
        stream_attach(ours->stream, socket_of(current_connection));
        ulfius_set_stream_response(response, (unsigned int)ours->status, stream_callback,
                                   stream_free_callback, U_STREAM_SIZE_UNKNOWN, STREAM_BLOCK_BYTES,
                                   ours->stream);
        return;
    }
    if (ours->constant.ptr) {
        ulfius_set_binary_body_response(response, (unsigned int)ours->status, ours->constant.ptr,
                                        ours->constant.len);
    } else if (ours->body.len) {
        response->binary_body = buffer_take(&ours->body, &response->binary_body_length);
    }
    call_free(call);
}

static int endpoint(const struct _u_request *request, struct _u_response *response, void *user)
{
    struct visit *visit = visit_of(current_connection);
    struct call *call = visit->call;
    (void)user;
    seat_served(visit->seat);
    visit->call = NULL; /* from here on the response's */
    call->body = (struct span){request->binary_body, request->binary_body_length};
    client_set(socket_of(current_connection));
    pipeline_run(call);
    client_set(-1);
    call->frame = NULL; /* it stands in the visit */
    call->peer = NULL;
    response_give(call, response);
    return U_CALLBACK_COMPLETE;
}

/* ---- start and stop ------------------------------------------------------------------------------- */

static void library_log(void *cls, const char *format, va_list arguments)
{
    static const char refusal[] = "Error processing request (HTTP response code is %u";
    static const char full[] = "Server reached connection limit";
    char text[256];
    (void)cls;
    if (strncmp(format, refusal, sizeof(refusal) - 1) == 0) {
        va_list copy;
        va_copy(copy, arguments);
        library_refuses(va_arg(copy, unsigned));
        va_end(copy);
    } else if (strncmp(format, full, sizeof(full) - 1) == 0)
        seat_missing(counted_service);
    int len = vsnprintf(text, sizeof(text), format, arguments);
    while (len > 0 && (size_t)len <= sizeof(text) &&
           (text[len - 1] == '\n' || text[len - 1] == '.'))
        text[--len] = '\0';
    log_event(LOG_DEBUG, "microhttpd", LOG_C("text", text));
}

struct server *server_start(struct service *service, FILE *errors)
{
    const struct settings *settings = &service->settings;
    struct server *server = memory_alloc(sizeof(*server));
    server->service = service;
    counted_service = service;
    /* Our own socket: ulfius ignores the address with MHD options, and cannot take one that others hold. */
    socklen_t len = sizeof(server->address);
    if (!listener_open(settings, &server->listener, errors) ||
        getsockname(server->listener.fd, (struct sockaddr *)&server->address, &len) ||
        ulfius_init_instance(&server->instance, (unsigned int)settings->port, NULL, NULL) != U_OK) {
        free(server);
        return NULL;
    }
    server->instance.max_post_body_size = body_most_bytes(); /* more never comes so far */
    server->instance.allowed_post_processor = U_POST_PROCESS_NONE;
    server->instance.check_utf8 = 0;
    ulfius_add_endpoint_by_val(&server->instance, "*", NULL, "*", 0, endpoint, NULL);
    struct MHD_OptionItem options[] = {
        {MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)library_log, NULL},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)completed_callback, NULL},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)connection_callback, NULL},
        {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)uri_callback, NULL},
        {MHD_OPTION_LISTEN_SOCKET, server->listener.fd, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)settings->connection_timeout_s, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)settings->connection_limit, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, MEMORY_LIMIT_BYTES, NULL},
        {MHD_OPTION_THREAD_STACK_SIZE, STACK_BYTES, NULL},
        /* a missing Host and a blank in the target come to our own guard, which tells them */
        {MHD_OPTION_STRICT_FOR_CLIENT, 0, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    unsigned int flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
                         MHD_USE_POLL | MHD_USE_ITC | MHD_USE_ERROR_LOG;
    ulfius_handler = NULL;
    if (ulfius_start_framework_with_mhd_options(&server->instance, flags, options) != U_OK ||
        !ulfius_handler) {
        fprintf(errors, "the HTTP server does not start\n");
        close(server->listener.fd);
        ulfius_clean_instance(&server->instance);
        free(server);
        return NULL;
    }
    return server;
}

static void sleep_ms(int64_t ms)
{
    usleep((useconds_t)(ms * 1000));
}

/* Else a thread that waits for the database would hold the exit up until its operation's deadline. */
static void statements_cancel(struct service *service)
{
    int64_t deadline = clock_monotonic_ms() + CANCEL_WAIT_MS;
    while (pool_cancel(service->pool) > 0 && clock_monotonic_ms() < deadline)
        sleep_ms(CANCEL_INTERVAL_MS);
}

const struct service *server_service(const struct server *server)
{
    return server->service;
}

const struct sockaddr_storage *server_address(const struct server *server)
{
    return &server->address;
}

uint64_t server_completed(const struct server *server)
{
    (void)server;
    return atomic_load(&completed);
}

/* True while a request may still come from inside: one on its way, or, for a while, a connection kept open on
 * which a client may just be sending its next. The answer to that says that it is the last. */
static bool server_occupied(struct server *server, int64_t idle_until_ms)
{
    if (atomic_load(&server->service->in_flight) > 0)
        return true;
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(server->instance.mhd_daemon,
                                                           MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
    return info && info->num_connections > 0 && clock_monotonic_ms() < idle_until_ms;
}

void server_stop(struct server *server)
{
    struct service *service = server->service;
    atomic_store(&service->draining, true);
    sleep_ms(service->settings
                 .drain_notice_ms); /* so that a balancer sees 503 before the listener closes */
    MHD_socket listener = MHD_quiesce_daemon(server->instance.mhd_daemon);
    if (listener != MHD_INVALID_SOCKET && !server->listener.shared)
        shutdown(listener, SHUT_RDWR); /* late clients would hang in the backlog */
    int64_t now = clock_monotonic_ms();
    int64_t deadline = now + service->settings.drain_timeout_s * 1000;
    int64_t idle_until = now + service->settings.drain_idle_ms;
    while (server_occupied(server, idle_until) && clock_monotonic_ms() < deadline)
        sleep_ms(10);
    int left = atomic_load(&service->in_flight);
    if (left)
        statements_cancel(service);
    log_event(left ? LOG_WARNING : LOG_INFO, "drained", LOG_I("left", left));
    ulfius_stop_framework(&server->instance);
    ulfius_clean_instance(&server->instance);
    if (listener != MHD_INVALID_SOCKET)
        close(listener);
    free(server);
}
