/* Buffers and JSON strings; the strings are read back with jansson. */
#include "tests/unit/api/check.h"

#include <jansson.h>
#include <stdlib.h>

#include "api/base/buffer.h"

static struct span bytes_of(const struct buffer *buffer)
{
    return (struct span){buffer->data, buffer->len};
}

static void grows(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    for (int i = 0; i < 10000; i++)
        buffer_char(&buffer, (char)('a' + i % 26));
    buffer_add(&buffer, "", 0);
    buffer_span(&buffer, SPAN("span"));
    BUFFER_LITERAL(&buffer, "literal");
    assert_int_equal(buffer.len, 10011);
    for (int i = 0; i < 10000; i++)
        assert_int_equal(buffer.data[i], 'a' + i % 26);
    assert_memory_equal(buffer.data + 10000, "spanliteral", 11);
    buffer_free(&buffer);
    assert_null(buffer.data);
    assert_int_equal(buffer.len, 0);
}

static void takes_much_at_once(void **state)
{
    (void)state;
    char text[5000];
    memset(text, 'x', sizeof text);
    struct buffer buffer = {0};
    buffer_char(&buffer, '<');
    buffer_add(&buffer, text, sizeof text); /* more than twice the room there is */
    buffer_char(&buffer, '>');
    assert_int_equal(buffer.len, sizeof text + 2);
    assert_memory_equal(buffer.data + 1, text, sizeof text);
    buffer_free(&buffer);
}

static void prints(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    for (int i = 0; i < 300; i++)
        buffer_printf(&buffer, "%d,", i % 10);
    assert_int_equal(buffer.len, 600);
    for (int i = 0; i < 300; i++) { /* those that just filled the room included */
        assert_int_equal(buffer.data[2 * i], '0' + i % 10);
        assert_int_equal(buffer.data[2 * i + 1], ',');
    }
    buffer_free(&buffer);
}

static void gives_its_bytes_away(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    size_t len = 9;
    char *empty = buffer_take(&buffer, &len);
    assert_non_null(empty);
    assert_int_equal(len, 0);
    free(empty);
    BUFFER_LITERAL(&buffer, "desa");
    char *data = buffer_take(&buffer, &len);
    assert_int_equal(len, 4);
    assert_memory_equal(data, "desa", 4);
    assert_null(buffer.data);
    free(data);
}

static void escapes_json(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    buffer_json_string(&buffer, SPAN("a\"b\\c/d\n\r\t\b\f\x01\x1f\x7f é"));
    assert_span(bytes_of(&buffer), "\"a\\\"b\\\\c/d\\n\\r\\t\\b\\f\\u0001\\u001f\x7f é\"");
    buffer.len = 0;
    buffer_json_string(&buffer, SPAN_NONE);
    assert_span(bytes_of(&buffer), "\"\"");
    buffer_free(&buffer);
}

static void every_character_reads_back(void **state)
{
    (void)state;
    for (int c = 0; c < 0x80; c++) {
        char text[3] = {'x', (char)c, 'y'};
        struct buffer buffer = {0};
        buffer_json_string(&buffer, (struct span){text, 3});
        json_t *read = json_loadb(buffer.data, buffer.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        assert_non_null(read);
        assert_int_equal(json_string_length(read), 3);
        assert_memory_equal(json_string_value(read), text, 3);
        json_decref(read);
        buffer_free(&buffer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows),        cmocka_unit_test(takes_much_at_once),
        cmocka_unit_test(prints),       cmocka_unit_test(gives_its_bytes_away),
        cmocka_unit_test(escapes_json), cmocka_unit_test(every_character_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
