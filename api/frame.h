/* The first gate: what of a raw request may come in at all. libmicrohttpd 0.9.75 accepts shapes
 * that smuggle, and ulfius silently drops what it cannot decode; this refuses what can be seen,
 * and whatever is refused here closes the connection. Knows no HTTP library: it takes what was on
 * the wire. */
#ifndef API_FRAME_H
#define API_FRAME_H

#include <stdint.h>
#include "api/base/problem.h"
#include "openapi/contract.h"

extern const char *const method_names[METHOD_COUNT]; /* "GET", by enum method */

struct header {
    struct span name, value; /* as sent, white space around the value stripped */
};
struct frame {
    struct span method, target, version; /* target raw, with its query */
    const struct header *headers;        /* every one, repeated ones included, in order */
    size_t header_count;
    bool headers_cut; /* there were more than the caller could keep */
};
#define FRAME_TARGET_MAX_BYTES 8000 /* of the service; frame_check() takes any */
struct frame_limits {
    size_t target_max_bytes;
};

/* PROBLEM_NONE, or the refusal with its arguments (a JSON object, reason_arguments()) in the arena. Refuses (RFC
 * 9112 3.2, 5, 6; RFC 9110 7): Content-Length with Transfer-Encoding, repeated or malformed
 * Content-Length, a Transfer-Encoding other than "chunked", missing or second Host on 1.1, second
 * Authorization in any spelling, an empty header name, white space or control bytes in a name,
 * control bytes in a value, a target that is not origin-form ("*" only with OPTIONS), control
 * bytes or spaces or a fragment in it, bad percent-encoding, %00, bad UTF-8 after decoding, an
 * empty key in the query, and unknown (501) or lower-case methods. Also: a target longer than its
 * limit (414), more headers than could be kept (431), another HTTP version than 1.x, a Host that is
 * none, a second Content-Type or Expect, and an Expect other than 100-continue. A Content-Length
 * that only promises too much is not looked at here. */
enum problem_code frame_check(struct arena *arena, const struct frame *frame,
                              const struct frame_limits *limits, enum method *ret_method,
                              struct span *ret_arguments);

/* How many bytes of a body the head tells (RFC 9112 6.3): 0 when none follows, FRAME_BODY_UNTOLD when it comes in chunks, or when
 * frame_check() refuses what the head says. */
#define FRAME_BODY_UNTOLD SIZE_MAX
size_t frame_body_told(const struct frame *frame);

/* Refuses a body of which more bytes have arrived than the head, which passed frame_check(), told. */
enum problem_code frame_check_body(struct arena *arena, const struct frame *frame, size_t bytes,
                                   struct span *ret_arguments);

/* A target in absolute form (http://host/path, RFC 9112 3.2.2, as clients send it that were told of a proxy) in origin form; any
 * other as it is. Its authority has the form that a Host has, and counts as little: the service knows its own address. */
struct span frame_target(struct arena *arena, struct span raw);

/* Splits a raw target that passed frame_check(). "/" and "*" have no segments. Path segments are
 * decoded ('+' stays '+'); an empty segment (a doubled or trailing slash) is kept as an empty
 * span, which no route matches. Query pairs are decoded ('+' is a space), in order, nothing
 * merged; has_value tells "flag" from "flag=". */
struct query_pair {
    struct span name, value;
    bool has_value;
};
#define SEGMENTS_MAX 16
#define PAIRS_MAX 64
struct target {
    struct span path;  /* raw, without the query */
    struct span query; /* raw, without '?' */
    struct span segments[SEGMENTS_MAX];
    size_t segment_count; /* SEGMENTS_MAX + 1 when there were more: nothing matches */
    struct query_pair pairs[PAIRS_MAX];
    size_t pair_count; /* PAIRS_MAX + 1 when there were more: a fault */
};
void target_split(struct arena *arena, struct span raw, struct target *ret_target);

/* The parts of that work which forms (application/x-www-form-urlencoded) share. pairs_fault()
 * says why the text cannot be decoded, or REASON_NONE; pairs_split() returns PAIRS_MAX + 1
 * for too many. */
enum reason pairs_fault(struct arena *arena, struct span raw);
size_t pairs_split(struct arena *arena, struct span raw, struct query_pair ret_pairs[PAIRS_MAX]);

/* The value of the first header of that name (any case), or SPAN_NONE. */
struct span frame_header(const struct frame *frame, const char *name);
/* The same for headers that are lists (Accept, If-Match): several of them, joined by commas. */
struct span frame_header_list(struct arena *arena, const struct frame *frame, const char *name);

#endif
