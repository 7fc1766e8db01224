/* Every setting is one line of settings.def; parsing, --help, --check-config and the README's
 * table come from it. A setting is read from TPBIS_<NAME>; a secret also from the file
 * TPBIS_<NAME>_FILE. */
#ifndef BASE_SETTINGS_H
#define BASE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* SETTING_TEXT(field, default, secret, help)
 * SETTING_NUMBER(field, default, min, max, unit, help)
 * SETTING_CHOICE(field, default, "a|b|c", help)
 * The environment name is TPBIS_ and the field in upper case. */
struct settings {
#define SETTING_TEXT(field, initial, secret, help) const char *field;
#define SETTING_NUMBER(field, initial, min, max, unit, help) int64_t field;
#define SETTING_CHOICE(field, initial, choices, help) const char *field;
#include "api/base/settings.def"
#undef SETTING_TEXT
#undef SETTING_NUMBER
#undef SETTING_CHOICE
};

/* Reads the environment. Writes every fault (not the first) to `errors`, a line each, and returns
 * false if there was one. An unknown TPBIS_* variable is a fault. Strings live as long as the
 * process. */
bool settings_load(struct settings *ret_settings, FILE *errors);
void settings_print_help(FILE *out);                                    /* the table, plain text */
void settings_print_markdown(FILE *out);                                /* the README's table */
void settings_print_values(const struct settings *settings, FILE *out); /* secrets as "(set)" */

#endif
