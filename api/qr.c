/* The only file that includes qrencode.h. Rule: an image is part of the page, so that the page's policy stays "nothing is loaded". */
#include "api/qr.h"

#include <qrencode.h>

#include "api/html.h"

#define QUIET 4 /* ISO/IEC 18004 6.3.8 */

/* One rectangle for each run of dark modules in a row. */
static void rows_print(struct buffer *out, const QRcode *code)
{
    for (int y = 0; y < code->width; y++) {
        const unsigned char *row = code->data + y * code->width;
        for (int x = 0; x < code->width; x++) {
            int begin = x;
            while (x < code->width && (row[x] & 1))
                x++;
            if (x > begin)
                buffer_printf(out, "M%d %dh%dv1h-%dz", begin + QUIET, y + QUIET, x - begin,
                              x - begin);
        }
    }
}

bool qr_print(struct buffer *out, const char *text, const char *label)
{
    QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
    if (!code)
        return false;
    int size = code->width + 2 * QUIET;
    buffer_printf(out,
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\" "
                  "shape-rendering=\"crispEdges\"",
                  size, size);
    html_print(out, " aria-label=\"%s\">", label);
    buffer_printf(out, "<path fill=\"#fff\" d=\"M0 0h%dv%dH0z\"/><path fill=\"#000\" d=\"", size,
                  size);
    rows_print(out, code);
    BUFFER_LITERAL(out, "\"/></svg>\n");
    QRcode_free(code);
    return true;
}
