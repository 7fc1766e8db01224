/* Log lines, caught from standard error and read back with jansson. */
#include "tests/unit/api/check.h"

#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/base/log.h"
#include "api/base/trail.h"

static FILE *caught;
static int saved;

static void catch_begin(void)
{
    fflush(stderr);
    caught = tmpfile();
    assert_non_null(caught);
    saved = dup(STDERR_FILENO);
    dup2(fileno(caught), STDERR_FILENO);
}

static void catch_end(void)
{
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(caught);
}

/* The next line as JSON, or NULL at the end; a line that is no JSON fails the test. */
static json_t *next_line(void)
{
    char line[65536];
    if (!fgets(line, sizeof line, caught))
        return NULL;
    assert_int_equal(line[strlen(line) - 1], '\n');
    json_t *read = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
    if (!read)
        fail_msg("no JSON: %s", line);
    return read;
}

static void writes_fields(void **state)
{
    (void)state;
    catch_begin();
    log_event(LOG_WARNING, "request", LOG_S("path", SPAN("/v1/\"x\"\n")), LOG_C("method", "GET"),
              LOG_I("status", -404), LOG_I("none", 0), LOG_I("least", INT64_MIN),
              LOG_I("most", INT64_MAX), LOG_S("client", SPAN_NONE),
              LOG_S("bad", SPAN("a\xFF"
                                "b\xE2\x82")));
    catch_end();
    json_t *line = next_line();
    assert_non_null(line);
    assert_string_equal(json_string_value(json_object_get(line, "level")), "warning");
    assert_string_equal(json_string_value(json_object_get(line, "event")), "request");
    assert_string_equal(json_string_value(json_object_get(line, "path")), "/v1/\"x\"\n");
    assert_string_equal(json_string_value(json_object_get(line, "method")), "GET");
    assert_int_equal(json_integer_value(json_object_get(line, "status")), -404);
    assert_int_equal(json_integer_value(json_object_get(line, "none")), 0);
    assert_int_equal(json_integer_value(json_object_get(line, "least")), INT64_MIN);
    assert_int_equal(json_integer_value(json_object_get(line, "most")), INT64_MAX);
    assert_true(json_is_null(json_object_get(line, "client")));
    assert_string_equal(json_string_value(json_object_get(line, "bad")),
                        "a\xEF\xBF\xBD"
                        "b\xEF\xBF\xBD\xEF\xBF\xBD");
    assert_int_equal(strlen(json_string_value(json_object_get(line, "time"))), 24);
    json_decref(line);
    assert_null(next_line());
    fclose(caught);
}

static void check_text(const json_t *line, const char *name, const char *expected)
{
    const json_t *member = json_object_get(line, name);
    assert_true(expected ? json_is_string(member) : json_is_null(member));
    if (expected)
        assert_string_equal(json_string_value(member), expected);
}

/* Of a request its id; of security the network too, and null where there is no request. */
static void tells_the_request(void **state)
{
    (void)state;
    const struct trail trail = {SPAN("r-1"), SPAN("theirs"), "192.0.2.0/24"};
    catch_begin();
    trail_set(&trail);
    log_event(LOG_WARNING, "plain", LOG_I("n", 1));
    log_security(LOG_WARNING, "login", LOG_I("n", 2));
    trail_set(NULL);
    log_event(LOG_WARNING, "plain", LOG_I("n", 3));
    log_security(LOG_WARNING, "login", LOG_I("n", 4));
    catch_end();
    json_t *lines[4];
    for (int i = 0; i < 4; i++)
        assert_non_null(lines[i] = next_line());
    check_text(lines[0], "request_id", "r-1");
    assert_null(json_object_get(lines[0], "network"));
    check_text(lines[1], "request_id", "r-1");
    check_text(lines[1], "network", "192.0.2.0/24");
    assert_null(json_object_get(lines[2], "request_id"));
    check_text(lines[3], "request_id", NULL);
    check_text(lines[3], "network", NULL);
    for (int i = 0; i < 4; i++)
        json_decref(lines[i]);
    fclose(caught);
}

static void keeps_the_level(void **state)
{
    (void)state;
    catch_begin();
    log_event(LOG_DEBUG, "hidden", LOG_I("n", 1)); /* info is the level at start */
    log_level_set(LOG_DEBUG);
    log_event(LOG_DEBUG, "shown", LOG_I("n", 2));
    log_level_set(LOG_ERROR);
    log_event(LOG_WARNING, "hidden", LOG_I("n", 3));
    log_fields(LOG_ERROR, "bare", false, NULL, 0);
    log_level_set(LOG_INFO);
    catch_end();
    static const char *const events[] = {"shown", "bare"};
    for (int i = 0; i < 2; i++) {
        json_t *line = next_line();
        assert_non_null(line);
        assert_string_equal(json_string_value(json_object_get(line, "event")), events[i]);
        json_decref(line);
    }
    assert_null(next_line());
    fclose(caught);
}

static void *log_much(void *name)
{
    char text[3000];
    memset(text, 'x', sizeof text);
    for (int i = 0; i < 200; i++)
        log_event(LOG_INFO, "much", LOG_C("thread", (const char *)name),
                  LOG_S("text", ((struct span){text, sizeof text})));
    return NULL;
}

static void threads_do_not_mix(void **state)
{
    (void)state;
    char *names[] = {"a", "b", "c", "d"};
    pthread_t threads[4];
    catch_begin();
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, log_much, names[i]), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    catch_end();
    int count = 0;
    for (json_t *line; (line = next_line()); count++)
        json_decref(line);
    assert_int_equal(count, 800);
    fclose(caught);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_fields),
        cmocka_unit_test(tells_the_request),
        cmocka_unit_test(keeps_the_level),
        cmocka_unit_test(threads_do_not_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
