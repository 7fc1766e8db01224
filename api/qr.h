/* QR codes for the pages. */
#ifndef API_QR_H
#define API_QR_H

#include <stdbool.h>

#include "api/base/buffer.h"

/* Appends an inline SVG image of `text` (error correction M, a quiet zone of four modules, dark on white in any colour scheme), which
 * is read out as `label`. False, and nothing appended, when the text is too long. */
bool qr_print(struct buffer *out, const char *text, const char *label);

#endif
