/* Finds the compiled-in files of the reference page. Only names of the table are served: there is no path,
 * no directory and no file system behind them. */
#include "api/docs.h"

#include <assert.h>
#include <zlib.h>

const struct docs_file *docs_find(struct span name)
{
    struct span wanted = name.len ? name : SPAN("index.html");
    for (size_t i = 0; i < docs_file_count; i++)
        if (span_is(wanted, docs_files[i].name))
            return &docs_files[i];
    return NULL;
}

void docs_plain(const struct docs_file *file, struct buffer *out)
{
    if (!file->gzip) {
        buffer_add(out, (const char *)file->data, file->len);
        return;
    }
    buffer_reserve(out, file->plain_len);
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)file->data,
                       .avail_in = (uInt)file->len,
                       .next_out = (Bytef *)(out->data + out->len),
                       .avail_out = (uInt)file->plain_len};
    int opened = inflateInit2(&stream, 15 + 16); /* 16: a gzip header */
    assert(opened == Z_OK);
    int ended = inflate(&stream, Z_FINISH);
    assert(ended == Z_STREAM_END &&
           stream.total_out == file->plain_len); /* our own build made it */
    (void)opened, (void)ended;
    inflateEnd(&stream);
    out->len += file->plain_len;
}
