/* The key of the second factor's secrets, as a file. */
#include "auth/factor_key.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/api/check.h"

static void test_it_is_made_once_and_never_changes(void **state)
{
    (void)state;
    char parent[] = "/tmp/tpbis-factor-XXXXXX", directory[64], file[96];
    struct factor_key first, again;
    assert_non_null(mkdtemp(parent));
    snprintf(directory, sizeof directory, "%s/keys", parent);
    snprintf(file, sizeof file, "%s/%s", directory, FACTOR_KEY_FILE);
    assert_false(factor_key_read(directory, &first));
    assert_true(factor_key_create(directory, stderr));
    assert_true(factor_key_read(directory, &first));
    assert_int_equal(strlen(first.id), FACTOR_KEY_ID_LENGTH);
    assert_true(factor_key_create(directory, stderr));
    assert_true(factor_key_read(directory, &again));
    assert_memory_equal(first.bytes, again.bytes, sizeof first.bytes);
    assert_string_equal(first.id, again.id);

    struct stat info;
    assert_int_equal(stat(file, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(chmod(file, 0640), 0);
    assert_false(factor_key_read(directory, &again));
    assert_int_equal(chmod(file, 0600), 0);
    assert_int_equal(truncate(file, SEAL_KEY_BYTES - 1), 0);
    assert_false(factor_key_read(directory, &again));
    unlink(file);
    rmdir(directory);
    rmdir(parent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_it_is_made_once_and_never_changes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
