/* What may be wished of a new client: every fault is named, none alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "auth/client.h"

#define LIBRARY "0193a5c0-0000-7000-8000-000000000001"

static char *text;
static size_t text_len;
static FILE *errors;

static int setup(void **state)
{
    (void)state;
    errors = open_memstream(&text, &text_len);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fclose(errors);
    free(text);
    return 0;
}

static int lines(void)
{
    int count = 0;
    fflush(errors);
    for (const char *at = text; *at; at++)
        count += *at == '\n';
    return count;
}

static void test_form(void **state)
{
    (void)state;
    assert_true(client_form_check(&(struct new_client){"Portal", "portal", NULL, NULL}, errors));
    assert_true(client_form_check(&(struct new_client){"Portal", "portal", "", ""}, errors));
    assert_true(
        client_form_check(&(struct new_client){"Kapuk", "library_manager", NULL, LIBRARY}, errors));
    assert_true(client_form_check(
        &(struct new_client){"Babel", "team_member", "19.01.06.2002", NULL}, errors));
    assert_int_equal(lines(), 0);
    assert_false(client_form_check(&(struct new_client){" ", "Portal!", "1901.", "x"}, errors));
    assert_int_equal(lines(), 5); /* name, role, both places, region, library */
    static const char *const regions[] = {".19",   "19.",   "19..01", "19/01", "19.01.06.20021",
                                          "babel", "19' --"};
    for (size_t i = 0; i < sizeof regions / sizeof *regions; i++)
        assert_false(
            client_form_check(&(struct new_client){"n", "portal", regions[i], NULL}, errors));
    assert_false(client_form_check(&(struct new_client){NULL, "portal", NULL, NULL}, errors));
    assert_true(client_form_check(&(struct new_client){"n", NULL, NULL, NULL},
                                  errors)); /* an app of people */
}

static bool fits(const char *role, const char *region, const char *level, const char *library)
{
    struct client_facts facts = {true, true, level};
    return client_place_check(&(struct new_client){"n", role, region, library}, &facts, errors);
}

static void test_place(void **state)
{
    (void)state;
    static const struct {
        const char *role;
        bool indonesia, province, regency, district, village, library;
    } oracle[] = {
        /* from the table "Who may write what" */
        {"national_admin", 1, 0, 0, 0, 0, 0},
        {"national_analyst", 1, 0, 0, 0, 0, 0},
        {"provincial_coordinator", 0, 1, 0, 0, 0, 0},
        {"team_member", 0, 1, 1, 0, 0, 0},
        {"regency_facilitator", 0, 0, 1, 0, 0, 0},
        {"library_manager", 0, 0, 0, 0, 0, 1},
        {"integration", 1, 1, 1, 1, 1, 1},
        {"portal", 1, 1, 1, 1, 1, 1},
        {"public_app", 1, 1, 1, 1, 1, 1},
    };
    for (size_t i = 0; i < sizeof oracle / sizeof *oracle; i++) {
        const char *role = oracle[i].role;
        assert_int_equal(fits(role, NULL, NULL, NULL), oracle[i].indonesia);
        assert_int_equal(fits(role, "", NULL, ""), oracle[i].indonesia);
        assert_int_equal(fits(role, "19", "province", NULL), oracle[i].province);
        assert_int_equal(fits(role, "19.01", "regency", NULL), oracle[i].regency);
        assert_int_equal(fits(role, "19.01.06", "district", NULL), oracle[i].district);
        assert_int_equal(fits(role, "19.01.06.2002", "village", NULL), oracle[i].village);
        assert_int_equal(fits(role, NULL, NULL, LIBRARY), oracle[i].library);
    }
}

static void test_unknown(void **state)
{
    (void)state;
    struct client_facts facts = {false, false, NULL};
    assert_false(client_place_check(&(struct new_client){"n", "king", "99", NULL}, &facts, errors));
    assert_int_equal(lines(), 2); /* role and region */
    assert_false(
        client_place_check(&(struct new_client){"n", "king", NULL, LIBRARY}, &facts, errors));
    assert_int_equal(lines(), 4); /* role and library */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {TEST(test_form), TEST(test_place), TEST(test_unknown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
