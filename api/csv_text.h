/* A text as one field of CSV that no spreadsheet runs. A field is safe whichever separator the file is read with: a
 * spreadsheet that parts cells elsewhere than the writer meant makes cells of the text's pieces, which begin at its
 * beginning and behind each comma, semicolon, tab and line end, quoted or not. A piece that begins with = + - @ (or a
 * full-width, small or mathematical form of these), perhaps behind blanks, quotes and apostrophes, gets an apostrophe
 * before it, and so does a text that begins with a tab or a line end. Taking the first apostrophe off each such piece
 * gives the text back (OWASP, CSV Injection). */
#ifndef API_CSV_TEXT_H
#define API_CSV_TEXT_H

#include "api/base/buffer.h"

struct csv_form {
    char separator; /* ',' or ';'; with ';' numbers have a decimal comma */
    bool people;    /* a byte order mark, and a tab before text that would become a number */
};

/* Quoted where RFC 4180 asks for it, and for people where any separator stands. An empty text is "". `plain`: nothing a
 * spreadsheet could take for something else and be wrong (a date, a UUID), so it never gets the tab. */
void csv_text_add(struct buffer *buffer, const struct csv_form *form, struct span text, bool plain);

/* JSON stays JSON of the same value: a character that would begin a formula is written as its escape. */
void csv_json_add(struct buffer *buffer, const struct csv_form *form, struct span json);

#endif
