/* Preferences, conditions and forms, by table. */
#include "tests/unit/api/check.h"

#include "api/negotiate.h"

static void chooses_a_medium(void **state)
{
    (void)state;
    enum {
        LIST = MEDIA_JSON | MEDIA_CSV | MEDIA_GEOJSON,
        PAGE = MEDIA_JSON | MEDIA_HTML,
        NONE = 0
    };
    static const struct {
        const char *accept;
        int produces, expected; /* NONE: 406 */
    } rows[] = {
        {NULL, LIST, MEDIA_JSON},
        {"", LIST, MEDIA_JSON},
        {"*/*", LIST, MEDIA_JSON},
        {"application/*", LIST, MEDIA_JSON},
        {"application/json", LIST, MEDIA_JSON},
        {"Application/JSON", LIST, MEDIA_JSON},
        {"text/csv", LIST, MEDIA_CSV},
        {"text/*", LIST, MEDIA_CSV},
        {"application/geo+json", LIST, MEDIA_GEOJSON},
        {"text/csv; charset=utf-8; header=present", LIST, MEDIA_CSV},
        {"application/json;profile=\"a,b;q=0\"", LIST, MEDIA_JSON},
        {"text/csv, application/json", LIST, MEDIA_CSV}, /* equal: as listed */
        {"application/json, text/csv", LIST, MEDIA_JSON},
        {"application/json;q=0.5, text/csv;q=0.8", LIST, MEDIA_CSV},
        {"application/json;q=0.501, text/csv;q=0.5", LIST, MEDIA_JSON},
        {"*/*;q=0.1, text/csv", LIST, MEDIA_CSV},
        {"*/*, text/csv", LIST, MEDIA_CSV}, /* asked for exactly */
        {"*/*, application/json;q=0", LIST, MEDIA_GEOJSON},
        {"application/*, application/json;q=0.2", LIST, MEDIA_GEOJSON},
        {"application/json ; q=0.2 , text/csv ; Q=0.1", LIST, MEDIA_JSON},
        {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", PAGE, MEDIA_HTML},
        {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", LIST, MEDIA_JSON},
        {"application/json, text/plain, */*", LIST, MEDIA_JSON},
        {"application/problem+json", LIST, NONE},
        {"application/xml", LIST, NONE},
        {"image/*", LIST, NONE},
        {"application/json;q=0", LIST, NONE},
        {"*/*;q=0", LIST, NONE},
        {"*/*;q=0.000", LIST, NONE},
        {"text/csv", PAGE, NONE},
        {"json", LIST, NONE},
        {"text/csv;q=2, application/json;q=0.1", LIST,
         MEDIA_JSON}, /* no such quality: passed over */
        {"text/csv;q=0.1234, application/json;q=0.1", LIST, MEDIA_JSON},
        {"text/csv;q=1.001, application/json;q=0.1", LIST, MEDIA_JSON},
        {"text/csv;q=, application/json;q=0.1", LIST, MEDIA_JSON},
        {"text/csv;q=-1, application/json;q=0.1", LIST, MEDIA_JSON},
        {",, ,", LIST, MEDIA_JSON},
        {";q=1", LIST, MEDIA_JSON},
        {"text/csvx, application/jso", LIST, NONE},
        {"application/", LIST, NONE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum media media = (enum media)NONE;
        bool good = accept_media(span_of(rows[i].accept), (uint8_t)rows[i].produces, &media);
        if (good != (rows[i].expected != NONE) || (int)media != rows[i].expected)
            fail_msg("Accept: %s gave %d", rows[i].accept, (int)media);
    }
}

static void chooses_a_language(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        enum language expected;
    } rows[] = {
        {NULL, LANGUAGE_ID},
        {"", LANGUAGE_ID},
        {"*", LANGUAGE_ID},
        {"id", LANGUAGE_ID},
        {"id-ID", LANGUAGE_ID},
        {"in", LANGUAGE_ID},
        {"en", LANGUAGE_EN},
        {"EN-us", LANGUAGE_EN},
        {"en-US,en;q=0.9", LANGUAGE_EN},
        {"id, en", LANGUAGE_ID},
        {"en, id", LANGUAGE_ID},
        {"en;q=0.9, id;q=0.8", LANGUAGE_EN},
        {"id-ID,id;q=0.9,en-US;q=0.8,en;q=0.7", LANGUAGE_ID},
        {"en-GB;q=0.4, id;q=0.5, en;q=0.6", LANGUAGE_EN},
        {"en, *;q=0.5", LANGUAGE_EN},
        {"*, en;q=0.5", LANGUAGE_ID},
        {"id;q=0, *", LANGUAGE_EN},
        {"en;q=0", LANGUAGE_ID},
        {"fr", LANGUAGE_ID},
        {"fr, en;q=0.1", LANGUAGE_EN},
        {"enm", LANGUAGE_ID},
        {"e", LANGUAGE_ID},
        {"en;q=x", LANGUAGE_ID},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (accept_language(span_of(rows[i].header)) != rows[i].expected)
            fail_msg("Accept-Language: %s", rows[i].header);
}

static void chooses_a_coding(void **state)
{
    (void)state;
    static const char *const yes[] = {"gzip",
                                      "GZIP",
                                      "x-gzip",
                                      "gzip, deflate, br",
                                      "*",
                                      "deflate, gzip;q=0.5",
                                      "identity;q=0.5, gzip",
                                      "gzip;q=0.3, identity;q=0.3",
                                      "br;q=1, *;q=0.1",
                                      "identity;q=0, gzip;q=0.001"};
    static const char *const no[] = {NULL,
                                     "",
                                     "identity",
                                     "br",
                                     "deflate",
                                     "gzip;q=0",
                                     "gzip;q=0.0, *",
                                     "*;q=0",
                                     "identity, gzip;q=0.5",
                                     "gzip;q=0.5, identity",
                                     "gzipx",
                                     "gzip;q=9"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        if (!accept_gzip(span_of(yes[i])))
            fail_msg("Accept-Encoding: %s", yes[i]);
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        if (accept_gzip(span_of(no[i])))
            fail_msg("Accept-Encoding: %s", no[i]);
}

static void reads_content_types(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        int expected; /* 0: refused */
    } rows[] = {
        {"application/json", MEDIA_JSON},
        {"APPLICATION/JSON", MEDIA_JSON},
        {" application/json ", MEDIA_JSON},
        {"application/json;charset=utf-8", MEDIA_JSON},
        {"application/json; Charset=\"UTF-8\"", MEDIA_JSON},
        {"application/json; charset=utf8;", MEDIA_JSON},
        {"application/json; version=1", MEDIA_JSON},
        {"application/merge-patch+json", MEDIA_MERGE_PATCH},
        {"application/x-www-form-urlencoded; charset=UTF-8", MEDIA_FORM},
        {"application/json; charset=iso-8859-1", 0},
        {"application/json; charset=utf-16", 0},
        {"application/json; charset=", 0},
        {"application/json; charset=utf-8; charset=utf-8", 0},
        {"application/json; charset", 0},
        {"application/json; =x", 0},
        {"application/json, application/json", 0},
        {"application/jsonx", 0},
        {"application/geo+json", 0},
        {"text/csv", 0},
        {"text/plain", 0},
        {"json", 0},
        {"", 0},
        {NULL, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum media media = (enum media)0;
        bool good = content_media(span_of(rows[i].header), &media);
        if (good != (rows[i].expected != 0) || (int)media != rows[i].expected)
            fail_msg("Content-Type: %s gave %d", rows[i].header, (int)media);
    }
}

static void names_media(void **state)
{
    (void)state;
    struct arena *arena = arena_new(256);
    assert_string_equal(media_name(MEDIA_GEOJSON), "application/geo+json");
    assert_span(media_list(arena, MEDIA_CSV | MEDIA_JSON), "application/json, text/csv");
    assert_span(media_list(arena, MEDIA_MERGE_PATCH), "application/merge-patch+json");
    assert_span(media_list(arena, 0), "");
    arena_free(arena);
}

static void reads_etags(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        size_t count;
        const char *tags[3];
    } rows[] = {
        {"\"a\"", 1, {"a"}},
        {"W/\"a\"", 1, {"a"}},
        {"\"7.abc-gz\"", 1, {"7.abc"}},
        {"W/\"7.abc-gz\"", 1, {"7.abc"}},
        {"\"-gz\"", 1, {"-gz"}},
        {"\"a-gz-gz\"", 1, {"a-gz"}},
        {" \"a\" ,\t\"b\",W/\"c\"", 3, {"a", "b", "c"}},
        {"\"a\",, \"b\",", 2, {"a", "b"}},
        {"\"a,b\", \"c\"", 2, {"a,b", "c"}},
        {"\"a\\\", \"c\"", 2, {"a\\", "c"}}, /* no escapes in a tag */
        {"\"\"", 1, {""}},
        {"\"*\"", 1, {"*"}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct etags etags;
        if (!etags_parse(span_of(rows[i].header), &etags))
            fail_msg("refused %s", rows[i].header);
        assert_false(etags.any);
        assert_int_equal(etags.count, rows[i].count);
        for (size_t k = 0; k < etags.count; k++)
            assert_span(etags.tags[k], rows[i].tags[k]);
    }
    static const char *const bad[] = {NULL,     "",        " ",         ",",        "a",
                                      "\"a",    "a\"",     "\"",        "w/\"a\"",  "W/ \"a\"",
                                      "W\"a\"", "*,",      "\"a\", *",  "**",       "\"a\" \"b\"",
                                      "\"a\"b", "\"a b\"", "\"a\x01\"", "\"a\", b", "W/"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct etags etags = {.count = 9};
        if (etags_parse(span_of(bad[i]), &etags))
            fail_msg("took %s", bad[i]);
        assert_int_equal(etags.count, 9);
    }
}

static void etags_are_bounded(void **state)
{
    (void)state;
    char header[ETAGS_MAX * 4 + 16] = "\"a\"";
    struct etags etags;
    for (int i = 1; i < ETAGS_MAX; i++)
        strcat(header, ",\"a\"");
    assert_true(etags_parse(span_of(header), &etags));
    assert_int_equal(etags.count, ETAGS_MAX);
    strcat(header, ",\"a\"");
    assert_false(etags_parse(span_of(header), &etags));
}

static void etags_match_and_give_versions(void **state)
{
    (void)state;
    struct arena *arena = arena_new(256);
    struct etags etags;
    assert_true(etags_parse(SPAN(" * "), &etags));
    assert_true(etags.any && etags_match(&etags, SPAN("whatever")));
    assert_true(etags_parse(SPAN("\"7.abc-gz\", W/\"12.def\", \"nodot\", \"x.y\", \".z\", \"7\", "
                                 "\"1234567890123456789.a\""),
                            &etags));
    assert_true(etags_match(&etags, SPAN("7.abc")));
    assert_true(etags_match(&etags, SPAN("12.def")));
    assert_false(etags_match(&etags, SPAN("7.ab")));
    assert_false(etags_match(&etags, SPAN("8.abc")));
    assert_span(etags_versions(arena, &etags), "{7,12}");
    assert_true(etags_parse(SPAN("\"abc\""), &etags));
    assert_span(etags_versions(arena, &etags), "{}");
    arena_free(arena);
}

static void decodes_forms(void **state)
{
    (void)state;
    struct arena *arena = arena_new(256);
    struct query_pair pairs[PAIRS_MAX];
    size_t count = 99;
    struct span arguments = SPAN_NONE;
    assert_int_equal(form_decode(arena,
                                 SPAN("grant_type=client_credentials&client_secret=a%2Bb+c&scope="),
                                 pairs, &count, &arguments),
                     PROBLEM_NONE);
    assert_int_equal(count, 3);
    assert_span(pairs[0].name, "grant_type");
    assert_span(pairs[1].value, "a+b c");
    assert_true(pairs[2].has_value);
    assert_int_equal(form_decode(arena, SPAN(""), pairs, &count, &arguments), PROBLEM_NONE);
    assert_int_equal(count, 0);

    static const char *const bad[] = {"a=%zz", "a=%00",      "a=%ff", "=a",
                                      "a=b c", "a=\xC3\xA9", "a=b\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        count = 99;
        if (form_decode(arena, span_of(bad[i]), pairs, &count, &arguments) != PROBLEM_bad_request)
            fail_msg("took %s", bad[i]);
        assert_int_equal(count, 99);
        assert_true(span_starts(arguments, "{\"reason\":\"form\",\"inner\":\""));
    }
    char many[PAIRS_MAX * 2 + 8] = "a";
    for (int i = 1; i <= PAIRS_MAX; i++)
        strcat(many, "&a");
    assert_int_equal(form_decode(arena, span_of(many), pairs, &count, &arguments),
                     PROBLEM_bad_request);
    assert_span(arguments, "{\"reason\":\"form\",\"inner\":\"pairs_many\"}");
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chooses_a_medium),  cmocka_unit_test(chooses_a_language),
        cmocka_unit_test(chooses_a_coding),  cmocka_unit_test(reads_content_types),
        cmocka_unit_test(names_media),       cmocka_unit_test(reads_etags),
        cmocka_unit_test(etags_are_bounded), cmocka_unit_test(etags_match_and_give_versions),
        cmocka_unit_test(decodes_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
