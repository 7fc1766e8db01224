/* The pages of /oauth2/authorize. Rule: no script, no picture, nothing from elsewhere; a page says for which app, to whom, and
 * what happens next. */
#include "api/handlers/authorize.h"

#include "api/base/digest.h"
#include "api/html.h"
#include "auth/scope.h"

static const struct {
    const char *name, *words[2];
} scope_words[] = {
#define SCOPE(name, indonesian, english)                                                           \
    {name, {[LANGUAGE_ID] = indonesian, [LANGUAGE_EN] = english}},
#include "api/handlers/scopes.def"
#undef SCOPE
};

struct span authorize_form_token(const struct authorize *authorize)
{
    unsigned char mac[32];
    struct call *call = authorize->call;
    struct span what = span_of(
        arena_printf(call->arena, "form of /oauth2/authorize?%.*s", SPAN_ARG(call->target.query)));
    digest_hmac_sha256(authorize->cookie, what, mac);
    return base64url_encode(call->arena, mac, sizeof mac);
}

void authorize_form_open(struct authorize *authorize)
{
    html_print(BODY(authorize),
               "<form method=\"post\">\n<input type=\"hidden\" name=\"form_token\" value=\"%s\">\n",
               arena_cstr(authorize->call->arena, authorize_form_token(authorize)));
}

/* This request in the other language: its query as it came, but for ui_locales. */
void authorize_footer(struct authorize *authorize)
{
    bool english = authorize->language == LANGUAGE_EN;
    struct arena *arena = authorize->call->arena;
    struct span rest = authorize->call->target.query;
    const char *query = "";
    while (rest.len) {
        const char *end = memchr(rest.ptr, '&', rest.len);
        struct span one = {rest.ptr, end ? (size_t)(end - rest.ptr) : rest.len};
        if (one.len && !span_starts(one, "ui_locales="))
            query = arena_printf(arena, "%s%.*s&", query, SPAN_ARG(one));
        rest = end ? (struct span){end + 1, rest.len - one.len - 1} : SPAN_NONE;
    }
    html_print(BODY(authorize),
               "<footer><a href=\"?%sui_locales=%s\" lang=\"%s\" hreflang=\"%s\">%s</a></footer>\n",
               query, english ? "id" : "en", english ? "id" : "en", english ? "id" : "en",
               english ? "Bahasa Indonesia" : "English");
}

static void app_name(struct authorize *authorize)
{
    html_print(BODY(authorize), "<strong>%s</strong>", authorize->client.name);
    if (authorize->client.owner)
        html_print(BODY(authorize), " (%s)", authorize->client.owner);
}

/* ---- what cannot go on ---------------------------------------------------------------------- */

enum problem_code authorize_fault_page(struct authorize *authorize, enum authorize_fault fault)
{
    const char *words =
        fault == AUTHORIZE_CLIENT
            ? SAY(authorize, "Aplikasi ini tidak terdaftar di TPBIS, atau sedang dihentikan.",
                  "This app is not registered with TPBIS, or has been suspended.")
        : fault == AUTHORIZE_REDIRECT
            ? SAY(authorize,
                  "Alamat kembali yang dikirim aplikasi tidak terdaftar untuk aplikasi itu. Demi keamanan Anda, kami tidak "
                  "melanjutkan.",
                  "The address that the app wants you sent back to is not registered for it. For your safety we stop here.")
            : SAY(authorize, "Permintaan dari aplikasi tidak dapat dibaca.",
                  "The app's request cannot be read.");
    struct call *call = authorize->call;
    html_begin(
        call, 400, authorize->language,
        SAY(authorize, "Tidak dapat masuk dari aplikasi ini", "Cannot sign in from this app"),
        NULL);
    html_alert(call, words);
    html_print(BODY(authorize), "<p>%s</p>\n<p class=\"small\">%s: %s</p>\n",
               SAY(authorize, "Kembalilah ke aplikasi, atau beri tahu pembuatnya.",
                   "Go back to the app, or tell its maker."),
               SAY(authorize, "Nomor permintaan", "Request number"),
               arena_cstr(call->arena, call->request_id));
    html_end(call);
    return PROBLEM_NONE;
}

enum problem_code authorize_unavailable_page(struct authorize *authorize, int64_t wait_s)
{
    struct call *call = authorize->call;
    html_begin(call, 503, authorize->language,
               SAY(authorize, "Layanan sedang sibuk", "The service is busy"), NULL);
    response_header(call, "Retry-After", "%lld", (long long)wait_s);
    html_alert(call,
               SAY(authorize, "Layanan belum dapat menjawab. Muat ulang halaman ini sebentar lagi.",
                   "The service cannot answer yet. Load this page again in a moment."));
    html_end(call);
    return PROBLEM_NONE;
}

/* ---- logging in ----------------------------------------------------------------------------- */

const char *authorize_alert_words(struct authorize *authorize, enum login_alert alert,
                                  int64_t wait_s)
{
    struct arena *arena = authorize->call->arena;
    switch (alert) {
    case ALERT_WRONG:
        return SAY(authorize, "Nama pengguna atau kata sandi salah.",
                   "The user name or the password is wrong.");
    case ALERT_THROTTLED:
        return arena_printf(arena,
                            SAY(authorize,
                                "Terlalu banyak percobaan. Coba lagi sesudah %lld detik.",
                                "Too many attempts. Try again after %lld seconds."),
                            (long long)wait_s);
    case ALERT_BUSY:
        return SAY(authorize, "Layanan sedang sibuk. Coba lagi sebentar lagi.",
                   "The service is busy. Try again in a moment.");
    case ALERT_EXPIRED:
        return SAY(authorize,
                   "Halaman ini sudah kedaluwarsa, atau cookie tidak diizinkan. Silakan coba lagi.",
                   "This page has expired, or cookies are not allowed. Please try again.");
    case ALERT_CODE:
        return SAY(authorize, "Kode itu salah, sudah lewat, atau sudah dipakai.",
                   "That code is wrong, too old, or was used before.");
    case ALERT_NONE:
        break;
    }
    return NULL;
}

void authorize_field(struct authorize *authorize, const char *name, const char *label,
                     const char *attributes, struct span value, bool invalid)
{
    html_print(BODY(authorize),
               "<label for=\"%s\">%s</label>\n<input id=\"%s\" name=\"%s\" required", name, label,
               name, name);
    buffer_span(BODY(authorize), span_of(attributes)); /* literals of ours */
    if (invalid)
        BUFFER_LITERAL(BODY(authorize), " aria-invalid=\"true\" aria-describedby=\"alert\"");
    if (value.len)
        html_print(BODY(authorize), " value=\"%s\"", arena_cstr(authorize->call->arena, value));
    BUFFER_LITERAL(BODY(authorize), ">\n");
}

enum problem_code authorize_login_page(struct authorize *authorize, int status,
                                       enum login_alert alert, int64_t wait_s, struct span username)
{
    struct call *call = authorize->call;
    const char *words = authorize_alert_words(authorize, alert, wait_s);
    html_begin(call, status, authorize->language,
               SAY(authorize, "Masuk ke TPBIS", "Sign in to TPBIS"), authorize->form_target);
    if (status == 429 || status == 503)
        response_header(call, "Retry-After", "%lld", (long long)wait_s);
    html_print(BODY(authorize), "<p>%s ",
               SAY(authorize, "untuk memakai aplikasi", "to use the app"));
    app_name(authorize);
    BUFFER_LITERAL(BODY(authorize), "</p>\n");
    if (words)
        html_alert(call, words);
    authorize_form_open(authorize);
    authorize_field(
        authorize, "username", SAY(authorize, "Nama pengguna", "User name"),
        " type=\"text\" inputmode=\"email\" autocomplete=\"username\" autocapitalize=\"none\" "
        "autocorrect=\"off\" spellcheck=\"false\" maxlength=\"120\"",
        username.len ? username : authorize->login_hint, alert == ALERT_WRONG);
    authorize_field(authorize, "password", SAY(authorize, "Kata sandi", "Password"),
                    " type=\"password\" autocomplete=\"current-password\" maxlength=\"256\"",
                    SPAN_NONE, alert == ALERT_WRONG);
    html_print(
        BODY(authorize),
        "<button name=\"action\" value=\"login\">%s</button>\n</form>\n<p class=\"small\">%s</p>\n",
        SAY(authorize, "Masuk", "Sign in"),
        SAY(authorize, "Lupa kata sandi? Mintalah tautan baru kepada administrator Anda.",
            "Forgot your password? Ask your administrator for a new link."));
    authorize_footer(authorize);
    html_end(call);
    return PROBLEM_NONE;
}

/* ---- consent -------------------------------------------------------------------------------- */

static void scopes_list(struct authorize *authorize, uint32_t scopes)
{
    BUFFER_LITERAL(BODY(authorize), "<ul>\n");
    for (size_t i = 0; i < sizeof scope_words / sizeof *scope_words; i++)
        if (scopes & scope_bit(span_of(scope_words[i].name)))
            html_print(BODY(authorize), "<li>%s</li>\n", scope_words[i].words[authorize->language]);
    BUFFER_LITERAL(BODY(authorize), "</ul>\n");
}

/* What it will do today, and what it would do when the user's rights grow: both are agreed to. */
static void consent_text(struct authorize *authorize)
{
    uint32_t scopes = authorize_scopes(authorize), held = scopes & authorize->session.held;
    BUFFER_LITERAL(BODY(authorize), "<p>");
    app_name(authorize);
    html_print(BODY(authorize), " %s <strong>%s</strong>. ",
               SAY(authorize, "ingin bertindak atas nama", "wants to act on behalf of"),
               authorize->session.name ? authorize->session.name : authorize->session.username);
    if (held) {
        html_print(BODY(authorize), "%s</p>\n",
                   SAY(authorize, "Aplikasi itu akan dapat:", "It will be able to:"));
        scopes_list(authorize, held);
    } else {
        html_print(
            BODY(authorize), "%s</p>\n",
            SAY(authorize,
                "Saat ini Anda belum punya tugas, sehingga aplikasi itu belum dapat berbuat apa-apa.",
                "You hold no duty today, so it cannot do anything yet."));
    }
    if (scopes & ~held) {
        html_print(
            BODY(authorize), "<details><summary>%s</summary>\n",
            SAY(authorize, "Juga, bila kelak menjadi tugas Anda", "Also, once it is your duty"));
        scopes_list(authorize, scopes & ~held);
        BUFFER_LITERAL(BODY(authorize), "</details>\n");
    }
}

/* Where the user is sent: scheme and host of the app's address, no more. */
static const char *destination(struct authorize *authorize)
{
    return authorize->form_target ? authorize->form_target : authorize->client.name;
}

enum problem_code authorize_consent_page(struct authorize *authorize, enum login_alert alert)
{
    struct call *call = authorize->call;
    html_begin(call, alert ? 403 : 200, authorize->language,
               SAY(authorize, "Izinkan aplikasi ini?", "Allow this app?"), authorize->form_target);
    if (alert)
        html_alert(call, authorize_alert_words(authorize, alert, 0));
    consent_text(authorize);
    html_print(BODY(authorize), "<p class=\"small\">%s <strong>%s</strong>.</p>\n",
               SAY(authorize, "Sesudah itu Anda kembali ke", "After that you go back to"),
               destination(authorize));
    authorize_form_open(authorize);
    html_print(BODY(authorize),
               "<button name=\"action\" value=\"allow\">%s</button>\n"
               "<button class=\"second\" name=\"action\" value=\"deny\">%s</button>\n"
               "<button class=\"link\" name=\"action\" value=\"switch\">%s</button>\n",
               SAY(authorize, "Izinkan", "Allow"), SAY(authorize, "Tolak", "Refuse"),
               SAY(authorize, "Bukan Anda? Masuk dengan akun lain",
                   "Not you? Sign in with another account"));
    authorize_factor_offer(authorize);
    BUFFER_LITERAL(BODY(authorize), "</form>\n");
    authorize_footer(authorize);
    html_end(call);
    return PROBLEM_NONE;
}
