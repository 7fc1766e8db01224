/* Settings from the environment and the settings file. Rule: the environment wins; a value of a secret is never printed, not in a fault either. */
#include "api/base/settings.h"

#include "api/base/arena.h"
#include "api/base/settings_file.h"
#include "api/base/span.h"
#include <ctype.h>
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "TPBIS_"
#define SETTINGS_FILE_VARIABLE PREFIX "SETTINGS_FILE"
#define SECRET_FILE_MAX 65536

extern char **environ;

/* What settings point to: reachable until the process ends, for a reader may still hold what a reload
 * replaced. */
static struct arena *texts;

enum kind { KIND_TEXT, KIND_NUMBER, KIND_CHOICE };
struct setting {
    const char *name;
    enum kind kind;
    size_t offset;    /* in struct settings */
    const char *text; /* the default of a text or choice */
    int64_t number, min, max;
    const char *unit, *choices, *help;
    bool secret, live;
};

static const struct setting table[] = {
#define ROW_TEXT(field, initial, secret_, help_, live_)                                            \
    {.name = #field,                                                                               \
     .kind = KIND_TEXT,                                                                            \
     .offset = offsetof(struct settings, field),                                                   \
     .text = initial,                                                                              \
     .secret = secret_,                                                                            \
     .help = help_,                                                                                \
     .live = live_},
#define ROW_NUMBER(field, initial, min_, max_, unit_, help_, live_)                                \
    {.name = #field,                                                                               \
     .kind = KIND_NUMBER,                                                                          \
     .offset = offsetof(struct settings, field),                                                   \
     .number = initial,                                                                            \
     .min = min_,                                                                                  \
     .max = max_,                                                                                  \
     .unit = unit_,                                                                                \
     .help = help_,                                                                                \
     .live = live_},
#define ROW_CHOICE(field, initial, choices_, help_, live_)                                         \
    {.name = #field,                                                                               \
     .kind = KIND_CHOICE,                                                                          \
     .offset = offsetof(struct settings, field),                                                   \
     .text = initial,                                                                              \
     .choices = choices_,                                                                          \
     .help = help_,                                                                                \
     .live = live_},
#define SETTING_TEXT(...) ROW_TEXT(__VA_ARGS__, false)
#define SETTING_NUMBER(...) ROW_NUMBER(__VA_ARGS__, false)
#define SETTING_CHOICE(...) ROW_CHOICE(__VA_ARGS__, false)
#define LIVE_TEXT(...) ROW_TEXT(__VA_ARGS__, true)
#define LIVE_NUMBER(...) ROW_NUMBER(__VA_ARGS__, true)
#define LIVE_CHOICE(...) ROW_CHOICE(__VA_ARGS__, true)
#include "api/base/settings.def"
#undef SETTING_TEXT
#undef SETTING_NUMBER
#undef SETTING_CHOICE
#undef LIVE_TEXT
#undef LIVE_NUMBER
#undef LIVE_CHOICE
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

/* A live one may be read by others meanwhile, so it is written and read in one piece. */
static void set_text(struct settings *settings, const struct setting *setting, const char *text)
{
    void *place = (char *)settings + setting->offset;
    if (setting->live)
        atomic_store((_Atomic(const char *) *)place, text);
    else
        memcpy(place, &text, sizeof text);
}

static void set_number(struct settings *settings, const struct setting *setting, int64_t number)
{
    void *place = (char *)settings + setting->offset;
    if (setting->live)
        atomic_store((_Atomic int64_t *)place, number);
    else
        memcpy(place, &number, sizeof number);
}

static const char *get_text(const struct settings *settings, const struct setting *setting)
{
    const char *text;
    const void *place = (const char *)settings + setting->offset;
    if (setting->live)
        return atomic_load((const _Atomic(const char *) *)place);
    memcpy(&text, place, sizeof text);
    return text;
}

static int64_t get_number(const struct settings *settings, const struct setting *setting)
{
    int64_t number;
    const void *place = (const char *)settings + setting->offset;
    if (setting->live)
        return atomic_load((const _Atomic int64_t *)place);
    memcpy(&number, place, sizeof number);
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

/* ---- the two sources ------------------------------------------------------------------------- */

/* Where a value came from, as a fault names it: "TPBIS_PORT", or "tpbis.conf:3: TPBIS_PORT". */
struct source_name {
    char text[1024];
};
struct found {
    const char *text; /* NULL: not there */
    struct source_name name;
};

static struct found find_in_environment(const char *variable)
{
    struct found found = {.text = getenv(variable)};
    snprintf(found.name.text, sizeof found.name.text, "%s", variable);
    return found;
}

static struct found find_in_file(const struct settings_file *file, const char *variable)
{
    struct found found = {.text = NULL};
    for (size_t i = 0; i < file->count; i++)
        if (strcmp(file->lines[i].name, variable) == 0) {
            found.text = file->lines[i].value;
            snprintf(found.name.text, sizeof found.name.text, "%s:%zu: %s", file->path,
                     file->lines[i].number, variable);
        }
    return found;
}

static struct found find(const struct settings_file *file, const char *variable)
{
    return file ? find_in_file(file, variable) : find_in_environment(variable);
}

/* Takes the setting from one source: from the environment when `file` is NULL. *ret_there tells whether
 * that source says anything of it. */
static bool load_from(struct settings *settings, const struct setting *setting,
                      const struct settings_file *file, bool *ret_there, FILE *errors)
{
    struct found value = find(file, variable_name(setting, "").text), path = {.text = NULL};
    if (setting->secret)
        path = find(file, variable_name(setting, "_FILE").text);
    *ret_there = value.text || path.text;
    if (value.text && path.text) {
        fprintf(errors, "%s and %s: set one of them, not both\n", value.name.text, path.name.text);
        return false;
    }
    if (value.text && setting->secret && file && file->open_to_all) {
        fprintf(errors, "%s: is a secret, and others may read this file; run chmod o-r on it\n",
                value.name.text);
        return false;
    }
    if (path.text) {
        char *secret = read_secret(path.name.text, path.text, errors);
        if (secret)
            set_text(settings, setting, secret);
        return secret != NULL;
    }
    return !value.text || apply(settings, setting, value.name.text, value.text, errors);
}

static bool load_one(struct settings *settings, const struct setting *setting,
                     const struct settings_file *file, FILE *errors)
{
    bool there;
    if (setting->kind == KIND_NUMBER)
        set_number(settings, setting, setting->number);
    else
        set_text(settings, setting, setting->text);
    bool good = load_from(settings, setting, NULL, &there, errors);
    return there || !good ? good : load_from(settings, setting, file, &there, errors);
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

static bool environment_known(FILE *errors)
{
    bool good = true;
    for (char **variable = environ; variable && *variable; variable++) {
        struct span name = {*variable, strcspn(*variable, "=")};
        if (span_starts(name, PREFIX) && !known_variable(name)) {
            fprintf(errors, "%.*s: there is no such setting\n", SPAN_ARG(name));
            good = false;
        }
    }
    return good;
}

/* The file may not name another one. */
static bool file_known(const struct settings_file *file, FILE *errors)
{
    bool good = true;
    for (size_t i = 0; i < file->count; i++)
        if (!known_variable(span_of(file->lines[i].name)) ||
            strcmp(file->lines[i].name, SETTINGS_FILE_VARIABLE) == 0) {
            fprintf(errors, "%s:%zu: %s: there is no such setting%s\n", file->path,
                    file->lines[i].number, file->lines[i].name,
                    known_variable(span_of(file->lines[i].name)) ? " in a file" : "");
            good = false;
        }
    return good;
}

bool settings_load(struct settings *ret_settings, FILE *errors)
{
    struct settings settings;
    struct settings_file file = {.path = getenv(SETTINGS_FILE_VARIABLE)};
    memset(&settings, 0, sizeof settings);
    if (!texts)
        texts = arena_new(1024);
    struct arena *arena = arena_new(4096);
    bool good = environment_known(errors);
    if (file.path && *file.path)
        good = settings_file_read(arena, file.path, &file, errors) && file_known(&file, errors) &&
               good;
    for (size_t i = 0; i < TABLE_COUNT; i++)
        good = load_one(&settings, &table[i], &file, errors) && good;
    *ret_settings = settings;
    arena_free(arena);
    return good;
}

void settings_apply(struct settings *settings, const struct settings *fresh,
                    void (*told)(const char *variable, bool live))
{
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        const struct setting *setting = &table[i];
        bool same = setting->kind == KIND_NUMBER
                        ? get_number(settings, setting) == get_number(fresh, setting)
                        : strcmp(get_text(settings, setting), get_text(fresh, setting)) == 0;
        if (same)
            continue;
        if (setting->live && setting->kind == KIND_NUMBER)
            set_number(settings, setting, get_number(fresh, setting));
        else if (setting->live)
            set_text(settings, setting, get_text(fresh, setting));
        told(variable_name(setting, "").text, setting->live);
    }
}

/* ---- telling --------------------------------------------------------------------------------- */

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
        fprintf(out, "  %s%s%s\n      %s; ", variable_name(&table[i], "").text,
                table[i].secret ? " (or _FILE)" : "", table[i].live ? " (live)" : "",
                table[i].help);
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
        fputs(table[i].live ? "; live |\n" : " |\n", out);
    }
}

/* A sentence of its own for what it takes. No help text begins with a dot or holds a backslash. */
void settings_print_mdoc(FILE *out)
{
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        fprintf(out, ".It Ev %s", variable_name(&table[i], "").text);
        if (table[i].secret)
            fprintf(out, " , %s", variable_name(&table[i], "_FILE").text);
        fprintf(out, "%s\n%s; ", table[i].live ? " Pq Em live" : "", table[i].help);
        print_range(&table[i], out);
        fputs("; default ", out);
        print_default(&table[i], out);
        fputs(".\n", out);
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
