/* The settings file: what a line may be, that every fault has its line, and who wins. */
#include "tests/unit/api/check.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/base/settings.h"

extern char **environ;

static char path[64];

static int setup(void **state)
{
    (void)state;
    for (char **variable = environ; *variable;) {
        char name[128];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(*variable, "="), *variable);
        if (strncmp(name, "TPBIS_", 6) == 0) {
            unsetenv(name);
            variable = environ;
        } else {
            variable++;
        }
    }
    strcpy(path, "/tmp/settings_file_test_XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    setenv("TPBIS_SETTINGS_FILE", path, 1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

static bool load_text(const char *text, struct settings *settings, char **ret_errors)
{
    size_t len;
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    FILE *errors = open_memstream(ret_errors, &len);
    bool good = settings_load(settings, errors);
    fclose(errors);
    return good;
}

static void values(void **state)
{
    (void)state;
    struct settings settings;
    char *errors;
    assert_true(
        load_text("# a comment\n; another\n\n  TPBIS_PORT = 9000 \r\n"
                  "TPBIS_AUDIENCE=\"two words # no comment\"\nTPBIS_CORS_ORIGINS='https://a'\n"
                  "TPBIS_BASE_URL=\nTPBIS_DATABASE_URL=postgresql://h/d?a=b\n"
                  "TPBIS_LOG_LEVEL=error",
                  &settings, &errors));
    assert_string_equal(errors, "");
    assert_int_equal(settings.port, 9000);
    assert_string_equal(settings.audience, "two words # no comment");
    assert_string_equal(settings.cors_origins, "https://a");
    assert_string_equal(settings.base_url, "");
    assert_string_equal(settings.database_url, "postgresql://h/d?a=b");
    assert_string_equal(settings.log_level, "error"); /* no line end behind it */
    assert_int_equal(settings.pool_size, 12);
    free(errors);
}

static void the_environment_wins(void **state)
{
    (void)state;
    struct settings settings;
    char *errors;
    setenv("TPBIS_PORT", "9100", 1);
    setenv("TPBIS_DATABASE_URL", "postgresql://environment", 1);
    assert_true(load_text("TPBIS_PORT=9000\nTPBIS_DATABASE_URL_FILE=/nowhere\nTPBIS_POOL_SIZE=7\n",
                          &settings, &errors));
    assert_int_equal(settings.port, 9100);
    assert_string_equal(settings.database_url, "postgresql://environment");
    assert_int_equal(settings.pool_size, 7);
    free(errors);
}

static void every_fault_has_its_line(void **state)
{
    (void)state;
    static const char text[] = "TPBIS_PORT=eighty\n"               /* 1 */
                               "no equals sign hush\n"             /* 2 */
                               "TPBIS_PROT=1\n"                    /* 3 */
                               "PGHOST=x\n"                        /* 4 */
                               "TPBIS_POOL_SIZE=1\n"               /* 5 */
                               "TPBIS_SETTINGS_FILE=/etc/hosts\n"; /* 6 */
    static const char broken[] = "=x\n"                            /* 1 */
                                 "export TPBIS_PORT=1\n"           /* 2 */
                                 "TPBIS_PORT=\"8080\n"             /* 3 */
                                 "TPBIS_AUDIENCE=a\\b\n"           /* 4 */
                                 "TPBIS_POOL_SIZE=1\n"             /* 5 */
                                 "TPBIS_POOL_SIZE=hush\n"          /* 6 */
                                 "TPBIS_AUDIENCE='a'hush'\n";      /* 7 */
    struct settings settings;
    char *errors;
    assert_false(load_text(broken, &settings, &errors));
    for (int line = 1; line <= 7; line++) {
        char place[96];
        snprintf(place, sizeof place, "%s:%d: ", path, line);
        assert_int_equal(strstr(errors, place) != NULL, line != 5);
    }
    assert_non_null(strstr(errors, ":6: TPBIS_POOL_SIZE is set in line 5 already"));
    assert_null(strstr(errors, "hush")); /* perhaps a secret */
    free(errors);

    assert_false(
        load_text("TPBIS_PORT=eighty\nTPBIS_PROT=1\nPGHOST=x\nTPBIS_SETTINGS_FILE=/etc/hosts\n",
                  &settings, &errors));
    assert_non_null(strstr(errors, ":1: TPBIS_PORT: must be a whole number"));
    assert_non_null(strstr(errors, ":2: TPBIS_PROT: there is no such setting"));
    assert_non_null(strstr(errors, ":3: PGHOST: there is no such setting"));
    assert_non_null(strstr(errors, ":4: TPBIS_SETTINGS_FILE: there is no such setting in a file"));
    free(errors);
    assert_false(load_text(text, &settings, &errors));
    assert_non_null(strstr(errors, ":2: is not NAME=value\n"));
    free(errors);
}

static void a_file_that_is_none(void **state)
{
    (void)state;
    struct settings settings;
    char *errors;
    size_t len;
    const char *const names[] = {"/nowhere/at/all", "/dev/zero", "/tmp"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        setenv("TPBIS_SETTINGS_FILE", names[i], 1);
        FILE *stream = open_memstream(&errors, &len);
        assert_false(settings_load(&settings, stream));
        fclose(stream);
        assert_non_null(strstr(errors, names[i]));
        free(errors);
    }
    setenv("TPBIS_SETTINGS_FILE", "", 1); /* as if it were not set */
    FILE *stream = open_memstream(&errors, &len);
    assert_true(settings_load(&settings, stream));
    fclose(stream);
    free(errors);
}

static void a_secret_for_all_to_read(void **state)
{
    (void)state;
    struct settings settings;
    char *errors;
    chmod(path, 0644);
    assert_false(load_text("TPBIS_DATABASE_URL=postgresql://u:hush@h/d\n", &settings, &errors));
    assert_non_null(strstr(errors, ":1: TPBIS_DATABASE_URL: is a secret"));
    assert_null(strstr(errors, "hush"));
    free(errors);
    assert_true(load_text("TPBIS_PORT=8181\n", &settings, &errors)); /* no secret in it */
    free(errors);
    chmod(path, 0640);
    assert_true(load_text("TPBIS_DATABASE_URL=postgresql://u:hush@h/d\n", &settings, &errors));
    free(errors);
}

static struct {
    char text[512];
} said;

static void told(const char *variable, bool live)
{
    size_t len = strlen(said.text);
    snprintf(said.text + len, sizeof said.text - len, "%s %s\n", variable,
             live ? "live" : "restart");
}

static void applying(void **state)
{
    (void)state;
    struct settings settings, fresh;
    char *errors;
    assert_true(load_text("TPBIS_PORT=9000\n", &settings, &errors));
    free(errors);
    assert_true(load_text("TPBIS_PORT=9001\nTPBIS_LOG_LEVEL=debug\nTPBIS_STREAM_LIMIT=3\n"
                          "TPBIS_CORS_ORIGINS=https://b\nTPBIS_AUDIENCE=other\n",
                          &fresh, &errors));
    free(errors);
    said.text[0] = '\0';
    settings_apply(&settings, &fresh, told);
    assert_non_null(strstr(said.text, "TPBIS_PORT restart\n"));
    assert_non_null(strstr(said.text, "TPBIS_AUDIENCE restart\n"));
    assert_non_null(strstr(said.text, "TPBIS_LOG_LEVEL live\n"));
    assert_non_null(strstr(said.text, "TPBIS_STREAM_LIMIT live\n"));
    assert_non_null(strstr(said.text, "TPBIS_CORS_ORIGINS live\n"));
    assert_int_equal(settings.port, 9000);
    assert_string_equal(settings.audience, "tpbis-api");
    assert_string_equal(settings.log_level, "debug");
    assert_int_equal(settings.stream_limit, 3);
    assert_string_equal(settings.cors_origins, "https://b");
    said.text[0] = '\0';
    settings_apply(&settings, &settings, told);
    assert_string_equal(said.text, "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(values),
        TEST(the_environment_wins),
        TEST(every_fault_has_its_line),
        TEST(a_file_that_is_none),
        TEST(a_secret_for_all_to_read),
        TEST(applying),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
