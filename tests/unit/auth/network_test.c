/* Networks around an address, and what is remembered of them. */
#include "auth/network.h"

#include "tests/unit/api/check.h"

static void test_what_is_one_network(void **state)
{
    (void)state;
    assert_int_equal(network_of("10.1.2.3", 32), network_of("::ffff:10.1.2.3", 32));
    assert_int_equal(network_of("10.1.2.3", 24), network_of("10.1.2.200", 24));
    assert_int_not_equal(network_of("10.1.2.3", 24), network_of("10.1.3.3", 24));
    assert_int_not_equal(network_of("10.1.2.3", 24), network_of("10.1.2.3", 32));
    assert_int_equal(network_of("2001:db8:1:2::/64", 64), network_of("2001:db8:1:2:3::4", 64));
    assert_int_equal(network_of("2001:db8:1:2::/64", 56), network_of("2001:db8:1:ff::/64", 56));
    assert_int_not_equal(network_of("2001:db8:1:2::/64", 56), network_of("2001:db8:1:100::", 56));
    assert_int_equal(network_crowd("2001:db8:1:2::/64"), network_crowd("2001:db8:1:ffff::/64"));
    assert_int_not_equal(network_crowd("2001:db8:1::/64"), network_crowd("2001:db8:2::/64"));
    assert_int_equal(network_crowd("10.1.2.3"), network_of("10.1.2.4", 24));
    assert_int_equal(network_of("nonsense", 24), 0);
    assert_int_equal(network_of("10.1.2.3", 0), 0);
    assert_int_equal(network_crowd(""), 0);
}

static void test_a_network_rests(void **state)
{
    (void)state;
    assert_int_equal(network_rest_s("10.7.8.9"), 0);
    network_rest("10.7.8.9", 24, 3);
    assert_in_range(network_rest_s("10.7.8.200"), 2, 3);
    assert_int_equal(network_rest_s("10.7.9.9"), 0);
    network_rest("2001:db8:7:8::/64", 48, 900);
    assert_in_range(network_rest_s("2001:db8:7:ffff::/64"), 9, 10); /* asked again after that */
    network_rest("2001:db8:9:8::/64", 64, 5);
    assert_int_equal(network_rest_s("2001:db8:9:9::/64"), 0);
    network_rest("nonsense", 32, 5);
    assert_int_equal(network_rest_s("nonsense"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_one_network),
        cmocka_unit_test(test_a_network_rests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
