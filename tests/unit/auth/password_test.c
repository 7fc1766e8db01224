/* Passwords: which are refused, and that at most two are worked on at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "api/base/clock.h"
#include "auth/password.h"

static const char account[] = "01890a5d-ac96-774b-bcce-b302099a8057";

static enum fault_code check(const char *password)
{
    const char *argument = "";
    return password_check(span_of(password), SPAN("siti.aminah@example.id"), SPAN("Siti Aminah"),
                          &argument);
}

static void test_common(void **state)
{
    static const char *const refused[] = {
        "aaaaaaaaaaaa",
        "abababababab",
        "abcdefghijkl",
        "123456789012",
        "qwertyuiop123",
        "Perpustakaan1",
        "perpustakaan",
        "2026Indonesia!",
        "bismillah12345",
        "p4ssw0rd2026",
        "P@$$w0rd12345",
        "indonesiaindonesia",
        "administrator",
        "1qaz2wsx3edc4rfv",
        "rahasia12345!",
        "perpustakaannasional",
        "sayangsayang99",
        "literasiindonesia1",
        "!!!garuda!!!!!",
        "zaq1xsw2cde3",
        "0987654321098765",
        "asdfghjklasdfghjkl",
        /* the programme's own words and what everybody says, with what people hang on */
        "perpustakaanku",
        "perpuseru2019",
        "TPBIS2026tpbis",
        "indonesiaraya",
        "bismillahirrahmanirrahim",
        "literasiku2026!",
        "Perpus-Desa-Ku-1",
        "timsinergi2026tpbis",
        "p3rpu5t4k44nku",
        "pustakawan#pustaka",
        "assalamualaikum1",
        "2026replikasinya",
        "indonesia merdeka",
        "TPBIS-perpusnas-2026",
    };
    static const char *const taken[] = {
        "rawa teduh kuda laut",         "kX9#mQ2$vL7!",
        "correct horse battery staple", "tujuh9belas!ikan",
        "perpustakaan di tepi sungai",  "x7-perahu-dinding",
        "perpustakaan menanam padi",    "taman baca desa buku kita semua",
        "perahu kertas di laut lepas",  "aminatun7perahu",
    };
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (check(refused[i]) != FAULT_common_password)
            fail_msg("%s is taken", refused[i]);
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (check(taken[i]) != FAULT_COUNT)
            fail_msg("%s is refused", taken[i]);
}

static void test_length(void **state)
{
    char text[200];
    const char *argument = "";
    (void)state;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + i * i * 7 % 23);
    assert_int_equal(password_check((struct span){text, 11}, SPAN_NONE, SPAN_NONE, &argument),
                     FAULT_min_length);
    assert_string_equal(argument, "12");
    assert_int_equal(password_check((struct span){text, 12}, SPAN_NONE, SPAN_NONE, &argument),
                     FAULT_COUNT);
    assert_int_equal(password_check((struct span){text, 128}, SPAN_NONE, SPAN_NONE, &argument),
                     FAULT_COUNT);
    assert_int_equal(password_check((struct span){text, 129}, SPAN_NONE, SPAN_NONE, &argument),
                     FAULT_max_length);
    assert_string_equal(argument, "128");
    assert_int_equal(check("\xc3\xbc\xc3\xa9\xc3\xb6"), FAULT_min_length); /* three characters */
}

static void test_own_name(void **state)
{
    (void)state;
    assert_int_equal(check("siti.aminah@example.id"), FAULT_like_account);
    assert_int_equal(check("Siti.Aminah2026"), FAULT_like_account);
    assert_int_equal(check("Siti Aminah 90"), FAULT_like_account);
    assert_int_equal(check("123sitiaminah"), FAULT_like_account);
    assert_int_equal(check("aminah123456"), FAULT_like_account);
    assert_int_equal(check("Aminah-19900101"), FAULT_like_account);
    assert_int_equal(check("siti1990aminah"), FAULT_like_account);
    assert_int_equal(check("aminahaminah12"), FAULT_like_account);
    assert_int_equal(check("perpustakaanaminah"), FAULT_like_account);
    assert_int_equal(check("4m1n4h123456"), FAULT_like_account);
    const char *argument;
    assert_int_equal(password_check(SPAN("ENDANG RE\xcc\x81NE\xcc\x81 77"), SPAN("er"),
                                    SPAN("Endang R\xc3\xa9n\xc3\xa9"), &argument),
                     FAULT_like_account); /* in another form, and in capitals */
    assert_int_equal(check("siti aminah menanam padi"), FAULT_COUNT);
}

static void test_hash(void **state)
{
    char hash[PASSWORD_HASH_BYTES], again[PASSWORD_HASH_BYTES];
    bool right = true;
    int64_t deadline = clock_monotonic_ms() + 10000;
    const struct turn turn = {LANE_OTHER, 1, deadline, 0};
    (void)state;
    assert_int_equal(password_hash(SPAN("rawa teduh"), account, deadline, hash), PROBLEM_NONE);
    assert_int_equal(password_hash(SPAN("rawa teduh"), account, deadline, again), PROBLEM_NONE);
    assert_string_not_equal(hash, again);
    assert_int_equal(strncmp(hash, "$argon2id$v=19$m=19456,t=2,p=1$", 31), 0);
    assert_int_equal(password_verify(SPAN("rawa teduh"), hash, &turn, &right), PROBLEM_NONE);
    assert_true(right);
    assert_int_equal(password_verify(SPAN("rawa Teduh"), hash, &turn, &right), PROBLEM_NONE);
    assert_false(right);
    right = true;
    assert_int_equal(password_verify(SPAN("rawa teduh"), NULL, &turn, &right), PROBLEM_NONE);
    assert_false(right); /* nobody of that name */
    right = true;
    assert_int_equal(password_verify(SPAN_NONE, hash, &turn, &right), PROBLEM_NONE);
    assert_false(right);
}

/* One password, however its characters were typed; and nothing but that. */
static void test_one_form(void **state)
{
    static const struct {
        const char *one, *other;
        bool same;
    } pairs[] = {
        {"caf\xc3\xa9 di tepi sungai", "cafe\xcc\x81 di tepi sungai",
         true},                                                      /* composed, decomposed */
        {"caf\xc3\xa9\xe3\x80\x80 tepi", "caf\xc3\xa9  tepi", true}, /* U+3000 */
        {"caf\xc3\xa9\xc2\xa0 tepi", "cafe\xcc\x81  tepi", true},    /* U+00A0 */
        {"\xe2\x84\xab"
         "ngstrom di tepi",
         "\xc3\x85ngstrom di tepi", true},                          /* U+212B */
        {"\xef\xbc\xa1 di tepi sungai", "A di tepi sungai", false}, /* no compatibility forms */
        {"Caf\xc3\xa9 di tepi", "caf\xc3\xa9 di tepi", false},
        {"  dua di tepi  ", "dua di tepi", false},
    };
    char hash[PASSWORD_HASH_BYTES];
    const char *argument;
    int64_t deadline = clock_monotonic_ms() + 60000;
    const struct turn turn = {LANE_OTHER, 1, deadline, 0};
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        bool right = !pairs[i].same;
        assert_int_equal(password_same(span_of(pairs[i].one), span_of(pairs[i].other)),
                         pairs[i].same);
        assert_int_equal(password_hash(span_of(pairs[i].one), account, deadline, hash),
                         PROBLEM_NONE);
        assert_int_equal(password_verify(span_of(pairs[i].other), hash, &turn, &right),
                         PROBLEM_NONE);
        assert_int_equal(right, pairs[i].same);
    }
    assert_int_equal(check("tepi\x01sungai rawa"), FAULT_control_character);
    assert_int_equal(check("tepi\xc2\x85sungai rawa"), FAULT_control_character); /* U+0085 */
    assert_int_equal(check("tepi\xffsungai rawa"), FAULT_bad_utf8);
    assert_int_equal(password_check(SPAN("e\xcc\x81o\xcc\x88u\xcc\x88 e\xcc\x81 kax"), SPAN_NONE,
                                    SPAN_NONE, &argument),
                     FAULT_min_length); /* nine characters, of twelve code points and more */
}

static atomic_int busy, done;

static void *one(void *deadline)
{
    char hash[PASSWORD_HASH_BYTES];
    enum problem_code code = password_hash(SPAN("rawa teduh kuda"), account, *(int64_t *)deadline,
                                           hash);
    atomic_fetch_add(code == PROBLEM_busy ? &busy : &done, 1);
    return NULL;
}

/* Six at once: two are worked on, the others wait for their turn, and not when there is no time for it. */
static void test_at_most_so_many(void **state)
{
    pthread_t threads[6];
    int64_t deadline = clock_monotonic_ms() + 60000, over = clock_monotonic_ms() - 1;
    (void)state;
    for (int round = 0; round < 2; round++) {
        atomic_store(&busy, 0);
        atomic_store(&done, 0);
        for (size_t i = 0; i < 6; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, one, round == 0 ? &deadline : &over),
                             0);
        for (size_t i = 0; i < 6; i++)
            pthread_join(threads[i], NULL);
        assert_int_equal(atomic_load(&busy) + atomic_load(&done), 6);
        assert_true(round == 0 ? atomic_load(&busy) == 0 : atomic_load(&busy) > 0);
    }
}

/* Made-up names take no place: a hundred at once take no longer than one. */
static void *unknown(void *deadline)
{
    const struct turn turn = {LANE_OTHER, 1, *(int64_t *)deadline, 0};
    bool right = true;
    if (password_verify(SPAN("rawa teduh"), NULL, &turn, &right) == PROBLEM_NONE && !right)
        atomic_fetch_add(&done, 1);
    return NULL;
}

static void test_nobody_takes_no_place(void **state)
{
    pthread_t threads[100];
    char hash[PASSWORD_HASH_BYTES];
    int64_t deadline = clock_monotonic_ms() + 60000, began = clock_monotonic_us();
    (void)state;
    assert_int_equal(password_hash(SPAN("rawa teduh"), account, deadline, hash), PROBLEM_NONE);
    int64_t one_us = clock_monotonic_us() - began;
    atomic_store(&done, 0);
    began = clock_monotonic_us();
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, unknown, &deadline), 0);
    for (size_t i = 0; i < 100; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&done), 100);
    assert_true(clock_monotonic_us() - began < 25 * one_us);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_common),
        cmocka_unit_test(test_length),
        cmocka_unit_test(test_own_name),
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_one_form),
        cmocka_unit_test(test_at_most_so_many),
        cmocka_unit_test(test_nobody_takes_no_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
