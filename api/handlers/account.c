/* The page that sets a password, where one-time links lead. Rule: nothing of it is logged or kept by a cache, and the form asks
 * nothing that the link does not already prove. */
#include "api/handlers/handlers.h"
#include "api/html.h"
#include "api/negotiate.h"
#include "auth/ask.h"
#include "auth/password.h"

#define TOKEN_MAX_BYTES 200

struct link {
    struct span token;
    const char *user_id, *username, *name, *kind; /* user_id NULL: the link is dead */
    enum language language;                       /* of the account, else of the request */
};

static const char *in(const struct link *link, const char *indonesian, const char *english)
{
    return link->language == LANGUAGE_EN ? english : indonesian;
}

static enum problem_code link_open(struct call *call, struct span token, struct link *ret_link)
{
    struct link link = {.token = token, .language = call->language};
    struct rows *rows;
    *ret_link = link;
    if (!token.len || token.len > TOKEN_MAX_BYTES || memchr(token.ptr, '\0', token.len))
        return PROBLEM_NONE;
    const struct ask parameter = {"link.token", token};
    enum problem_code code = ask_read(call->service->pool, call->arena, "user_link_open",
                                      &parameter, 1, call->deadline_ms, &rows);
    if (code)
        return code;
    link.user_id = ask_cell(call->arena, rows, "user_id");
    link.username = ask_cell(call->arena, rows, "username");
    link.name = ask_cell(call->arena, rows, "name");
    link.kind = ask_cell(call->arena, rows, "kind");
    const char *language = ask_cell(call->arena, rows, "language");
    if (language)
        link.language = strcmp(language, "en") == 0 ? LANGUAGE_EN : LANGUAGE_ID;
    rows_free(rows);
    *ret_link = link;
    return PROBLEM_NONE;
}

static enum problem_code page_dead(struct call *call, const struct link *link)
{
    html_begin(call, 410, link->language,
               in(link, "Tautan tidak berlaku", "This link does not work"), NULL);
    html_print(
        &call->response.body, "<p>%s</p>",
        in(link,
           "Tautan ini sudah dipakai, sudah diganti, atau sudah terlalu lama. Mintalah tautan baru kepada pengelola Anda.",
           "This link was used, replaced, or is too old. Ask your administrator for another one."));
    html_end(call);
    return PROBLEM_NONE;
}

static enum problem_code page_done(struct call *call, const struct link *link)
{
    html_begin(call, 200, link->language, in(link, "Kata sandi tersimpan", "Password set"), NULL);
    html_print(&call->response.body, "<p>%s <b>%s</b>.</p>",
               in(link, "Kembalilah ke aplikasi Anda dan masuk dengan nama pengguna",
                  "Go back to your app and log in with the user name"),
               link->username);
    html_end(call);
    return PROBLEM_NONE;
}

static void field(struct buffer *out, const char *name, const char *label, const char *described)
{
    html_print(out,
               "<label for=\"%s\">%s</label><input id=\"%s\" name=\"%s\" type=\"password\" "
               "autocomplete=\"new-password\" minlength=\"12\" maxlength=\"128\" required",
               name, label, name, name);
    if (described)
        html_print(out, " aria-describedby=\"%s\"", described);
    BUFFER_LITERAL(out, ">");
}

static enum problem_code page_form(struct call *call, const struct link *link, int status,
                                   const char *alert)
{
    struct buffer *out = &call->response.body;
    bool first = strcmp(link->kind, "invitation") == 0;
    html_begin(call, status, link->language,
               first ? in(link, "Buat kata sandi", "Choose a password")
                     : in(link, "Kata sandi baru", "Another password"),
               NULL);
    if (alert)
        html_alert(call, alert);
    html_print(out, "<p>%s <b>%s</b></p><form method=\"post\" action=\"/account/password\">",
               in(link, "Untuk akun", "For the account"), link->username);
    html_print(out,
               "<input type=\"hidden\" name=\"token\" value=\"%s\"><input type=\"hidden\" "
               "name=\"username\" autocomplete=\"username\" value=\"%s\">",
               arena_cstr(call->arena, link->token), link->username);
    field(out, "password", in(link, "Kata sandi baru", "New password"), "rule");
    html_print(
        out, "<p class=\"small\" id=\"rule\">%s</p>",
        in(link,
           "Paling sedikit 12 huruf. Beberapa kata yang tidak berhubungan mudah diingat dan sulit ditebak.",
           "At least 12 characters. Several unrelated words are easy to remember and hard to guess."));
    field(out, "again", in(link, "Sekali lagi", "Once more"), NULL);
    html_print(out, "<button type=\"submit\">%s</button></form>",
               in(link, "Simpan kata sandi", "Set the password"));
    html_end(call);
    return PROBLEM_NONE;
}

enum problem_code handle_account_password(struct call *call)
{
    struct link link;
    struct span token = SPAN_NONE;
    for (size_t i = 0; i < call->target.pair_count; i++)
        if (span_is(call->target.pairs[i].name, "token"))
            token = call->target.pairs[i].value;
    enum problem_code code = link_open(call, token, &link);
    if (code)
        return code;
    return link.user_id ? page_form(call, &link, 200, NULL) : page_dead(call, &link);
}

/* ---- setting it ------------------------------------------------------------------------------------ */

struct form {
    struct span token, password, again;
    bool damaged; /* something in it is no text, %00 say; no token is */
};

static bool form_read(struct call *call, struct form *ret_form)
{
    struct query_pair pairs[PAIRS_MAX];
    struct form form = {SPAN_NONE, SPAN_NONE, SPAN_NONE, false};
    size_t count;
    struct span why;
    form.damaged = form_decode(call->arena, call->body, pairs, &count, &why) != PROBLEM_NONE;
    if (form.damaged)
        count = pairs_split(call->arena, call->body, pairs);
    if (count > PAIRS_MAX)
        return false;
    for (size_t i = 0; i < count; i++) {
        struct span *slot = span_is(pairs[i].name, "token")      ? &form.token
                            : span_is(pairs[i].name, "password") ? &form.password
                            : span_is(pairs[i].name, "again")    ? &form.again
                                                                 : NULL;
        if (!slot)
            continue;
        if (slot->ptr)
            return false; /* twice */
        *slot = pairs[i].value;
    }
    *ret_form = form;
    for (size_t i = 0; form.damaged && i < form.token.len; i++)
        if (form.token.ptr[i] <= ' ' || form.token.ptr[i] > '~')
            return false;
    return true;
}

/* What is wrong with the password, as a sentence; NULL when nothing is. */
static const char *fault_text(struct call *call, const struct link *link, const struct form *form)
{
    const char *argument = "";
    if (form->damaged)
        return in(link, "Kata sandi memuat karakter yang tidak dapat dipakai.",
                  "The password has a character that cannot be used.");
    enum fault_code fault = password_check(form->password, span_of(link->username),
                                           span_of(link->name), &argument);
    if (fault == FAULT_COUNT)
        return password_same(form->password, form->again)
                   ? NULL
                   : in(link, "Kedua kata sandi tidak sama.", "The two passwords differ.");
    struct span text = problem_fill(call->arena, fault_texts[fault].detail[link->language],
                                    link->language, span_of(argument));
    return arena_printf(call->arena, "%s %.*s.", in(link, "Kata sandi", "The password"),
                        SPAN_ARG(text));
}

static enum problem_code password_store(struct call *call, const struct link *link,
                                        const char *hash, bool *ret_used)
{
    const struct write_context context = {.actor = span_of(link->user_id),
                                          .request_id = call->request_id,
                                          .operation = span_of(call->operation->id)};
    const struct ask parameters[] = {{"link.token", link->token}, {"link.password", span_of(hash)}};
    struct table_set changed;
    struct rows *rows;
    enum problem_code code = ask_write(call->service->pool, call->arena, &context, "user_link_use",
                                       parameters, 2, call->deadline_ms, &rows, &changed, NULL);
    if (code)
        return code;
    const char *used = ask_cell(call->arena, rows, "used");
    *ret_used = used && strcmp(used, "t") == 0;
    rows_free(rows);
    watch_committed(call->service->watch, &changed);
    return PROBLEM_NONE;
}

enum problem_code handle_account_password_set(struct call *call)
{
    struct form form = {SPAN_NONE, SPAN_NONE, SPAN_NONE, false};
    struct link link;
    char hash[PASSWORD_HASH_BYTES];
    bool used = false;
    enum problem_code code = link_open(call, form_read(call, &form) ? form.token : SPAN_NONE,
                                       &link);
    if (code)
        return code;
    if (!link.user_id)
        return page_dead(call, &link);
    const char *wrong = fault_text(call, &link, &form);
    if (wrong)
        return page_form(call, &link, 422, wrong);
    code = password_hash(form.password, link.user_id, call->deadline_ms, hash);
    if (code == PROBLEM_busy) {
        page_form(call, &link, 503,
                  in(&link, "Layanan sedang sibuk; coba lagi sebentar lagi.",
                     "The service is busy; please try again in a moment."));
        response_header_lent(call, "Retry-After", "2");
        return PROBLEM_NONE;
    }
    if (!code)
        code = password_store(call, &link, hash, &used);
    if (code)
        return code;
    return used ? page_done(call, &link) : page_dead(call, &link);
}
