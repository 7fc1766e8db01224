/* The reference page at /docs: files compiled in by openapi/docs/build.py. Swagger UI where npm was there
 * at build time, else one plain page. Nothing of it is loaded from another host. */
#ifndef API_DOCS_H
#define API_DOCS_H

#include "api/base/buffer.h"

struct docs_file {
    const char *name, *type; /* "init.js", its Content-Type */
    const unsigned char *data;
    size_t len;       /* of data */
    size_t plain_len; /* of the file itself; equals len unless gzip */
    bool
        gzip; /* data is gzip-compressed: send it with Content-Encoding: gzip, or docs_plain() it */
};
extern const struct docs_file docs_files[]; /* sorted by name; generated */
extern const size_t docs_file_count;
extern const char docs_csp[]; /* Content-Security-Policy for the page and its files */

/* The file of that name; an empty or absent name is the page itself. NULL when there is none. */
const struct docs_file *docs_find(struct span name);

/* Appends the file as it is without compression, for a client that accepts no gzip. */
void docs_plain(const struct docs_file *file, struct buffer *out);

#endif
