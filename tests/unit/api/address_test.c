/* Addresses of clients: what is believed of X-Forwarded-For, and what an address stands for. */
#include "api/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "tests/unit/api/check.h"

static const char *found(const char *trust, const char *peer, const char *forwarded,
                         void (*ask)(const struct proxies *, const struct sockaddr *, struct span,
                                     char[ADDRESS_TEXT]))
{
    static char text[ADDRESS_TEXT];
    struct proxies *proxies = proxies_new(trust, stderr);
    struct sockaddr_storage storage = {0};
    struct sockaddr_in *four = (struct sockaddr_in *)&storage;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)&storage;
    assert_non_null(proxies);
    if (inet_pton(AF_INET, peer, &four->sin_addr) == 1)
        four->sin_family = AF_INET;
    else if (inet_pton(AF_INET6, peer, &six->sin6_addr) == 1)
        six->sin6_family = AF_INET6;
    ask(proxies, (struct sockaddr *)&storage, span_of(forwarded), text);
    proxies_free(proxies);
    return text;
}

static const char *seen(const char *trust, const char *peer, const char *forwarded)
{
    return found(trust, peer, forwarded, address_of);
}

static void test_networks(void **state)
{
    (void)state;
    assert_string_equal(found("", "192.0.2.77", NULL, address_network_of), "192.0.2.0/24");
    assert_string_equal(found("", "::ffff:192.0.2.77", NULL, address_network_of), "192.0.2.0/24");
    assert_string_equal(found("", "2001:db8:1:2:3:4:5:6", NULL, address_network_of),
                        "2001:db8:1::/48");
    assert_string_equal(found("10.0.0.0/8", "10.0.0.1", "1.1.1.1, 203.0.113.9", address_network_of),
                        "203.0.113.0/24");
    assert_string_equal(found("", "none", NULL, address_network_of), "");
}

static void test_peers(void **state)
{
    (void)state;
    assert_string_equal(seen("", "192.0.2.1", NULL), "192.0.2.1");
    assert_string_equal(seen("", "::ffff:192.0.2.1", NULL), "192.0.2.1");
    assert_string_equal(seen("", "2001:db8:1:2:3:4:5:6", NULL), "2001:db8:1:2::/64");
    assert_string_equal(seen("", "2001:db8:1:2:ffff:4:5:6", NULL), "2001:db8:1:2::/64");
    assert_string_equal(seen("", "2001:db8:1:3::1", NULL), "2001:db8:1:3::/64");
    assert_string_equal(seen("", "none", NULL), "");
}

static void test_only_a_trusted_proxy_is_believed(void **state)
{
    (void)state;
    assert_string_equal(seen("", "10.0.0.1", "192.0.2.1"), "10.0.0.1");
    assert_string_equal(seen("10.0.0.2", "10.0.0.1", "192.0.2.1"), "10.0.0.1");
    assert_string_equal(seen("10.0.0.1", "10.0.0.1", "192.0.2.1"), "192.0.2.1");
    assert_string_equal(seen("10.0.0.1", "10.0.0.1", NULL), "10.0.0.1");
    assert_string_equal(seen("10.0.0.0/8", "10.255.0.1", "192.0.2.1"), "192.0.2.1");
    assert_string_equal(seen("10.0.0.0/8", "11.0.0.1", "192.0.2.1"), "11.0.0.1");
    assert_string_equal(seen("10.0.0.0/12", "10.15.0.1", "192.0.2.1"), "192.0.2.1");
    assert_string_equal(seen("10.0.0.0/12", "10.16.0.1", "192.0.2.1"), "10.16.0.1");
    assert_string_equal(seen("10.0.0.0/8, fd00::/8", "fd12::1", "192.0.2.1"), "192.0.2.1");
    assert_string_equal(seen("fd00::/8", "::ffff:10.0.0.1", "192.0.2.1"), "10.0.0.1");
    assert_string_equal(seen("64.0.0.0/12", "2001:db8::1", "192.0.2.1"), "2001:db8::/64");
}

/* The client wrote the first part of the list: it is not read. */
static void test_the_last_foreign_address_counts(void **state)
{
    (void)state;
    assert_string_equal(seen("10.0.0.0/8", "10.0.0.1", "1.1.1.1, 192.0.2.1"), "192.0.2.1");
    assert_string_equal(seen("10.0.0.0/8", "10.0.0.1", "1.1.1.1,192.0.2.1 , 10.0.0.9"),
                        "192.0.2.1");
    assert_string_equal(seen("10.0.0.0/8", "10.0.0.1", "10.0.0.7, 10.0.0.9"), "10.0.0.7");
    assert_string_equal(seen("10.0.0.0/8", "10.0.0.1", "1.1.1.1, unknown"), "10.0.0.1");
    assert_string_equal(seen("10.0.0.0/8", "10.0.0.1", "1.1.1.1, , 10.0.0.9"), "10.0.0.9");
    assert_string_equal(seen("10.0.0.0/8", "10.0.0.1", "1.1.1.1,"), "10.0.0.1");
    assert_string_equal(seen("10.0.0.0/8", "10.0.0.1", "192.0.2.1:4711"), "192.0.2.1");
    assert_string_equal(seen("10.0.0.0/8", "10.0.0.1", "[2001:db8::1]:4711"), "2001:db8::/64");
    assert_string_equal(seen("10.0.0.0/8", "10.0.0.1", "2001:db8::1"), "2001:db8::/64");
    char longest[5000];
    memset(longest, '1', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_string_equal(seen("10.0.0.0/8", "10.0.0.1", longest), "10.0.0.1");
}

static void test_lists_that_are_none(void **state)
{
    (void)state;
    static const char *const bad[] = {"x",
                                      "10.0.0.0/33",
                                      "10.0.0.0/",
                                      "10.0.0.0/-1",
                                      "fd00::/129",
                                      "10.0.0.1,,10.0.0.2",
                                      "10.0.0.0/8x",
                                      ",",
                                      "0.0.0.0/0",
                                      "::/0",
                                      "64.0.0.0/11",
                                      "2001::/27",
                                      "::/32",
                                      "::/64",
                                      "::/80",
                                      "0.0.0.0/11",
                                      "::ffff:0:0/107"};
    FILE *nowhere = fopen("/dev/null", "w");
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_null(proxies_new(bad[i], nowhere));
    fclose(nowhere);
}

static void test_this_machine(void **state)
{
    (void)state;
    static const char *const local[] = {"localhost", "127.0.0.1", "127.255.0.1",
                                        "::1",       "::",        "0.0.0.0"};
    static const char *const far[] = {
        "localhost.example.id", "128.0.0.1", "::2", "0.0.0.1", "", "LOCALHOST."};
    for (size_t i = 0; i < sizeof(local) / sizeof(*local); i++)
        assert_true(address_is_local(span_of(local[i])));
    for (size_t i = 0; i < sizeof(far) / sizeof(*far); i++)
        assert_false(address_is_local(span_of(far[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_networks),
        cmocka_unit_test(test_peers),
        cmocka_unit_test(test_only_a_trusted_proxy_is_believed),
        cmocka_unit_test(test_the_last_foreign_address_counts),
        cmocka_unit_test(test_lists_that_are_none),
        cmocka_unit_test(test_this_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
