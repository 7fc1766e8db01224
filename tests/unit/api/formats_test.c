/* Formats: for each, what it takes and what it refuses; every entry is a mistake somebody makes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "api/formats.h"

static enum fault_code check(enum schema_format format, const char *text)
{
    size_t len = strlen(text);
    char *copy = malloc(len ? len
                            : 1); /* exactly that size: the sanitizer sees a byte read too far */
    memcpy(copy, text, len);
    enum fault_code code = format_check(format, (struct span){copy, len});
    free(copy);
    return code;
}

static void expect(enum schema_format format, enum fault_code code, const char *const *texts)
{
    for (; *texts; texts++)
        if (check(format, *texts) != code)
            fail_msg("%s \"%s\"", code == FAULT_COUNT ? "refused" : "accepted", *texts);
}

#define TAKES(format, ...) expect(format, FAULT_COUNT, (const char *const[]){__VA_ARGS__, NULL})
#define REFUSES(format, ...)                                                                       \
    expect(format, FAULT_format, (const char *const[]){__VA_ARGS__, "", NULL})

static void none(void **state)
{
    (void)state;
    TAKES(FORMAT_NONE, "", "anything");
}

static void uuid(void **state)
{
    (void)state;
    TAKES(FORMAT_UUID, "0193b5a0-7c1e-7abc-8def-0123456789ab",
          "0193B5A0-7C1E-7ABC-8DEF-0123456789AB");
    REFUSES(FORMAT_UUID, "0193b5a07c1e7abc8def0123456789ab",
            "{0193b5a0-7c1e-7abc-8def-0123456789ab}", "0193b5a0-7c1e-7abc-8def-0123456789a",
            "0193b5a0-7c1e-7abc-8def-0123456789abc", "0193b5a0-7c1e-7abc-8def-0123456789ag");
}

static void date(void **state)
{
    (void)state;
    TAKES(FORMAT_DATE, "2026-11-21", "2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31");
    REFUSES(FORMAT_DATE, "2026-02-29", "1900-02-29", "2026-04-31", "2026-13-01", "2026-00-01",
            "2026-01-00", "2026-01-32", "0000-01-01", "2026-1-1", "21-11-2026", "2026/11/21",
            "2026-11-21 ", " 2026-11-21", "2026-11-21T00:00:00Z", "20261121", "2026-11", "today",
            "infinity", "-001-01-01");
}

static void date_time(void **state)
{
    (void)state;
    TAKES(FORMAT_DATE_TIME, "2026-11-21T10:00:00Z", "2026-11-21t10:00:00z",
          "2026-11-21T10:00:00.1Z", "2026-11-21T10:00:00.123456789Z", "2026-11-21T10:00:00+07:00",
          "2026-11-21T10:00:00-08:30", "2016-12-31T23:59:60Z", "2017-01-01T06:59:60+07:00",
          "1990-12-31T15:59:60-08:00");
    REFUSES(FORMAT_DATE_TIME, "2026-11-21", "2026-11-21T10:00:00", "2026-11-21 10:00:00Z",
            "2026-11-21T10:00Z", "2026-11-21T24:00:00Z", "2026-11-21T10:60:00Z",
            "2026-11-21T10:00:60Z", "2026-11-21T10:00:61Z", "2026-11-21T10:00:00.Z",
            "2026-11-21T10:00:00.1234567891Z", "2026-11-21T10:00:00+7:00",
            "2026-11-21T10:00:00+0700", "2026-11-21T10:00:00+07", "2026-11-21T10:00:00+16:00",
            "2026-11-21T10:00:00+07:60", "2026-02-30T10:00:00Z", "2026-11-21T10:00:00ZZ",
            "2026-11-21T10:00:00 Z");
}

static void month(void **state)
{
    (void)state;
    TAKES(FORMAT_MONTH, "2026-11", "2026-01", "0001-12");
    REFUSES(FORMAT_MONTH, "2026-13", "2026-00", "2026-1", "2026-11-21", "202611", "0000-01",
            "11-2026");
}

static void email(void **state)
{
    (void)state;
    TAKES(FORMAT_EMAIL, "joe.bloggs@example.com", "a@b.id", "te~st+tag@sub.perpusnas.go.id",
          "x_y-z@xn--nw2a.id");
    REFUSES(FORMAT_EMAIL, "2962", "@example.com", "a@", "a@b", "a@b..id", "a@.b.id", "a@b.id.",
            ".a@b.id", "a.@b.id", "a..b@c.id", "a b@c.id", "a@b@c.id", "a@-b.id", "a@b-.id",
            "a@b_c.id", "a@b.id\n", "<a@b.id>", "a@b.id, c@d.id", "\"a\"@b.id",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@b.id");
}

static void uri(void **state)
{
    (void)state;
    TAKES(FORMAT_URI, "https://perpusnas.go.id/", "http://foo.bar/?q=Test%20x#y", "mailto:a@b.id",
          "tel:+62-21", "ldap://[2001:db8::7]/c=GB?objectClass?one", "urn:oasis:names:tc");
    REFUSES(FORMAT_URI, "perpusnas.go.id", "//perpusnas.go.id", "/abc", "https:", "://x",
            "1http://x", "http:// x", "http://x/%2", "http://x/%zz", "http://x/\xc3\xa9",
            "\\\\WINDOWS\\share", "http://x/\"", "http://x/<a>", "http://x\n");
}

static void point(void **state)
{
    (void)state;
    TAKES(FORMAT_POINT, "-6.2,106.8", "0,0", "90,180", "-90,-180", "-6.200000,106.816666",
          "-0.0,1");
    REFUSES(FORMAT_POINT, "90.1,0", "-90.0001,0", "0,180.5", "0,-181", "-6.2", "-6.2,", ",106.8",
            "-6.2, 106.8", "-6.2,106.8,1", "1e1,0", "+6,1", "6.,1", ".5,1", "--1,1", "nan,1", "a,b",
            "-6,2;106,8", "0.00000000000000000000000000000001,0");
}

static void dotted_code(void **state)
{
    (void)state;
    TAKES(FORMAT_DOTTED_CODE, "19", "19.01", "19.01.06", "19.01.06.2002", "91.10.15.1001");
    REFUSES(FORMAT_DOTTED_CODE, "1", "09", "19.1", "19.01.6", "19.01.06.0002", "19.01.06.20021",
            "19.01.06.200", "19.", "19.01.", "19/01", "19.01.06.2002.1", " 19", "19 ", "ab",
            "19.01-06", "19,01");
    expect(FORMAT_DOTTED_CODE, FAULT_undotted_code,
           (const char *const[]){"190", "1901", "190106", "1901062002", NULL});
}

/* Each format that can be refused has words of its own in both languages, which follow "must be". */
static void words_name_every_format(void **state)
{
    (void)state;
    for (int format = FORMAT_UUID; format <= FORMAT_DOTTED_CODE; format++) {
        struct span name = format_name((enum schema_format)format);
        assert_true(name.len > 0);
        assert_true(format_words(name, LANGUAGE_ID).len > 0);
        struct span english = format_words(name, LANGUAGE_EN);
        assert_true(span_starts(english, "a ") || span_starts(english, "an "));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none),        cmocka_unit_test(uuid),
        cmocka_unit_test(date),        cmocka_unit_test(date_time),
        cmocka_unit_test(month),       cmocka_unit_test(email),
        cmocka_unit_test(uri),         cmocka_unit_test(point),
        cmocka_unit_test(dotted_code), cmocka_unit_test(words_name_every_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
