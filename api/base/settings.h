/* Every setting is one line of settings.def; parsing, --help, --check-config and the README's
 * table come from it. A setting is read from TPBIS_<NAME>; a secret also from the file
 * TPBIS_<NAME>_FILE. What the environment does not say may stand in the file that TPBIS_SETTINGS_FILE
 * names. */
#ifndef BASE_SETTINGS_H
#define BASE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* SETTING_TEXT(field, default, secret, help)
 * SETTING_NUMBER(field, default, min, max, unit, help)
 * SETTING_CHOICE(field, default, "a|b|c", help)
 * LIVE_TEXT, LIVE_NUMBER, LIVE_CHOICE: the same, and a reload puts a changed value in force at once;
 * each is read where it is used, never copied. A SETTING_ keeps its value until a restart.
 * The environment name is TPBIS_ and the field in upper case. */
struct settings {
#define LIVE_TEXT(field, initial, secret, help) _Atomic(const char *) field;
#define LIVE_NUMBER(field, initial, min, max, unit, help) _Atomic int64_t field;
#define LIVE_CHOICE(field, initial, choices, help) _Atomic(const char *) field;
#define SETTING_TEXT(field, initial, secret, help) const char *field;
#define SETTING_NUMBER(field, initial, min, max, unit, help) int64_t field;
#define SETTING_CHOICE(field, initial, choices, help) const char *field;
#include "api/base/settings.def"
#undef SETTING_TEXT
#undef SETTING_NUMBER
#undef SETTING_CHOICE
#undef LIVE_TEXT
#undef LIVE_NUMBER
#undef LIVE_CHOICE
};

/* Reads the environment, then the settings file for what the environment leaves open. Writes every
 * fault (not the first) to `errors`, a line each, and returns false if there was one; what had a fault is then at its default. An unknown
 * TPBIS_* variable is a fault. Strings live as long as the process. One caller at a time. */
bool settings_load(struct settings *ret_settings, FILE *errors);
/* Puts what differs in `fresh` in force where that can be done while other threads read, and tells of
 * each difference: `live` false means that it waits for a restart. */
void settings_apply(struct settings *settings, const struct settings *fresh,
                    void (*told)(const char *variable, bool live));

void settings_print_help(FILE *out);                                    /* the table, plain text */
void settings_print_markdown(FILE *out);                                /* the README's table */
void settings_print_mdoc(FILE *out);                                    /* the manual page's list */
void settings_print_values(const struct settings *settings, FILE *out); /* secrets as "(set)" */

#endif
