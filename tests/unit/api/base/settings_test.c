/* Settings from the environment: defaults, strictness, every fault named, secrets never shown. */
#include "tests/unit/api/check.h"

#include <stdlib.h>
#include <unistd.h>

#include "api/base/settings.h"

extern char **environ;

/* Text that a function wrote to a stream; the caller frees it. */
struct output {
    char *text;
    size_t len;
    FILE *stream;
};

static struct output *output_open(struct output *output)
{
    *output = (struct output){0};
    output->stream = open_memstream(&output->text, &output->len);
    assert_non_null(output->stream);
    return output;
}

static int clear_environment(void **state)
{
    (void)state;
    for (char **variable = environ; *variable;) {
        if (strncmp(*variable, "TPBIS_", 6) == 0) {
            char name[128];
            snprintf(name, sizeof name, "%.*s", (int)strcspn(*variable, "="), *variable);
            unsetenv(name);
            variable = environ;
        } else {
            variable++;
        }
    }
    return 0;
}

static bool load(struct settings *settings, char **ret_errors)
{
    struct output output;
    bool good = settings_load(settings, output_open(&output)->stream);
    fclose(output.stream);
    *ret_errors = output.text;
    return good;
}

static void defaults(void **state)
{
    (void)state;
    struct settings settings;
    char *errors;
    assert_true(load(&settings, &errors));
    assert_string_equal(errors, "");
    assert_string_equal(settings.listen_address, "127.0.0.1");
    assert_int_equal(settings.port, 8080);
    assert_string_equal(settings.log_level, "info");
    assert_string_equal(settings.database_url, "");
    free(errors);
}

static void values(void **state)
{
    (void)state;
    struct settings settings;
    char *errors;
    setenv("TPBIS_PORT", "65535", 1);
    setenv("TPBIS_LOG_LEVEL", "debug", 1);
    setenv("TPBIS_LISTEN_ADDRESS", "::1", 1);
    setenv("TPBIS_DATABASE_URL", "postgresql://x", 1);
    setenv("TPBIS_DRAIN_TIMEOUT_S", "0", 1);
    assert_true(load(&settings, &errors));
    assert_int_equal(settings.port, 65535);
    assert_string_equal(settings.log_level, "debug");
    assert_string_equal(settings.listen_address, "::1");
    assert_string_equal(settings.database_url, "postgresql://x");
    assert_int_equal(settings.drain_timeout_s, 0);
    free(errors);
}

static void strict_numbers_and_choices(void **state)
{
    (void)state;
    static const char *const bad_ports[] = {"",    "0",    "65536", "-1",
                                            "+80", " 80",  "80 ",   "080",
                                            "8o",  "80.0", "0x50",  "99999999999999999999"};
    static const char *const bad_levels[] = {"", "INFO", "inf", "info|debug", "infos", "|"};
    struct settings settings = {.port = 7};
    char *errors;
    for (size_t i = 0; i < sizeof bad_ports / sizeof *bad_ports; i++) {
        setenv("TPBIS_PORT", bad_ports[i], 1);
        if (load(&settings, &errors))
            fail_msg("took the port \"%s\"", bad_ports[i]);
        assert_non_null(strstr(errors, "TPBIS_PORT: must be a whole number from 1 to 65535"));
        free(errors);
    }
    unsetenv("TPBIS_PORT");
    for (size_t i = 0; i < sizeof bad_levels / sizeof *bad_levels; i++) {
        setenv("TPBIS_LOG_LEVEL", bad_levels[i], 1);
        if (load(&settings, &errors))
            fail_msg("took the level \"%s\"", bad_levels[i]);
        free(errors);
    }
    assert_string_equal(settings.log_level, "info"); /* what had a fault is at its default */
}

static void reports_every_fault(void **state)
{
    (void)state;
    struct settings settings;
    char *errors;
    setenv("TPBIS_PORT", "none", 1);
    setenv("TPBIS_POOL_SIZE", "0", 1);
    setenv("TPBIS_PROT", "8080", 1);
    setenv("TPBIS_PORT_FILE", "/etc/hostname", 1); /* not a secret */
    assert_false(load(&settings, &errors));
    assert_non_null(strstr(errors, "TPBIS_PORT: "));
    assert_non_null(strstr(errors, "TPBIS_POOL_SIZE: "));
    assert_non_null(strstr(errors, "TPBIS_PROT: there is no such setting"));
    assert_non_null(strstr(errors, "TPBIS_PORT_FILE: there is no such setting"));
    size_t lines = 0;
    for (const char *at = errors; (at = strchr(at, '\n')); at++)
        lines++;
    assert_int_equal(lines, 4);
    free(errors);
}

static void write_file(char *path, const void *bytes, size_t len)
{
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, bytes, len), len);
    close(file);
}

static void secrets_from_files(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        const char *value; /* NULL: a fault */
    } rows[] = {
        {"postgresql://file\n", 18, "postgresql://file"},
        {"postgresql://file\r\n", 19, "postgresql://file"},
        {"two\n\n", 5, "two\n"}, /* one line end alone */
        {"plain", 5, "plain"},
        {"", 0, NULL},
        {"\n", 1, NULL},
        {"a\0b", 3, NULL},
    };
    struct settings settings;
    char *errors;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char path[] = "/tmp/settings_test_XXXXXX";
        write_file(path, rows[i].bytes, rows[i].len);
        setenv("TPBIS_DATABASE_URL_FILE", path, 1);
        assert_int_equal(load(&settings, &errors), rows[i].value != NULL);
        if (rows[i].value)
            assert_string_equal(settings.database_url, rows[i].value);
        else
            assert_non_null(strstr(errors, "TPBIS_DATABASE_URL_FILE: "));
        free(errors);
        unlink(path);
    }
    assert_false(load(&settings, &errors)); /* the file is gone */
    assert_non_null(strstr(errors, "No such file"));
    free(errors);
    setenv("TPBIS_DATABASE_URL", "", 1);
    assert_false(load(&settings, &errors));
    assert_non_null(strstr(errors, "not both"));
    free(errors);
}

static void too_large_a_secret(void **state)
{
    (void)state;
    struct settings settings;
    char *errors;
    setenv("TPBIS_DATABASE_URL_FILE", "/dev/zero", 1);
    assert_false(load(&settings, &errors));
    assert_non_null(strstr(errors, "too large"));
    free(errors);
}

static void prints(void **state)
{
    (void)state;
    struct settings settings;
    struct output output;
    char *errors;
    setenv("TPBIS_DATABASE_URL", "postgresql://u:hush@h/d", 1);
    assert_true(load(&settings, &errors));
    free(errors);
    settings_print_values(&settings, output_open(&output)->stream);
    fclose(output.stream);
    assert_null(strstr(output.text, "hush"));
    assert_non_null(strstr(output.text, "TPBIS_DATABASE_URL=(set)\n"));
    assert_non_null(strstr(output.text, "TPBIS_OWNER_DATABASE_URL=\n"));
    assert_non_null(strstr(output.text, "TPBIS_PORT=8080\n"));
    free(output.text);

    settings_print_help(output_open(&output)->stream);
    settings_print_markdown(output.stream);
    fclose(output.stream);
    assert_non_null(strstr(
        output.text, "  TPBIS_PORT\n      TCP port to listen on; 1 to 65535; default 8080\n"));
    assert_non_null(
        strstr(output.text, "| `TPBIS_PORT` | 1 to 65535 | 8080 | TCP port to listen on |\n"));
    assert_non_null(strstr(output.text, "debug, info, warning, error"));
    assert_non_null(strstr(output.text, "`TPBIS_DATABASE_URL_FILE`"));
    free(output.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(defaults, clear_environment),
        cmocka_unit_test_setup(values, clear_environment),
        cmocka_unit_test_setup(strict_numbers_and_choices, clear_environment),
        cmocka_unit_test_setup(reports_every_fault, clear_environment),
        cmocka_unit_test_setup(secrets_from_files, clear_environment),
        cmocka_unit_test_setup(too_large_a_secret, clear_environment),
        cmocka_unit_test_setup(prints, clear_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
