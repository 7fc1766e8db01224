/* Problem documents, read back with jansson; the pages with libc. */
#include "tests/unit/api/check.h"

#include <jansson.h>

#include "api/base/digest.h"
#include "api/problem_body.h"

static json_t *read_back(struct buffer *buffer)
{
    json_error_t error;
    json_t *read = json_loadb(buffer->data, buffer->len, JSON_REJECT_DUPLICATES, &error);
    if (!read)
        fail_msg("%s in %.*s", error.text, (int)buffer->len, buffer->data);
    buffer_free(buffer);
    return read;
}

static void assert_member(const json_t *object, const char *name, const char *expected)
{
    const char *value = json_string_value(json_object_get(object, name));
    if (!value || strcmp(value, expected) != 0)
        fail_msg("%s is %s, not %s", name, value, expected);
}

static void plain_problem(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    problem_body(&buffer, PROBLEM_not_found, SPAN_NONE, NULL, LANGUAGE_EN,
                 SPAN("https://api.example"), SPAN("r-1"));
    json_t *body = read_back(&buffer);
    assert_member(body, "type", "https://api.example/problems/not_found");
    assert_member(body, "title", "Not found");
    assert_int_equal(json_integer_value(json_object_get(body, "status")), 404);
    assert_member(body, "detail", "There is nothing at this address.");
    assert_member(body, "code", "not_found");
    assert_member(body, "request_id", "r-1");
    assert_int_equal(json_object_size(body), 6); /* no errors */
    json_decref(body);
}

static void no_faults_no_errors(void **state)
{
    (void)state;
    struct faults faults = {0};
    struct buffer buffer = {0};
    problem_body(&buffer, PROBLEM_internal, SPAN_NONE, &faults, LANGUAGE_ID, SPAN(""), SPAN("r"));
    json_t *body = read_back(&buffer);
    assert_null(json_object_get(body, "errors"));
    json_decref(body);
}

static void filled_in_indonesian(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    problem_body(&buffer, PROBLEM_bad_request,
                 SPAN("{\"reason\":\"tags\",\"header\":\"a \\\"quoted\\\" thing\"}"), NULL,
                 LANGUAGE_ID, SPAN(""), SPAN_NONE);
    json_t *body = read_back(&buffer);
    assert_member(body, "type", "/problems/bad_request");
    assert_member(body, "title", "Permintaan rusak");
    assert_member(
        body, "detail",
        "Permintaan tidak dapat dibaca: a \"quoted\" thing bukan daftar tanda entitas (ETag).");
    assert_null(json_object_get(body, "request_id"));
    json_decref(body);
}

static void faults_are_listed(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1024);
    struct faults faults = {.arena = arena};
    faults_add(&faults, (struct fault){.pointer = SPAN("/members/0/role"),
                                       .code = FAULT_enum,
                                       .argument = SPAN("a, \"b\"")});
    faults_add(
        &faults,
        (struct fault){.parameter = SPAN("limit"), .code = FAULT_maximum, .argument = SPAN("500")});
    faults_add(&faults, (struct fault){.pointer = SPAN(""), .code = FAULT_required});
    struct buffer buffer = {0};
    problem_body(&buffer, PROBLEM_invalid_body, SPAN_NONE, &faults, LANGUAGE_EN, SPAN("http://x"),
                 SPAN("r"));
    json_t *body = read_back(&buffer), *errors = json_object_get(body, "errors");
    assert_int_equal(json_array_size(errors), 3);
    assert_member(json_array_get(errors, 0), "pointer", "/members/0/role");
    assert_member(json_array_get(errors, 0), "code", "enum");
    assert_member(json_array_get(errors, 0), "detail", "must be one of a, \"b\"");
    assert_int_equal(json_object_size(json_array_get(errors, 0)), 3);
    assert_member(json_array_get(errors, 1), "parameter", "limit");
    assert_null(json_object_get(json_array_get(errors, 1), "pointer"));
    assert_member(json_array_get(errors, 1), "detail", "may be at most 500");
    assert_member(json_array_get(errors, 2), "pointer", ""); /* the whole body */
    assert_member(body, "detail", "The body breaks its schema; errors names every fault.");
    json_decref(body);
    arena_free(arena);
}

static void type_words_are_translated(void **state)
{
    (void)state;
    static const char *const expected[2] = {
        [LANGUAGE_ID] = "harus teks atau true atau false atau null",
        [LANGUAGE_EN] = "must be text or true or false or null",
    };
    for (int language = LANGUAGE_ID; language <= LANGUAGE_EN; language++) {
        struct faults faults = {.arena = arena_new(1024)};
        struct buffer buffer = {0};
        faults_add(&faults, (struct fault){.pointer = SPAN("/a"),
                                           .code = FAULT_type,
                                           .argument = SPAN("text or true or false or null")});
        problem_body(&buffer, PROBLEM_invalid_body, SPAN_NONE, &faults, (enum language)language,
                     SPAN(""), SPAN_NONE);
        json_t *body = read_back(&buffer);
        assert_member(json_array_get(json_object_get(body, "errors"), 0), "detail",
                      expected[language]);
        json_decref(body);
        arena_free(faults.arena);
    }
}

static void dropped_faults_are_told(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1024);
    struct faults faults = {.arena = arena};
    for (int i = 0; i < FAULTS_MAX + 17; i++)
        faults_add(&faults, (struct fault){.pointer = SPAN("/x"), .code = FAULT_required});
    static const char *const told[2] = {
        [LANGUAGE_ID] = ". 17 kesalahan lain tidak disebut di sini.",
        [LANGUAGE_EN] = ". 17 further faults are not listed.",
    };
    for (int language = 0; language < 2; language++) {
        struct buffer buffer = {0};
        problem_body(&buffer, PROBLEM_invalid_body, SPAN_NONE, &faults, (enum language)language,
                     SPAN(""), SPAN("r"));
        json_t *body = read_back(&buffer);
        assert_int_equal(json_array_size(json_object_get(body, "errors")), FAULTS_MAX);
        assert_non_null(strstr(json_string_value(json_object_get(body, "detail")), told[language]));
        json_decref(body);
    }
    arena_free(arena);
}

static void every_problem_has_a_document(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    problem_list_json(&buffer, SPAN("http://x"));
    json_t *list = read_back(&buffer), *items = json_object_get(list, "items");
    assert_int_equal(json_array_size(items), PROBLEM_COUNT - 1);
    assert_true(json_is_null(json_object_get(list, "next")));
    for (int code = PROBLEM_NONE + 1; code < PROBLEM_COUNT; code++) {
        problem_document_json(&buffer, (enum problem_code)code, SPAN("http://x"));
        json_t *document = read_back(&buffer);
        assert_true(json_equal(document, json_array_get(items, (size_t)code - 1)));
        assert_member(document, "code", problem_texts[code].code);
        assert_member(json_object_get(document, "title"), "id",
                      problem_texts[code].title[LANGUAGE_ID]);
        assert_member(json_object_get(document, "detail"), "en",
                      problem_texts[code].detail[LANGUAGE_EN]);
        assert_int_equal(json_integer_value(json_object_get(document, "status")),
                         problem_texts[code].status);
        json_decref(document);
    }
    json_decref(list);
}

/* Standard base64 of the SHA-256 of what stands between <style> and </style>. */
static void check_style(const char *page)
{
    const char *begin = strstr(page, "<style>"), *end = strstr(page, "</style>");
    assert_true(begin && end);
    begin += strlen("<style>");
    struct arena *arena = arena_new(256);
    const char *hash = strstr(problem_page_policy, "'sha256-");
    assert_non_null(hash);
    hash += strlen("'sha256-");
    struct span read;
    assert_true(base64_decode(arena, (struct span){hash, strcspn(hash, "'")}, &read));
    unsigned char expected[32];
    digest_sha256((struct span){begin, (size_t)(end - begin)}, expected);
    assert_int_equal(read.len, 32);
    assert_memory_equal(read.ptr, expected, 32);
    arena_free(arena);
}

static void pages(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    problem_document_html(&buffer, PROBLEM_unauthorized);
    buffer_char(&buffer, '\0');
    assert_true(strncmp(buffer.data, "<!doctype html>\n<html lang=\"id\">", 32) == 0);
    assert_non_null(strstr(buffer.data, "<title>unauthorized</title>"));
    assert_non_null(strstr(buffer.data, "<p>HTTP 401</p>"));
    assert_non_null(strstr(buffer.data, "Authorization: Bearer &lt;token&gt;."));
    assert_null(strstr(buffer.data, "<token>"));
    assert_non_null(strstr(buffer.data, "<section lang=\"en\">\n<h2>Authentication required</h2>"));
    assert_non_null(strstr(buffer.data, "</main>\n</body>\n</html>\n"));
    check_style(buffer.data);
    buffer_free(&buffer);

    problem_list_html(&buffer);
    buffer_char(&buffer, '\0');
    for (int code = PROBLEM_NONE + 1; code < PROBLEM_COUNT; code++) {
        char link[128];
        snprintf(link, sizeof link, "<a href=\"problems/%s\">", problem_texts[code].code);
        assert_non_null(strstr(buffer.data, link));
    }
    check_style(buffer.data);
    buffer_free(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_problem),
        cmocka_unit_test(no_faults_no_errors),
        cmocka_unit_test(filled_in_indonesian),
        cmocka_unit_test(faults_are_listed),
        cmocka_unit_test(type_words_are_translated),
        cmocka_unit_test(dropped_faults_are_told),
        cmocka_unit_test(every_problem_has_a_document),
        cmocka_unit_test(pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
