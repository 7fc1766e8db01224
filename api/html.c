/* Pages for people. Rule: nothing but literals of ours reaches a page unescaped, and no page needs a script. */
#include "api/html.h"

#include <assert.h>
#include <stdarg.h>

const char html_style[] =
    ":root{color-scheme:light dark;--line:#767676;--act:#0b5394;--on:#fff;--bad:#b00020}"
    "@media(prefers-color-scheme:dark){:root{--act:#8ab4f8;--on:#10161f;--bad:#ff9a9a}}"
    "*{box-sizing:border-box}"
    "body{font:1rem/1.5 system-ui,sans-serif;margin:0;padding:1rem}"
    "main{max-width:26rem;margin:1rem auto;overflow-wrap:anywhere}"
    "h1{font-size:1.4rem;line-height:1.25;margin:0 0 1rem}"
    "label{display:block;font-weight:600;margin:1rem 0 .25rem}"
    "input{width:100%;font:inherit;padding:.65rem;border:1px solid var(--line);border-radius:.3rem}"
    "button{width:100%;font:inherit;font-weight:600;padding:.75rem;margin-top:1rem;border-radius:.3rem;"
    "border:2px solid var(--act);background:var(--act);color:var(--on);cursor:pointer}"
    "button.second{background:transparent;color:var(--act)}"
    "button.link{border:0;background:none;color:var(--act);text-decoration:underline;font-weight:400;padding:.65rem}"
    "a.button{display:block;text-align:center;font-weight:600;padding:.75rem;border-radius:.3rem;border:2px solid var(--act)}"
    "svg{display:block;width:13rem;max-width:100%;margin:1rem auto}"
    "code{font:1rem/1.6 ui-monospace,monospace}"
    "summary{cursor:pointer;padding:.65rem 0}"
    ":focus-visible{outline:3px solid var(--act);outline-offset:2px}"
    ".alert{border:2px solid var(--bad);border-radius:.3rem;padding:.6rem .8rem;margin:0 0 1rem}"
    ".small{font-size:.875rem}"
    "ul{padding-left:1.2rem}"
    "footer{margin-top:2rem;border-top:1px solid var(--line);padding-top:.75rem;font-size:.875rem}"
    "a{color:var(--act)}";

const char html_style_hash[] = "sha256-etfcFqePqRoBI0ddjrgTOKp6evxOkj7/wwznHPEii+o=";

void html_escape(struct buffer *out, struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        switch (text.ptr[i]) {
        case '<':
            BUFFER_LITERAL(out, "&lt;");
            break;
        case '>':
            BUFFER_LITERAL(out, "&gt;");
            break;
        case '&':
            BUFFER_LITERAL(out, "&amp;");
            break;
        case '"':
            BUFFER_LITERAL(out, "&quot;");
            break;
        case '\'':
            BUFFER_LITERAL(out, "&#39;");
            break;
        default:
            buffer_char(out, text.ptr[i]);
        }
    }
}

void html_print(struct buffer *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    for (const char *at = format; *at; at++) {
        if (*at != '%') {
            buffer_char(out, *at);
            continue;
        }
        at++;
        assert(*at == 's' || *at == '%');
        if (*at == 's')
            html_escape(out, span_of(va_arg(arguments, const char *)));
        else
            buffer_char(out, '%');
    }
    va_end(arguments);
}

static void headers(struct call *call, enum language language, const char *form_target)
{
    response_header(call, "Content-Security-Policy",
                    "default-src 'none'; style-src '%s'; form-action 'self'%s%s; base-uri 'none'; "
                    "frame-ancestors 'none'",
                    html_style_hash, form_target ? " " : "", form_target ? form_target : "");
    response_header_lent(call, "X-Frame-Options", "DENY"); /* browsers older than the policy */
    response_header_lent(call, "Referrer-Policy", "no-referrer");
    response_header_lent(call, "Cache-Control", "no-store");
    response_header_lent(call, "Content-Language", language == LANGUAGE_EN ? "en" : "id");
}

void html_begin(struct call *call, int status, enum language language, const char *title,
                const char *form_target)
{
    call->response.status = status;
    call->response.content_type = "text/html; charset=utf-8";
    headers(call, language, form_target);
    html_print(&call->response.body,
               "<!doctype html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
               "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
               "<title>%s - TPBIS</title>\n<style>",
               language == LANGUAGE_EN ? "en" : "id", title);
    buffer_span(&call->response.body, span_of(html_style));
    html_print(&call->response.body, "</style>\n</head>\n<body>\n<main>\n<h1>%s</h1>\n", title);
}

void html_end(struct call *call)
{
    BUFFER_LITERAL(&call->response.body, "</main>\n</body>\n</html>\n");
}

void html_alert(struct call *call, const char *text)
{
    html_print(&call->response.body, "<p class=\"alert\" role=\"alert\" id=\"alert\">%s</p>\n",
               text);
}
