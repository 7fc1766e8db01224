/* Settings from the environment. A value of a secret is never printed, not in a fault either. */
#include "api/base/settings.h"

#include "api/base/arena.h"
#include "api/base/span.h"
#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "TPBIS_"
#define SECRET_FILE_MAX 65536

extern char **environ;

/* What settings point to: reachable until the process ends. Loading happens before the first
 * thread. */
static struct arena *texts;

enum kind { KIND_TEXT, KIND_NUMBER, KIND_CHOICE };
struct setting {
    const char *name;
    enum kind kind;
    size_t offset;    /* in struct settings */
    const char *text; /* the default of a text or choice */
    int64_t number, min, max;
    const char *unit, *choices, *help;
    bool secret;
};

static const struct setting table[] = {
#define SETTING_TEXT(field, initial, secret_, help_)                                               \
    {.name = #field,                                                                               \
     .kind = KIND_TEXT,                                                                            \
     .offset = offsetof(struct settings, field),                                                   \
     .text = initial,                                                                              \
     .secret = secret_,                                                                            \
     .help = help_},
#define SETTING_NUMBER(field, initial, min_, max_, unit_, help_)                                   \
    {.name = #field,                                                                               \
     .kind = KIND_NUMBER,                                                                          \
     .offset = offsetof(struct settings, field),                                                   \
     .number = initial,                                                                            \
     .min = min_,                                                                                  \
     .max = max_,                                                                                  \
     .unit = unit_,                                                                                \
     .help = help_},
#define SETTING_CHOICE(field, initial, choices_, help_)                                            \
    {.name = #field,                                                                               \
     .kind = KIND_CHOICE,                                                                          \
     .offset = offsetof(struct settings, field),                                                   \
     .text = initial,                                                                              \
     .choices = choices_,                                                                          \
     .help = help_},
#include "api/base/settings.def"
#undef SETTING_TEXT
#undef SETTING_NUMBER
#undef SETTING_CHOICE
};
#define TABLE_COUNT (sizeof table / sizeof *table)

#define NAME_MAX_BYTES 80
struct name {
    char text[NAME_MAX_BYTES];
};

static struct name variable_name(const struct setting *setting, const char *suffix)
{
    struct name name;
    int len = snprintf(name.text, sizeof name.text, PREFIX "%s%s", setting->name, suffix);
    for (int i = 0; i < len && i < NAME_MAX_BYTES; i++)
        name.text[i] = (char)toupper((unsigned char)name.text[i]);
    return name;
}

static void set_text(struct settings *settings, const struct setting *setting, const char *text)
{
    memcpy((char *)settings + setting->offset, &text, sizeof text);
}

static void set_number(struct settings *settings, const struct setting *setting, int64_t number)
{
    memcpy((char *)settings + setting->offset, &number, sizeof number);
}

static const char *get_text(const struct settings *settings, const struct setting *setting)
{
    const char *text;
    memcpy(&text, (const char *)settings + setting->offset, sizeof text);
    return text;
}

static int64_t get_number(const struct settings *settings, const struct setting *setting)
{
    int64_t number;
    memcpy(&number, (const char *)settings + setting->offset, sizeof number);
    return number;
}

/* Digits, perhaps after a minus: no sign, space, leading zero or unit is taken for granted. */
static bool parse_number(const char *text, int64_t *ret_number)
{
    const char *digits = text[0] == '-' ? text + 1 : text;
    size_t len = strlen(digits);
    if (len == 0 || strspn(digits, "0123456789") != len || (digits[0] == '0' && len > 1))
        return false;
    errno = 0;
    long long number = strtoll(text, NULL, 10);
    if (errno)
        return false;
    *ret_number = number;
    return true;
}

static bool choice_allowed(const char *choices, const char *text)
{
    size_t len = strlen(text);
    for (const char *at = choices; at; at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL)
        if (len && strcspn(at, "|") == len && strncmp(at, text, len) == 0)
            return true;
    return false;
}

/* The content without its last line end, or NULL after having said why. */
static char *read_secret(const char *variable, const char *path, FILE *errors)
{
    FILE *file = fopen(path, "re");
    if (!file) {
        fprintf(errors, "%s: cannot read %s: %s\n", variable, path, strerror(errno));
        return NULL;
    }
    char *text = memory_alloc(SECRET_FILE_MAX + 2);
    size_t len = fread(text, 1, SECRET_FILE_MAX + 1, file);
    const char *fault = NULL;
    if (ferror(file))
        fault = "cannot be read";
    else if (len > SECRET_FILE_MAX)
        fault = "is too large";
    else if (memchr(text, '\0', len))
        fault = "holds a NUL byte";
    fclose(file);
    if (!fault) {
        if (len && text[len - 1] == '\n')
            len--;
        if (len && text[len - 1] == '\r')
            len--;
        if (!len)
            fault = "is empty";
    }
    char *secret = NULL;
    if (fault)
        fprintf(errors, "%s: %s %s\n", variable, path, fault);
    else
        secret = arena_cstr(texts, (struct span){text, len});
    free(text);
    return secret;
}

static bool apply(struct settings *settings, const struct setting *setting, const char *variable,
                  const char *text, FILE *errors)
{
    int64_t number;
    switch (setting->kind) {
    case KIND_TEXT:
        set_text(settings, setting, arena_cstr(texts, span_of(text)));
        return true;
    case KIND_NUMBER:
        if (parse_number(text, &number) && number >= setting->min && number <= setting->max) {
            set_number(settings, setting, number);
            return true;
        }
        fprintf(errors, "%s: must be a whole number from %lld to %lld, not \"%s\"\n", variable,
                (long long)setting->min, (long long)setting->max, text);
        return false;
    case KIND_CHOICE:
        if (choice_allowed(setting->choices, text)) {
            set_text(settings, setting, arena_cstr(texts, span_of(text)));
            return true;
        }
        fprintf(errors, "%s: must be one of %s, not \"%s\"\n", variable, setting->choices, text);
        return false;
    }
    return false;
}

static bool load_one(struct settings *settings, const struct setting *setting, FILE *errors)
{
    if (setting->kind == KIND_NUMBER)
        set_number(settings, setting, setting->number);
    else
        set_text(settings, setting, setting->text);

    struct name variable = variable_name(setting, ""), file = variable_name(setting, "_FILE");
    const char *text = getenv(variable.text);
    const char *path = setting->secret ? getenv(file.text) : NULL;
    if (text && path) {
        fprintf(errors, "%s and %s: set one of them, not both\n", variable.text, file.text);
        return false;
    }
    if (path) {
        char *secret = read_secret(file.text, path, errors);
        if (secret)
            set_text(settings, setting, secret);
        return secret != NULL;
    }
    return !text || apply(settings, setting, variable.text, text, errors);
}

static bool known_variable(struct span name)
{
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        if (span_is(name, variable_name(&table[i], "").text))
            return true;
        if (table[i].secret && span_is(name, variable_name(&table[i], "_FILE").text))
            return true;
    }
    return false;
}

bool settings_load(struct settings *ret_settings, FILE *errors)
{
    struct settings settings;
    memset(&settings, 0, sizeof settings);
    bool good = true;
    if (!texts)
        texts = arena_new(1024);
    for (char **variable = environ; variable && *variable; variable++) {
        struct span name = {*variable, strcspn(*variable, "=")};
        if (span_starts(name, PREFIX) && !known_variable(name)) {
            fprintf(errors, "%.*s: there is no such setting\n", SPAN_ARG(name));
            good = false;
        }
    }
    for (size_t i = 0; i < TABLE_COUNT; i++)
        good = load_one(&settings, &table[i], errors) && good;
    if (good)
        *ret_settings = settings;
    return good;
}

static void print_range(const struct setting *setting, FILE *out)
{
    if (setting->kind == KIND_NUMBER)
        fprintf(out, "%lld to %lld%s%s", (long long)setting->min, (long long)setting->max,
                setting->unit[0] ? " " : "", setting->unit);
    else if (setting->kind == KIND_CHOICE)
        for (const char *at = setting->choices; *at; at++)
            fputs(*at == '|' ? ", " : (char[]){*at, '\0'}, out);
    else
        fputs(setting->secret ? "text (secret)" : "text", out);
}

static void print_default(const struct setting *setting, FILE *out)
{
    if (setting->kind == KIND_NUMBER)
        fprintf(out, "%lld", (long long)setting->number);
    else
        fputs(setting->text[0] ? setting->text : "empty", out);
}

void settings_print_help(FILE *out)
{
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        fprintf(out, "  %s%s\n      %s; ", variable_name(&table[i], "").text,
                table[i].secret ? " (or _FILE)" : "", table[i].help);
        print_range(&table[i], out);
        fputs("; default ", out);
        print_default(&table[i], out);
        fputc('\n', out);
    }
}

static void print_cell(const char *text, FILE *out)
{
    for (; *text; text++) {
        if (*text == '|' || *text == '<')
            fputc('\\', out);
        fputc(*text, out);
    }
}

void settings_print_markdown(FILE *out)
{
    fputs("| variable | values | default | what |\n| --- | --- | --- | --- |\n", out);
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        fprintf(out, "| `%s` | ", variable_name(&table[i], "").text);
        print_range(&table[i], out);
        fputs(" | ", out);
        print_default(&table[i], out);
        fputs(" | ", out);
        print_cell(table[i].help, out);
        if (table[i].secret)
            fprintf(out, "; or the file named by `%s`", variable_name(&table[i], "_FILE").text);
        fputs(" |\n", out);
    }
}

void settings_print_values(const struct settings *settings, FILE *out)
{
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        fprintf(out, "%s=", variable_name(&table[i], "").text);
        if (table[i].kind == KIND_NUMBER)
            fprintf(out, "%lld\n", (long long)get_number(settings, &table[i]));
        else if (table[i].secret)
            fputs(get_text(settings, &table[i])[0] ? "(set)\n" : "\n", out);
        else
            fprintf(out, "%s\n", get_text(settings, &table[i]));
    }
}
