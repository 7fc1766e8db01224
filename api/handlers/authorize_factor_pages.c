/* The pages of the second factor. Rule: secret and recovery codes stand in the page and nowhere else, and everything works without
 * scripts, without a picture, and typed by hand. */
#include "api/handlers/authorize.h"

#include "api/html.h"
#include "api/qr.h"
#include "auth/factor.h"

#define ISSUER "TPBIS"
#define CODE_ATTRIBUTES                                                                            \
    " type=\"text\" inputmode=\"numeric\" autocomplete=\"one-time-code\" pattern=\"[0-9 ]*\" "     \
    "maxlength=\"8\""
#define RECOVERY_ATTRIBUTES                                                                        \
    " type=\"text\" autocomplete=\"off\" autocapitalize=\"none\" autocorrect=\"off\" "             \
    "spellcheck=\"false\" maxlength=\"40\""

static const char *holder(const struct authorize *authorize)
{
    return authorize->session.username;
}

static void button(struct authorize *authorize, const char *kind, const char *action,
                   const char *words)
{
    html_print(BODY(authorize),
               "<button class=\"%s\" name=\"action\" value=\"%s\" formnovalidate>%s</button>\n",
               kind, action, words);
}

static void form_close(struct authorize *authorize)
{
    BUFFER_LITERAL(BODY(authorize), "</form>\n");
}

static void page_open(struct authorize *authorize, int status, enum login_alert alert,
                      int64_t wait_s, const char *title)
{
    html_begin(authorize->call, status, authorize->language, title, authorize->form_target);
    if (status == 429)
        response_header(authorize->call, "Retry-After", "%lld", (long long)wait_s);
    if (alert)
        html_alert(authorize->call, authorize_alert_words(authorize, alert, wait_s));
}

/* ---- entering a code ------------------------------------------------------------------------- */

static void recovery_form(struct authorize *authorize, bool open, bool invalid)
{
    html_print(BODY(authorize), "<details%s><summary>%s</summary>\n", open ? " open" : "",
               SAY(authorize, "Telepon tidak ada? Pakai kode pemulihan",
                   "No telephone at hand? Use a recovery code"));
    authorize_form_open(authorize);
    authorize_field(authorize, "recovery", SAY(authorize, "Kode pemulihan", "Recovery code"),
                    RECOVERY_ATTRIBUTES, SPAN_NONE, invalid);
    html_print(BODY(authorize),
               "<button class=\"second\" name=\"action\" value=\"recovery\">%s</button>\n",
               SAY(authorize, "Masuk dengan kode pemulihan", "Sign in with the recovery code"));
    form_close(authorize);
    html_print(
        BODY(authorize), "<p class=\"small\">%s</p>\n</details>\n",
        SAY(authorize,
            "Setiap kode hanya berlaku sekali. Bila semuanya hilang, administrator nasional dapat menghapus faktor kedua Anda.",
            "Each code works once. If all of them are lost, a national administrator can reset your second factor."));
}

enum problem_code authorize_code_page(struct authorize *authorize, int status,
                                      enum login_alert alert, int64_t wait_s, bool recovery)
{
    bool wrong = alert == ALERT_CODE;
    page_open(authorize, status, alert, wait_s, SAY(authorize, "Masukkan kode", "Enter the code"));
    html_print(BODY(authorize), "<p>%s <strong>%s</strong>.</p>\n",
               SAY(authorize, "Dari aplikasi autentikator Anda, untuk akun",
                   "From your authenticator app, for the account"),
               holder(authorize));
    authorize_form_open(authorize);
    authorize_field(authorize, "code", SAY(authorize, "Enam angka", "Six digits"), CODE_ATTRIBUTES,
                    SPAN_NONE, wrong && !recovery);
    html_print(BODY(authorize), "<button name=\"action\" value=\"code\">%s</button>\n",
               SAY(authorize, "Masuk", "Sign in"));
    form_close(authorize);
    recovery_form(authorize, recovery, wrong && recovery);
    authorize_form_open(authorize);
    button(authorize, "link", "switch",
           SAY(authorize, "Bukan Anda? Masuk dengan akun lain",
               "Not you? Sign in with another account"));
    form_close(authorize);
    authorize_footer(authorize);
    html_end(authorize->call);
    return PROBLEM_NONE;
}

/* ---- setting it up ----------------------------------------------------------------------------- */

/* otpauth://totp/TPBIS:name?secret=...: what authenticator apps take (their "Key Uri Format"). */
static const char *key_uri(struct authorize *authorize, struct span secret)
{
    static const char digits[] = "0123456789ABCDEF";
    struct arena *arena = authorize->call->arena;
    const char *name = holder(authorize);
    char *label = arena_alloc(arena, 3 * strlen(name) + 1), *at = label;
    for (; *name; name++) {
        unsigned char c = (unsigned char)*name;
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || strchr("-._", c)) {
            *at++ = *name;
        } else {
            *at++ = '%';
            *at++ = digits[c >> 4];
            *at++ = digits[c & 15];
        }
    }
    *at = '\0';
    return arena_printf(arena,
                        "otpauth://totp/" ISSUER ":%s?secret=%.*s&issuer=" ISSUER
                        "&algorithm=SHA1&digits=%d&period=%d",
                        label, SPAN_ARG(secret), TOTP_DIGITS, TOTP_STEP_S);
}

static const char *in_fours(struct arena *arena, struct span text)
{
    const char *groups = "";
    for (size_t i = 0; i < text.len; i += 4) {
        struct span one = {text.ptr + i, text.len - i < 4 ? text.len - i : 4};
        groups = arena_printf(arena, "%s%s%.*s", groups, i ? " " : "", SPAN_ARG(one));
    }
    return groups;
}

static const char *why(struct authorize *authorize)
{
    if (authorize->session.factor_id)
        return SAY(authorize, "Yang baru menggantikan yang lama, juga semua kode pemulihan.",
                   "The new one takes the place of the old one, and of all recovery codes.");
    if (authorize->session.factor_needed)
        return SAY(
            authorize,
            "Dengan tugas Anda, hak orang lain dapat diubah; kata sandi saja tidak cukup untuk itu.",
            "Your charge lets you change the rights of others; a password alone is not enough for that.");
    return SAY(authorize, "Dengan ini, orang yang hanya tahu kata sandi Anda tidak dapat masuk.",
               "With it, nobody gets in who knows no more than your password.");
}

static void secret_show(struct authorize *authorize, struct span secret)
{
    const char *uri = key_uri(authorize, secret);
    html_print(
        BODY(authorize), "<ol>\n<li>%s</li>\n<li>%s</li>\n</ol>\n",
        SAY(authorize,
            "Buka aplikasi autentikator di telepon Anda (misalnya Aegis, FreeOTP, Google Authenticator).",
            "Open an authenticator app on your telephone (Aegis, FreeOTP or Google Authenticator, say)."),
        SAY(authorize, "Pindai gambar ini, ketuk tautannya, atau ketik kuncinya.",
            "Scan this picture, tap the link, or type the key."));
    qr_print(
        BODY(authorize), uri,
        SAY(authorize, "Kode QR untuk aplikasi autentikator", "QR code for authenticator apps"));
    html_print(
        BODY(authorize),
        "<p><a class=\"button\" href=\"%s\">%s</a></p>\n<p>%s: <code>%s</code></p>\n", uri,
        SAY(authorize, "Buka di aplikasi pada perangkat ini", "Open in the app on this device"),
        SAY(authorize, "Kunci", "Key"), in_fours(authorize->call->arena, secret));
}

enum problem_code authorize_set_up_page(struct authorize *authorize,
                                        const unsigned char secret[TOTP_SECRET_BYTES], int status,
                                        enum login_alert alert, int64_t wait_s)
{
    bool owed = !authorize->session.two_factors &&
                (authorize->session.factor_needed || authorize->second_factor_asked);
    page_open(authorize, status, alert, wait_s,
              authorize->session.factor_id
                  ? SAY(authorize, "Ganti faktor kedua", "Renew the second factor")
                  : SAY(authorize, "Siapkan faktor kedua", "Set up a second factor"));
    html_print(BODY(authorize), "<p>%s</p>\n", why(authorize));
    secret_show(authorize, totp_base32(authorize->call->arena, secret, TOTP_SECRET_BYTES));
    authorize_form_open(authorize);
    authorize_field(authorize, "code",
                    SAY(authorize, "Lalu ketik enam angka yang ditampilkannya",
                        "Then type the six digits that it shows"),
                    CODE_ATTRIBUTES, SPAN_NONE, alert == ALERT_CODE);
    html_print(BODY(authorize), "<button name=\"action\" value=\"confirm\">%s</button>\n",
               SAY(authorize, "Simpan", "Save"));
    if (owed)
        button(authorize, "second", "deny",
               SAY(authorize, "Batal dan kembali ke aplikasi", "Cancel and go back to the app"));
    else
        button(authorize, "second", "later", SAY(authorize, "Nanti saja", "Not now"));
    form_close(authorize);
    authorize_footer(authorize);
    html_end(authorize->call);
    return PROBLEM_NONE;
}

/* ---- recovery codes ------------------------------------------------------------------------------ */

enum problem_code authorize_codes_page(struct authorize *authorize,
                                       const struct recovery_codes *codes)
{
    page_open(authorize, 200, ALERT_NONE, 0,
              SAY(authorize, "Simpan kode pemulihan", "Keep your recovery codes"));
    html_print(
        BODY(authorize), "<p>%s</p>\n<ol class=\"codes\">\n",
        SAY(authorize,
            "Dengan kode ini Anda dapat masuk bila telepon hilang. Setiap kode berlaku sekali. Tulis atau cetak sekarang: halaman ini tidak ditampilkan lagi, dan kode yang lama tidak berlaku.",
            "With these you get in when your telephone is lost. Each works once. Write them down or print them now: this page is not shown again, and older codes are void."));
    for (size_t i = 0; i < FACTOR_RECOVERY_CODES; i++)
        html_print(BODY(authorize), "<li><code>%s</code></li>\n", codes->text[i]);
    BUFFER_LITERAL(BODY(authorize), "</ol>\n");
    authorize_form_open(authorize);
    html_print(BODY(authorize), "<button name=\"action\" value=\"kept\">%s</button>\n",
               SAY(authorize, "Sudah saya simpan", "I have kept them"));
    form_close(authorize);
    html_end(authorize->call);
    return PROBLEM_NONE;
}

enum problem_code authorize_codes_due_page(struct authorize *authorize)
{
    page_open(authorize, 200, ALERT_NONE, 0, SAY(authorize, "Kode pemulihan", "Recovery codes"));
    html_print(
        BODY(authorize), "<p>%s</p>\n",
        SAY(authorize,
            "Kode pemulihan Anda belum disimpan. Siapkan kertas atau pencetak, lalu lanjutkan.",
            "Your recovery codes have not been kept yet. Have paper or a printer ready, then go on."));
    authorize_form_open(authorize);
    html_print(BODY(authorize), "<button name=\"action\" value=\"codes\">%s</button>\n",
               SAY(authorize, "Tampilkan kode baru", "Show new codes"));
    form_close(authorize);
    authorize_footer(authorize);
    html_end(authorize->call);
    return PROBLEM_NONE;
}

void authorize_factor_offer(struct authorize *authorize)
{
    const struct oauth_session *session = &authorize->session;
    button(authorize, "link", "set_up",
           session->factor_id ? SAY(authorize, "Ganti faktor kedua", "Renew the second factor")
                              : SAY(authorize, "Siapkan faktor kedua", "Set up a second factor"));
    if (session->factor_id)
        button(authorize, "link", "codes",
               arena_printf(authorize->call->arena,
                            SAY(authorize, "Kode pemulihan baru (tersisa %lld)",
                                "New recovery codes (%lld left)"),
                            (long long)session->codes_left));
}
