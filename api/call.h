/* One request on its way through the gates, and the service it runs in.
 * Everything a call points to lives in its arena, except the response's body buffer. */
#ifndef API_CALL_H
#define API_CALL_H

#include <stdatomic.h>
#include "api/base/buffer.h"
#include "api/base/settings.h"
#include "api/base/trail.h"
#include "api/csv_text.h"
#include "api/frame.h"
#include "auth/auth.h"
#include "db/query.h"
#include "db/watch.h"
#include "openapi/contract.h"

struct metrics;
struct version_cache;
struct jobs;
struct limits;
struct proxies;
struct idempotency;
struct stream;
struct preconditions;

struct service {
    struct settings settings;
    const char *base_url;
    struct pool *pool;
    struct watch *watch;
    struct auth *auth;
    struct version_cache *versions;
    struct metrics *metrics;
    struct jobs *jobs;
    struct limits *limits;
    struct proxies *proxies;
    uint8_t *personal; /* [contract_operation_count]: its statements depend on who asks */
    atomic_bool draining;
    atomic_int in_flight, streams;
    atomic_bool schema_seen; /* the database's is the one this binary needs */
};

#define RESPONSE_HEADERS_MAX 32
#define RESPONSE_COOKIES_MAX 4
struct response {
    int status;
    struct buffer body;       /* taken by the server */
    struct span constant;     /* instead of body: bytes that outlive the call */
    const char *content_type; /* NULL = no body */
    struct {
        const char *name, *value;
    } headers[RESPONSE_HEADERS_MAX];
    size_t header_count;
    struct { /* each in a Set-Cookie of its own; for this host alone, never for scripts */
        const char *name, *value;
        int64_t seconds; /* 0: until the browser is closed */
        bool secure;
    } cookies[RESPONSE_COOKIES_MAX];
    size_t cookie_count;
    struct stream *stream; /* instead of body: owned, takes the call with it */
    bool gzipped, close;
};

struct limit { /* of api/limit.c, in thousandths of a request */
    unsigned char key[16];
    const char *policy;
    int64_t quota, left, taken; /* quota 0: not limited */
};

#define ADDED_MAX 4
struct added { /* a member of the answer that no statement selects */
    const char *name;
    struct span json;
};

#define FIELDS_MAX 64
struct page {
    bool list, stream, count; /* stream: a whole list, in batches */
    size_t limit;
    const struct order *order;
    struct span cursor;                /* as sent, or SPAN_NONE */
    char filters[23];                  /* hash of everything that selects rows */
    unsigned char key[AUTH_KEY_BYTES]; /* that cursors are marked with */
};

struct call {
    struct service *service;
    struct arena *arena;
    const struct frame *frame;
    const struct sockaddr *peer; /* until the answer is made, like the frame */
    enum problem_code refused; /* by what its head says; answered when its body is out of the way */
    struct span body;
    struct target target;
    enum method method;
    bool head;
    const struct route *route;
    const struct operation *operation; /* NULL until the route gate */
    struct span path_values[SEGMENTS_MAX];
    size_t path_value_count;
    bool path_valid; /* its parameters are ids and codes as the contract has them */
    struct trail trail;
    struct span request_id, traceparent; /* request_id: that of the trail */
    enum language language;
    uint8_t media; /* one bit of enum media: what the answer will be */
    struct csv_form
        csv; /* of MEDIA_CSV; until the media is negotiated 0 for a separator that was not asked for */
    bool accepts_gzip;
    bool authenticated;
    struct principal principal;
    struct value *values;
    struct faults faults;
    struct span arguments; /* of the problem: JSON object */
    int64_t retry_after_s; /* of the problem: when to come back; 0: as its status has it */
    struct page page;
    struct preconditions *preconditions; /* of api/precondition.c; NULL before its gate */
    struct span *references;             /* pointers of what the body names (api/references.h) */
    size_t reference_count;
    struct idempotency *idempotency; /* of a request with an Idempotency-Key, or NULL */
    int64_t parameters_cost;         /* x-cost of those that were sent, in requests */
    struct limit limit;
    struct added added[ADDED_MAX];
    size_t added_count;
    struct span fields[FIELDS_MAX];
    size_t field_count;
    char today[11];
    char address[64];                       /* "" until call_address() was asked */
    uint64_t version_local, version_shared; /* of the tables read, from before the query */
    bool version_known;
    char version_key[23]; /* of this target in the version cache; "" = none */
    int64_t started_us,
        deadline_ms; /* the time that the client takes for its body does not count */
    int64_t head_us; /* when the gates of the head were through */
    size_t bytes_sent;
    struct response response;
};

struct call *call_new(struct service *service); /* with an arena of its own */
void call_free(struct call *call);

void call_set(struct call *call, uint16_t name, struct span text); /* copies; SPAN_NONE sets NULL */
void call_set_cstr(struct call *call, uint16_t name, const char *text);
void call_set_flag(struct call *call,
                   uint16_t name); /* a condition that holds, with the value "true" */
/* The same by a name of the contract, for what a prepare function binds; its value, or SPAN_NONE. */
void call_bind(struct call *call, const char *name, struct span text);
struct span call_value(const struct call *call, const char *name);
bool call_given(const struct call *call, const char *name); /* present or null */
bool call_has(const struct call *call, uint16_t name);      /* present or null */
void call_fault(struct call *call, const char *parameter, enum fault_code code,
                struct span argument);
struct span call_header(const struct call *call, const char *name); /* the first of that name */
struct span call_header_list(const struct call *call,
                             const char *name); /* all of them, joined by commas */

/* How long its statements may take: what its contract says, else the setting. */
int64_t call_timeout_ms(const struct call *call);

/* Where the request comes from, as text (api/address.h): for limits, never for the log. */
const char *call_address(struct call *call);

/* Remembers the argument of a problem and returns its code. `text` may be anything; it is escaped. */
enum problem_code call_refuse(struct call *call, enum problem_code code, const char *argument,
                              struct span text);
/* The same of a problem whose detail says {reason}. */
enum problem_code call_refuse_for(struct call *call, enum problem_code code, struct said said);

/* What a prepare function adds to the answer's object: `json` is one JSON value; it and the name live as long as the call. */
void call_add(struct call *call, const char *name, struct span json);

void response_header(struct call *call, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same for a text that lives as long as the call. */
void response_header_lent(struct call *call, const char *name, const char *value);

#endif
