/* The compiled-in reference page: names that are there, names that are not, and the way back from gzip. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "api/docs.h"

static void the_page_is_found_by_both_names(void **state)
{
    (void)state;
    const struct docs_file *page = docs_find(SPAN_NONE);
    assert_non_null(page);
    assert_ptr_equal(page, docs_find(SPAN("index.html")));
    assert_string_equal(page->type, "text/html; charset=utf-8");
}

static void every_file_is_found_by_its_name(void **state)
{
    (void)state;
    assert_true(docs_file_count >= 2);
    for (size_t i = 0; i < docs_file_count; i++)
        assert_ptr_equal(docs_find(span_of(docs_files[i].name)), &docs_files[i]);
}

static void other_names_are_not_there(void **state)
{
    (void)state;
    const char *const strangers[] = {"INDEX.HTML",    "index.html/", "/index.html",
                                     "../index.html", "build.py",    "i"};
    for (size_t i = 0; i < sizeof(strangers) / sizeof(*strangers); i++)
        assert_null(docs_find(span_of(strangers[i])));
    assert_null(docs_find(((struct span){"index.html\0", 11})));
}

static void plain_is_what_was_compressed(void **state)
{
    (void)state;
    for (size_t i = 0; i < docs_file_count; i++) {
        struct buffer out = {0};
        buffer_add(&out, "before", 6);
        docs_plain(&docs_files[i], &out);
        assert_int_equal(out.len, 6 + docs_files[i].plain_len);
        assert_memory_equal(out.data, "before", 6);
        if (docs_files[i].gzip)
            assert_true(docs_files[i].len < docs_files[i].plain_len);
        else
            assert_memory_equal(out.data + 6, docs_files[i].data, docs_files[i].len);
        buffer_free(&out);
    }
}

static void the_policy_allows_nothing_inline_and_no_other_host(void **state)
{
    (void)state;
    assert_non_null(strstr(docs_csp, "default-src 'none'"));
    assert_non_null(strstr(docs_csp, "frame-ancestors 'none'"));
    assert_null(strstr(docs_csp, "unsafe"));
    assert_null(strstr(docs_csp, "http"));
    assert_null(strchr(docs_csp, '*'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_is_found_by_both_names),
        cmocka_unit_test(every_file_is_found_by_its_name),
        cmocka_unit_test(other_names_are_not_there),
        cmocka_unit_test(plain_is_what_was_compressed),
        cmocka_unit_test(the_policy_allows_nothing_inline_and_no_other_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
