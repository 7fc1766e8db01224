/* Pages: what fills them is escaped, and the policy names the style that stands in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/base/digest.h"
#include "api/html.h"

static void escapes(void **state)
{
    (void)state;
    struct buffer out = {0};
    html_print(&out, "<b title=\"%s\">%s</b> 100%%", "a\"b'c", "<script>&amp;");
    buffer_char(&out, '\0');
    assert_string_equal(out.data, "<b title=\"a&quot;b&#39;c\">&lt;script&gt;&amp;amp;</b> 100%");
    buffer_free(&out);
}

static const char *header_of(const struct call *call, const char *name)
{
    for (size_t i = 0; i < call->response.header_count; i++)
        if (strcmp(call->response.headers[i].name, name) == 0)
            return call->response.headers[i].value;
    return NULL;
}

static void page(void **state)
{
    (void)state;
    struct call call = {.arena = arena_new(4096)};
    html_begin(&call, 403, LANGUAGE_EN, "A <title>", "https://app.example.id");
    html_alert(&call, "It's wrong");
    html_end(&call);
    buffer_char(&call.response.body, '\0');
    const char *text = call.response.body.data;
    assert_int_equal(call.response.status, 403);
    assert_string_equal(call.response.content_type, "text/html; charset=utf-8");
    assert_non_null(strstr(text, "<html lang=\"en\">"));
    assert_non_null(strstr(text, "<h1>A &lt;title&gt;</h1>"));
    assert_non_null(strstr(text, "role=\"alert\" id=\"alert\">It&#39;s wrong</p>"));
    assert_null(strstr(text, "<script"));
    const char *policy = header_of(&call, "Content-Security-Policy");
    assert_non_null(strstr(policy, "default-src 'none'"));
    assert_non_null(strstr(policy, "form-action 'self' https://app.example.id;"));
    assert_non_null(strstr(policy, "frame-ancestors 'none'"));
    assert_null(strstr(policy, "unsafe"));
    assert_string_equal(header_of(&call, "Referrer-Policy"), "no-referrer");
    assert_string_equal(header_of(&call, "Cache-Control"), "no-store");
    assert_string_equal(header_of(&call, "X-Frame-Options"), "DENY");
    assert_string_equal(header_of(&call, "Content-Language"), "en");

    const char *begin = strstr(text, "<style>") + strlen("<style>");
    unsigned char expected[32];
    struct span named;
    digest_sha256((struct span){begin, (size_t)(strstr(text, "</style>") - begin)}, expected);
    assert_true(strncmp(html_style_hash, "sha256-", 7) == 0);
    assert_true(base64_decode(call.arena, span_of(html_style_hash + 7), &named));
    assert_int_equal(named.len, 32);
    assert_memory_equal(named.ptr, expected, 32);
    assert_non_null(strstr(policy, html_style_hash));
    buffer_free(&call.response.body);
    arena_free(call.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes),
        cmocka_unit_test(page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
