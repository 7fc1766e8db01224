/* The guard, row by row: each row is one request that differs from a good one in one thing. */
#include "tests/unit/api/check.h"

#include <jansson.h>

#include "api/frame.h"

#define HEADERS_MAX 8
struct row {
    const char *label, *method, *target, *version;
    const char *headers[HEADERS_MAX][2]; /* name, value */
    size_t body_bytes;
    const char *what; /* of the refusal with bad_request; NULL: accepted */
};

#define HOST                                                                                       \
    {                                                                                              \
        "Host", "localhost:8080"                                                                   \
    }
#define GET(target_) .method = "GET", .target = target_, .version = "HTTP/1.1"
#define POST .method = "POST", .target = "/v1/libraries", .version = "HTTP/1.1"

static const struct row rows[] = {
    /* what must come in */
    {"plain", GET("/v1/libraries?within=19&kind=village"), .headers = {HOST}},
    {"1.0 without Host", "GET", "/", "HTTP/1.0", .headers = {{"Accept", "*/*"}}},
    {"1.0 with Host", "GET", "/", "HTTP/1.0", .headers = {HOST}},
    {"a later minor version", "GET", "/", "HTTP/1.2", .headers = {HOST}},
    {"length", POST, .headers = {HOST, {"Content-Length", "12"}}, .body_bytes = 12},
    {"length 0", POST, .headers = {HOST, {"content-length", "0"}}},
    {"cut body", POST, .headers = {HOST, {"Content-Length", "99"}}, .body_bytes = 12},
    {"chunked", POST, .headers = {HOST, {"Transfer-Encoding", "Chunked"}}, .body_bytes = 12},
    {"expect", POST, .headers = {HOST, {"Expect", "100-Continue"}, {"Content-Length", "1"}},
     .body_bytes = 1},
    {"lists may repeat", GET("/"), .headers = {HOST, {"Accept", "a/b"}, {"accept", "c/d"}}},
    {"tab and high bytes in a value", GET("/"), .headers = {HOST, {"X-Name", "a\tb\xC3\xA9"}}},
    {"empty value", GET("/"), .headers = {HOST, {"X-Name", ""}}},
    {"IPv6 host", GET("/"), .headers = {{"Host", "[::1]:8080"}}},
    {"needless encoding", GET("/%76%31/libraries"), .headers = {HOST}},
    {"encoded slash", GET("/docs/a%2Fb"), .headers = {HOST}},
    {"encoded UTF-8", GET("/v1/regions?q=K%C3%A9p&x=%F0%9F%93%9A"), .headers = {HOST}},
    {"doubled ampersand", GET("/?a=1&&b=2"), .headers = {HOST}},
    {"trailing ampersand", GET("/?a=1&"), .headers = {HOST}},
    {"empty value of a parameter", GET("/?a=&b"), .headers = {HOST}},
    {"equals signs in a value", GET("/?a=b=c="), .headers = {HOST}},
    {"empty query", GET("/v1/libraries?"), .headers = {HOST}},
    {"second question mark", GET("/?q=what?"), .headers = {HOST}},
    {"doubled slash is the router's", GET("//v1///libraries/"), .headers = {HOST}},
    {"star", "OPTIONS", "*", "HTTP/1.1", .headers = {HOST}},

    /* where the request ends */
    {"length and chunked", POST,
     .headers = {HOST, {"Content-Length", "3"}, {"Transfer-Encoding", "chunked"}},
     .what = "stand together"},
    {"lengths differ", POST, .headers = {HOST, {"Content-Length", "3"}, {"Content-Length", "4"}},
     .what = "Content-Length appears more than once"},
    {"lengths equal", POST, .headers = {HOST, {"Content-Length", "3"}, {"content-length", "3"}},
     .what = "Content-Length appears more than once"},
    {"lengths joined", POST, .headers = {HOST, {"Content-Length", "3, 3"}},
     .what = "Content-Length appears more"},
    {"empty length", POST, .headers = {HOST, {"Content-Length", ""}},
     .what = "Content-Length is not a number"},
    {"signed length", POST, .headers = {HOST, {"Content-Length", "+3"}},
     .what = "Content-Length is not a number"},
    {"negative length", POST, .headers = {HOST, {"Content-Length", "-3"}},
     .what = "Content-Length is not a number"},
    {"hex length", POST, .headers = {HOST, {"Content-Length", "0x3"}},
     .what = "Content-Length is not a number"},
    {"spaced length", POST, .headers = {HOST, {"Content-Length", "3 3"}},
     .what = "Content-Length is not a number"},
    {"endless length", POST, .headers = {HOST, {"Content-Length", "9999999999999999999999"}},
     .what = "Content-Length is not a number"},
    {"body beyond length", POST, .headers = {HOST, {"Content-Length", "3"}}, .body_bytes = 4,
     .what = "longer than"},
    {"body without length", POST, .headers = {HOST}, .body_bytes = 4, .what = "longer than"},
    {"gzip, chunked", POST, .headers = {HOST, {"Transfer-Encoding", "gzip, chunked"}},
     .what = "is chunked"},
    {"identity coding", POST, .headers = {HOST, {"Transfer-Encoding", "identity"}},
     .what = "is chunked"},
    {"smuggled coding", POST, .headers = {HOST, {"Transfer-Encoding", "xchunked"}},
     .what = "is chunked"},
    {"empty coding", POST, .headers = {HOST, {"Transfer-Encoding", ""}}, .what = "is chunked"},
    {"two codings", POST,
     .headers = {HOST, {"Transfer-Encoding", "chunked"}, {"transfer-encoding", "chunked"}},
     .what = "Transfer-Encoding appears more than once"},
    {"chunked on 1.0", "POST", "/", "HTTP/1.0", .headers = {HOST, {"Transfer-Encoding", "chunked"}},
     .what = "HTTP/1.0 has no Transfer-Encoding"},
    {"other expectation", POST, .headers = {HOST, {"Expect", "200-ok"}}, .what = "Expect"},
    {"two expectations", POST,
     .headers = {HOST, {"Expect", "100-continue"}, {"Expect", "100-continue"}},
     .what = "Expect appears more than once"},

    /* whom it is for, and from */
    {"no Host", GET("/"), .headers = {{"Accept", "*/*"}}, .what = "there is no Host"},
    {"two Hosts", GET("/"), .headers = {HOST, {"HOST", "other"}},
     .what = "Host appears more than once"},
    {"two Hosts on 1.0", "GET", "/", "HTTP/1.0", .headers = {HOST, HOST},
     .what = "Host appears more than once"},
    {"empty Host", GET("/"), .headers = {{"Host", ""}}, .what = "Host is not a host name"},
    {"joined Hosts", GET("/"), .headers = {{"Host", "a, b"}}, .what = "Host is not a host name"},
    {"path in Host", GET("/"), .headers = {{"Host", "a/b"}}, .what = "Host is not a host name"},
    {"user in Host", GET("/"), .headers = {{"Host", "a@b"}}, .what = "Host is not a host name"},
    {"two Authorizations", GET("/"),
     .headers = {HOST, {"Authorization", "Bearer a"}, {"Authorization", "Bearer b"}},
     .what = "Authorization appears more than once"},
    {"spelled otherwise", GET("/"),
     .headers = {HOST, {"Authorization", "Bearer a"}, {"AUTHORIZATION", "Bearer a"}},
     .what = "Authorization appears more than once"},
    {"two Content-Types", POST,
     .headers = {HOST, {"Content-Type", "text/csv"}, {"content-type", "text/csv"}},
     .what = "Content-Type appears more than once"},

    /* headers */
    {"empty name", GET("/"), .headers = {HOST, {"", "x"}}, .what = "no name"},
    {"space before the colon", GET("/"), .headers = {HOST, {"Name ", "v"}}, .what = "white space"},
    {"tab in a name", GET("/"), .headers = {HOST, {"Na\tme", "v"}}, .what = "white space"},
    {"control in a name", GET("/"), .headers = {HOST, {"Na\x01me", "v"}}, .what = "not allowed"},
    {"colon in a name", GET("/"), .headers = {HOST, {"Na:me", "v"}}, .what = "not allowed"},
    {"high byte in a name", GET("/"), .headers = {HOST, {"Nam\xC3\xA9", "v"}},
     .what = "not allowed"},
    {"bare LF in a value", GET("/"), .headers = {HOST, {"X-A", "a\nB: c"}},
     .what = "control character"},
    {"CR in a value", GET("/"), .headers = {HOST, {"X-A", "a\rb"}}, .what = "control character"},
    {"DEL in a value", GET("/"), .headers = {HOST, {"X-A", "a\x7F"}}, .what = "control character"},

    /* the request line */
    {"HTTP/2.0", "GET", "/", "HTTP/2.0", .headers = {HOST}, .what = "HTTP version"},
    {"HTTP/0.9", "GET", "/", "HTTP/0.9", .headers = {HOST}, .what = "HTTP version"},
    {"no version", "GET", "/", "", .headers = {HOST}, .what = "HTTP version"},
    {"lower-case version", "GET", "/", "http/1.1", .headers = {HOST}, .what = "HTTP version"},
    {"empty method", "", "/", "HTTP/1.1", .headers = {HOST}, .what = "method"},
    {"method with a slash", "GE/T", "/", "HTTP/1.1", .headers = {HOST}, .what = "method"},
    {"star with GET", GET("*"), .headers = {HOST}, .what = "OPTIONS alone"},
    {"absolute form", GET("http://localhost/v1/libraries"), .headers = {HOST},
     .what = "begin with a slash"},
    {"authority form", "CONNECT", "localhost:443", "HTTP/1.1", .headers = {HOST},
     .what = "begin with a slash"},
    {"no slash", GET("v1"), .headers = {HOST}, .what = "begin with a slash"},
    {"no target", GET(""), .headers = {HOST}, .what = "begin with a slash"},
    {"fragment", GET("/v1#top"), .headers = {HOST}, .what = "fragment"},
    {"space in the path", GET("/v1 x"), .headers = {HOST}, .what = "path is malformed: a space"},
    {"space in the query", GET("/?q=a b"), .headers = {HOST},
     .what = "query is malformed: a space"},
    {"tab in the path", GET("/v1\tx"), .headers = {HOST},
     .what = "path is malformed: a space or control"},
    {"DEL in the query", GET("/?q=\x7F"), .headers = {HOST},
     .what = "query is malformed: a space or control"},
    {"raw UTF-8", GET("/?q=K\xC3\xA9p"), .headers = {HOST}, .what = "outside ASCII"},
    {"%00 in the path", GET("/items/a%00b"), .headers = {HOST},
     .what = "path is malformed: it contains %00"},
    {"%00 in the query", GET("/?q=a%00b"), .headers = {HOST},
     .what = "query is malformed: it contains %00"},
    {"bad escape", GET("/items/a%zzb"), .headers = {HOST}, .what = "two hexadecimal digits"},
    {"cut escape", GET("/items/a%2"), .headers = {HOST}, .what = "two hexadecimal digits"},
    {"cut escape before the query", GET("/items/a%2?b=c"), .headers = {HOST},
     .what = "two hexadecimal digits"},
    {"lone percent", GET("/?q=100%"), .headers = {HOST}, .what = "two hexadecimal digits"},
    {"escape over a delimiter", GET("/?q=%&2=0"), .headers = {HOST},
     .what = "two hexadecimal digits"},
    {"not UTF-8", GET("/items/%ff"), .headers = {HOST},
     .what = "path is malformed: its percent-encoding is not"},
    {"not UTF-8 in the query", GET("/?owner=%ff&limit=3"), .headers = {HOST}, .what = "not UTF-8"},
    {"not UTF-8 in a name", GET("/?%ff=3"), .headers = {HOST}, .what = "not UTF-8"},
    {"over-long slash", GET("/a%C0%AFb"), .headers = {HOST}, .what = "not UTF-8"},
    {"surrogate", GET("/?q=%ED%A0%80"), .headers = {HOST}, .what = "not UTF-8"},
    {"beyond Unicode", GET("/?q=%F4%90%80%80"), .headers = {HOST}, .what = "not UTF-8"},
    {"character cut by a delimiter", GET("/?q=%C3&%A9=1"), .headers = {HOST}, .what = "not UTF-8"},
    {"empty key", GET("/?a=1&=x&limit=3"), .headers = {HOST}, .what = "parameter without a name"},
    {"empty first key", GET("/?=x"), .headers = {HOST}, .what = "parameter without a name"},
};

static struct frame frame_of(const struct row *row, struct header *headers)
{
    struct frame frame = {
        .method = span_of(row->method),
        .target = span_of(row->target),
        .version = span_of(row->version),
        .headers = headers,
    };
    for (; frame.header_count < HEADERS_MAX && row->headers[frame.header_count][0];
         frame.header_count++) {
        headers[frame.header_count].name = span_of(row->headers[frame.header_count][0]);
        headers[frame.header_count].value = span_of(row->headers[frame.header_count][1]);
    }
    return frame;
}

static enum problem_code check(struct arena *arena, const struct row *row, enum method *ret_method,
                               struct span *ret_arguments)
{
    struct header headers[HEADERS_MAX];
    struct frame frame = frame_of(row, headers);
    struct frame_limits limits = {.target_max_bytes = 200};
    enum method method;
    enum problem_code code = frame_check(arena, &frame, &limits, &method, ret_arguments);
    if (!code)
        code = frame_check_body(arena, &frame, row->body_bytes, ret_arguments);
    if (!code)
        *ret_method = method;
    return code;
}

static void guards_each_row(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1024);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        enum method method = METHOD_COUNT;
        struct span arguments = SPAN_NONE;
        enum problem_code code = check(arena, row, &method, &arguments);
        if (!row->what) {
            if (code != PROBLEM_NONE || method == METHOD_COUNT)
                fail_msg("%s: refused, %.*s", row->label, SPAN_ARG(arguments));
            continue;
        }
        const char *what = arena_cstr(arena,
                                      problem_fill(arena, "{reason}", LANGUAGE_EN, arguments));
        if (code != PROBLEM_bad_request || !strstr(what, row->what))
            fail_msg("%s: problem %d, what: %s", row->label, (int)code, what);
        assert_int_equal(method, METHOD_COUNT); /* only set on success */
        arena_reset(arena);
    }
    arena_free(arena);
}

/* Values are looked at in eights: every byte at every place of a long one. */
static void control_at_every_place(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1024);
    char value[30];
    for (size_t at = 0; at < sizeof value; at++) {
        for (int byte = 0; byte < 256; byte++) {
            memset(value, 'v', sizeof value);
            value[at] = (char)byte;
            struct header headers[] = {{SPAN("Host"), SPAN("x")},
                                       {SPAN("X-A"), {value, sizeof value}}};
            struct frame frame = {.method = SPAN("GET"),
                                  .target = SPAN("/"),
                                  .version = SPAN("HTTP/1.1"),
                                  .headers = headers,
                                  .header_count = 2};
            struct frame_limits limits = {.target_max_bytes = 200};
            enum method method;
            struct span arguments;
            bool good = byte == '\t' || (byte >= 0x20 && byte != 0x7F);
            enum problem_code code = frame_check(arena, &frame, &limits, &method, &arguments);
            if ((code == PROBLEM_NONE) != good)
                fail_msg("byte %d at %zu: problem %d", byte, at, (int)code);
        }
    }
    arena_free(arena);
}

static void knows_methods(void **state)
{
    (void)state;
    struct arena *arena = arena_new(256);
    for (int method = 0; method < METHOD_COUNT; method++) {
        struct row row = {"method", method_names[method], "/", "HTTP/1.1", .headers = {HOST}};
        enum method got = METHOD_COUNT;
        struct span arguments;
        assert_int_equal(check(arena, &row, &got, &arguments), PROBLEM_NONE);
        assert_int_equal(got, method);
    }
    static const char *const unknown[] = {"get", "Get",  "TRACE", "CONNECT",
                                          "FOO", "GETX", "GE",    "PROPFIND"};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        struct row row = {"method", unknown[i], "/", "HTTP/1.1", .headers = {HOST}};
        enum method got = METHOD_COUNT;
        struct span arguments;
        assert_int_equal(check(arena, &row, &got, &arguments), PROBLEM_method_not_implemented);
        assert_int_equal(got, METHOD_COUNT);
    }
    arena_free(arena);
}

static void limits_the_target(void **state)
{
    (void)state;
    struct arena *arena = arena_new(256);
    char target[300] = {0};
    struct row row = {"long", "GET", target, "HTTP/1.1", .headers = {HOST}};
    enum method method;
    struct span arguments = SPAN_NONE;
    memset(target, 'a', 200);
    target[0] = '/';
    assert_int_equal(check(arena, &row, &method, &arguments), PROBLEM_NONE);
    target[200] = 'a';
    assert_int_equal(check(arena, &row, &method, &arguments), PROBLEM_target_too_long);
    assert_span(arguments, "{\"limit\":200}");
    arena_free(arena);
}

static void splits_paths(void **state)
{
    (void)state;
    static const struct {
        const char *raw, *path;
        size_t count;
        const char *segments[4];
    } paths[] = {
        {"/", "/", 0, {0}},
        {"*", "*", 0, {0}},
        {"/v1/libraries", "/v1/libraries", 2, {"v1", "libraries"}},
        {"/v1/libraries?x=/a/b", "/v1/libraries", 2, {"v1", "libraries"}},
        {"/v1/", "/v1/", 2, {"v1", ""}},
        {"//v1", "//v1", 2, {"", "v1"}},
        {"/a%2Fb/c", "/a%2Fb/c", 2, {"a/b", "c"}},
        {"/%69tems/a+b", "/%69tems/a+b", 2, {"items", "a+b"}},
        {"/a%20b+c", "/a%20b+c", 1, {"a b+c"}},
        {"/%e6%9d%91", "/%e6%9d%91", 1, {"村"}},
        {"/a%25zz", "/a%25zz", 1, {"a%zz"}}, /* decoded once, never twice */
        {"/a%3Fb?c", "/a%3Fb", 1, {"a?b"}},
    };
    struct arena *arena = arena_new(256);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct target target;
        target_split(arena, span_of(paths[i].raw), &target);
        assert_span(target.path, paths[i].path);
        assert_int_equal(target.segment_count, paths[i].count);
        for (size_t k = 0; k < paths[i].count; k++)
            assert_span(target.segments[k], paths[i].segments[k]);
    }
    struct target target;
    target_split(arena, SPAN("/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16"), &target);
    assert_int_equal(target.segment_count, SEGMENTS_MAX);
    target_split(arena, SPAN("/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/"), &target);
    assert_int_equal(target.segment_count, SEGMENTS_MAX + 1);
    arena_free(arena);
}

static void splits_queries(void **state)
{
    (void)state;
    struct arena *arena = arena_new(256);
    struct target target;
    target_split(arena, SPAN("/x?&t=a,b&t=c&&flag&empty=&q=a+b%2Bc%26d%3De&%71=%C3%A9&x=y=z&"),
                 &target);
    static const struct {
        const char *name, *value;
        bool has_value;
    } expected[] = {
        {"t", "a,b", true},       {"t", "c", true}, {"flag", "", false}, {"empty", "", true},
        {"q", "a b+c&d=e", true}, {"q", "é", true}, {"x", "y=z", true},
    };
    assert_int_equal(target.pair_count, sizeof expected / sizeof *expected);
    for (size_t i = 0; i < target.pair_count; i++) {
        assert_span(target.pairs[i].name, expected[i].name);
        assert_span(target.pairs[i].value, expected[i].value);
        assert_int_equal(target.pairs[i].has_value, expected[i].has_value);
    }
    target_split(arena, SPAN("/x"), &target);
    assert_null(target.query.ptr);
    assert_int_equal(target.pair_count, 0);
    target_split(arena, SPAN("/x?"), &target);
    assert_span(target.query, "");
    assert_int_equal(target.pair_count, 0);

    char raw[600] = "/?a";
    for (int i = 1; i < PAIRS_MAX; i++)
        strcat(raw, "&a=1");
    target_split(arena, span_of(raw), &target);
    assert_int_equal(target.pair_count, PAIRS_MAX);
    strcat(raw, "&a");
    target_split(arena, span_of(raw), &target);
    assert_int_equal(target.pair_count, PAIRS_MAX + 1);
    arena_free(arena);
}

static void finds_headers(void **state)
{
    (void)state;
    static const struct header headers[] = {
        {{"Accept", 6}, {"a/b", 3}}, {{"X-A", 3}, {"", 0}}, {{"accept", 6}, {"c/d", 3}}};
    struct frame frame = {.headers = headers, .header_count = 3};
    struct arena *arena = arena_new(256);
    assert_span(frame_header(&frame, "ACCEPT"), "a/b");
    assert_null(frame_header(&frame, "Acc").ptr);
    assert_non_null(frame_header(&frame, "X-A").ptr);
    assert_span(frame_header_list(arena, &frame, "Accept"), "a/b, c/d");
    assert_span(frame_header_list(arena, &frame, "x-a"), "");
    assert_null(frame_header_list(arena, &frame, "X-B").ptr);
    arena_free(arena);
}

static void absolute_form(void **state)
{
    (void)state;
    static const struct {
        const char *raw, *origin;
    } targets[] = {
        {"http://a/v1?x=1", "/v1?x=1"},
        {"HTTPS://a:8443", "/"},
        {"http://[::1]?x", "/?x"},
        {"/v1", "/v1"},
        {"*", "*"},
        {"http:///v1", "http:///v1"},
        {"http://u@a/v1", "http://u@a/v1"},
        {"ftp://a/v1", "ftp://a/v1"},
    };
    struct arena *arena = arena_new(256);
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        struct span origin = frame_target(arena, span_of(targets[i].raw));
        if (!span_is(origin, targets[i].origin))
            fail_msg("%s: %.*s", targets[i].raw, SPAN_ARG(origin));
    }
    arena_free(arena);
}

/* What a head tells of its body: nothing, a number, or that nobody knows. */
static void tells_the_length_of_the_body(void **state)
{
    (void)state;
    static const struct {
        struct header headers[2];
        size_t count, told;
    } heads[] = {
        {.count = 0, .told = 0},
        {{{SPAN("Content-Length"), SPAN("0")}}, 1, 0},
        {{{SPAN("content-length"), SPAN("1000")}}, 1, 1000},
        {{{SPAN("Content-Length"), SPAN("999999999999999999")}}, 1, 999999999999999999},
        {{{SPAN("Content-Length"), SPAN("1000000000000000000")}}, 1, FRAME_BODY_UNTOLD},
        {{{SPAN("Content-Length"), SPAN("three")}}, 1, FRAME_BODY_UNTOLD},
        {{{SPAN("Content-Length"), SPAN("3")}, {SPAN("Content-Length"), SPAN("3")}},
         2,
         FRAME_BODY_UNTOLD},
        {{{SPAN("Content-Length"), SPAN("3")}, {SPAN("Transfer-Encoding"), SPAN("chunked")}},
         2,
         FRAME_BODY_UNTOLD},
        {{{SPAN("Transfer-Encoding"), SPAN("chunked")}}, 1, FRAME_BODY_UNTOLD},
        {{{SPAN("Transfer-Encoding"), SPAN("gzip, chunked")}}, 1, FRAME_BODY_UNTOLD},
    };
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        struct frame frame = {.method = SPAN("POST"),
                              .target = SPAN("/"),
                              .version = SPAN("HTTP/1.1"),
                              .headers = heads[i].headers,
                              .header_count = heads[i].count};
        if (frame_body_told(&frame) != heads[i].told)
            fail_msg("head %zu tells %zu", i, frame_body_told(&frame));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absolute_form),
        cmocka_unit_test(guards_each_row),
        cmocka_unit_test(control_at_every_place),
        cmocka_unit_test(knows_methods),
        cmocka_unit_test(limits_the_target),
        cmocka_unit_test(splits_paths),
        cmocka_unit_test(splits_queries),
        cmocka_unit_test(finds_headers),
        cmocka_unit_test(tells_the_length_of_the_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
