/* Rendering of problems. The texts are ours, what fills them is not: all of it goes through the
 * JSON string writer or the HTML escaper, without exception. */
#include "api/problem_body.h"

#include <assert.h>
#include "api/formats.h"

/* ---- the answer ------------------------------------------------------------------------------ */

static void add_member(struct buffer *buffer, const char *name, struct span value)
{
    if (buffer->data[buffer->len - 1] != '{')
        buffer_char(buffer, ',');
    buffer_json_string(buffer, span_of(name));
    buffer_char(buffer, ':');
    buffer_json_string(buffer, value);
}

static void add_type(struct buffer *buffer, struct span base_url, enum problem_code code)
{
    struct buffer type = {0};
    buffer_span(&type, base_url);
    buffer_printf(&type, "/problems/%s", problem_texts[code].code);
    add_member(buffer, "type", (struct span){type.data, type.len});
    buffer_free(&type);
}

/* What a value must be, "text or null", in the reader's language. Faults carry it in English. */
static struct span type_words(struct arena *arena, struct span words, enum language language)
{
    static const char *const indonesian[][2] = {
        {"object", "objek"},    {"list", "daftar"},
        {"text", "teks"},       {"integer", "bilangan bulat"},
        {"number", "bilangan"}, {"true or false", "true atau false"},
        {"null", "null"},
    };
    if (language == LANGUAGE_EN)
        return words;
    struct buffer translated = {0};
    while (words.len) {
        size_t i = 0, known = sizeof(indonesian) / sizeof(*indonesian);
        while (i < known && !span_starts(words, indonesian[i][0]))
            i++;
        size_t taken = i < known ? strlen(indonesian[i][0]) : words.len;
        if (translated.len)
            BUFFER_LITERAL(&translated, " atau ");
        buffer_span(&translated, i < known ? span_of(indonesian[i][1]) : words);
        words = (struct span){words.ptr + taken, words.len - taken};
        if (span_starts(words, " or "))
            words = (struct span){words.ptr + 4, words.len - 4};
    }
    struct span copy = arena_copy(arena, (struct span){translated.data, translated.len});
    buffer_free(&translated);
    return copy;
}

static void add_errors(struct buffer *buffer, struct arena *arena, const struct faults *faults,
                       enum language language)
{
    BUFFER_LITERAL(buffer, ",\"errors\":[");
    for (size_t i = 0; i < faults->count; i++) {
        const struct fault *fault = &faults->list[i];
        const struct fault_text *text = &fault_texts[fault->code];
        if (i)
            buffer_char(buffer, ',');
        buffer_char(buffer, '{');
        if (fault->parameter.ptr)
            add_member(buffer, "parameter", fault->parameter);
        else
            add_member(buffer, "pointer", fault->pointer);
        add_member(buffer, "code", span_of(text->code));
        struct span argument = fault->code == FAULT_type
                                   ? type_words(arena, fault->argument, language)
                               : fault->code == FAULT_format
                                   ? format_words(fault->argument, language)
                                   : fault->argument;
        add_member(buffer, "detail",
                   problem_fill(arena, text->detail[language], language, argument));
        buffer_char(buffer, '}');
    }
    buffer_char(buffer, ']');
}

static struct span detail_of(struct arena *arena, enum problem_code code, struct span arguments,
                             const struct faults *faults, enum language language)
{
    static const char *const more[2] = {
        [LANGUAGE_ID] = "kesalahan lain tidak disebut di sini",
        [LANGUAGE_EN] = "further faults are not listed",
    };
    struct span detail = problem_fill(arena, problem_texts[code].detail[language], language,
                                      arguments);
    if (!faults || !faults->dropped)
        return detail;
    return span_of(
        arena_printf(arena, "%.*s %zu %s.", SPAN_ARG(detail), faults->dropped, more[language]));
}

void problem_body(struct buffer *buffer, enum problem_code code, struct span arguments,
                  const struct faults *faults, enum language language, struct span base_url,
                  struct span request_id)
{
    assert(code > PROBLEM_NONE && code < PROBLEM_COUNT);
    const struct problem_text *text = &problem_texts[code];
    struct arena *arena = arena_new(2048);
    buffer_char(buffer, '{');
    add_type(buffer, base_url, code);
    add_member(buffer, "title", span_of(text->title[language]));
    buffer_printf(buffer, ",\"status\":%d", text->status);
    add_member(buffer, "detail", detail_of(arena, code, arguments, faults, language));
    add_member(buffer, "code", span_of(text->code));
    if (request_id.ptr)
        add_member(buffer, "request_id", request_id);
    if (faults && faults->count)
        add_errors(buffer, arena, faults, language);
    buffer_char(buffer, '}');
    arena_free(arena);
}

/* ---- the documents --------------------------------------------------------------------------- */

static void add_both(struct buffer *buffer, const char *name, const char *const texts[2])
{
    buffer_printf(buffer, ",\"%s\":{", name);
    add_member(buffer, "id", span_of(texts[LANGUAGE_ID]));
    add_member(buffer, "en", span_of(texts[LANGUAGE_EN]));
    buffer_char(buffer, '}');
}

void problem_document_json(struct buffer *buffer, enum problem_code code, struct span base_url)
{
    assert(code > PROBLEM_NONE && code < PROBLEM_COUNT);
    const struct problem_text *text = &problem_texts[code];
    buffer_char(buffer, '{');
    add_type(buffer, base_url, code);
    add_member(buffer, "code", span_of(text->code));
    buffer_printf(buffer, ",\"status\":%d", text->status);
    add_both(buffer, "title", text->title);
    add_both(buffer, "detail", text->detail);
    buffer_char(buffer, '}');
}

void problem_list_json(struct buffer *buffer, struct span base_url)
{
    BUFFER_LITERAL(buffer, "{\"items\":[");
    for (int code = PROBLEM_NONE + 1; code < PROBLEM_COUNT; code++) {
        if (code > PROBLEM_NONE + 1)
            buffer_char(buffer, ',');
        problem_document_json(buffer, (enum problem_code)code, base_url);
    }
    BUFFER_LITERAL(buffer, "],\"next\":null}");
}

/* Its SHA-256 stands in the policy below; the unit test compares them. */
#define STYLE                                                                                      \
    ":root{color-scheme:light dark}"                                                               \
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"     \
    "table{border-collapse:collapse}"                                                              \
    "th,td{border-bottom:1px solid;padding:.4rem .6rem;text-align:left;vertical-align:top}"

const char problem_page_policy[] =
    "default-src 'none'; style-src 'sha256-0dGjLOL1O76v1ObS6bJu1nEJ3KqbUjY2nEAakJFIDHU='; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

static void add_html(struct buffer *buffer, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '<':
            BUFFER_LITERAL(buffer, "&lt;");
            break;
        case '>':
            BUFFER_LITERAL(buffer, "&gt;");
            break;
        case '&':
            BUFFER_LITERAL(buffer, "&amp;");
            break;
        case '"':
            BUFFER_LITERAL(buffer, "&quot;");
            break;
        default:
            buffer_char(buffer, *text);
        }
    }
}

static void add_element(struct buffer *buffer, const char *open, const char *text,
                        const char *close)
{
    buffer_span(buffer, span_of(open));
    add_html(buffer, text);
    buffer_span(buffer, span_of(close));
}

static void page_open(struct buffer *buffer, const char *title)
{
    BUFFER_LITERAL(buffer,
                   "<!doctype html>\n<html lang=\"id\">\n<head>\n<meta charset=\"utf-8\">\n"
                   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    add_element(buffer, "<title>", title, "</title>\n");
    BUFFER_LITERAL(buffer, "<style>" STYLE "</style>\n</head>\n<body>\n<main>\n");
}

static void page_close(struct buffer *buffer)
{
    BUFFER_LITERAL(buffer, "</main>\n</body>\n</html>\n");
}

void problem_document_html(struct buffer *buffer, enum problem_code code)
{
    assert(code > PROBLEM_NONE && code < PROBLEM_COUNT);
    const struct problem_text *text = &problem_texts[code];
    page_open(buffer, text->code);
    add_element(buffer, "<h1><code>", text->code, "</code></h1>\n");
    buffer_printf(buffer, "<p>HTTP %d</p>\n", text->status);
    add_element(buffer, "<h2>", text->title[LANGUAGE_ID], "</h2>\n");
    add_element(buffer, "<p>", text->detail[LANGUAGE_ID], "</p>\n");
    BUFFER_LITERAL(buffer, "<section lang=\"en\">\n");
    add_element(buffer, "<h2>", text->title[LANGUAGE_EN], "</h2>\n");
    add_element(buffer, "<p>", text->detail[LANGUAGE_EN], "</p>\n");
    BUFFER_LITERAL(buffer, "</section>\n<p><a href=\"../problems\">Semua kode masalah / "
                           "<span lang=\"en\">all problem codes</span></a></p>\n");
    page_close(buffer);
}

void problem_list_html(struct buffer *buffer)
{
    page_open(buffer, "Kode masalah");
    BUFFER_LITERAL(
        buffer,
        "<h1>Kode masalah / <span lang=\"en\">Problem codes</span></h1>\n<table>\n<thead>\n<tr>"
        "<th scope=\"col\">Kode</th><th scope=\"col\">HTTP</th><th scope=\"col\">Bahasa "
        "Indonesia</th><th scope=\"col\" lang=\"en\">English</th></tr>\n</thead>\n<tbody>\n");
    for (int code = PROBLEM_NONE + 1; code < PROBLEM_COUNT; code++) {
        const struct problem_text *text = &problem_texts[code];
        buffer_printf(
            buffer,
            "<tr><th scope=\"row\"><a href=\"problems/%s\"><code>%s</code></a></th><td>%d</td>",
            text->code, text->code, text->status);
        add_element(buffer, "<td>", text->title[LANGUAGE_ID], "</td>");
        add_element(buffer, "<td lang=\"en\">", text->title[LANGUAGE_EN], "</td></tr>\n");
    }
    BUFFER_LITERAL(buffer, "</tbody>\n</table>\n");
    page_close(buffer);
}
