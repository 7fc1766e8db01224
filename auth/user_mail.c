/* Mails to people: one-time links, and notices that their account was changed. Rule: a link's token is made for one try, is in the mail
 * alone, and the try is on record before the mail goes, so that a crash costs a second mail and never a lost one. */
#include "auth/user_mail.h"

#include <strings.h>

#include "api/base/clock.h"
#include "api/base/log.h"
#include "api/base/buffer.h"
#include "auth/ask.h"

#define MAILS_A_RUN 20

#define NAME_CHARACTERS_MAX 60

struct due {
    const char *mail_id; /* of a notice; NULL for a link */
    const char *user_id, *kind, *token, *email, *name, *username, *language;
};

static const struct write_context by_job = {.actor = {"mail", 4}, .operation = {"mail_links", 10}};

/* What else is read as a sign of an address: the dots of UTS 46 and U+2024, and signs of full width. */
static const struct {
    const char *bytes;
    char sign;
} signs[] = {
    {"\xe3\x80\x82", '.'}, {"\xef\xbc\x8e", '.'}, {"\xef\xbd\xa1", '.'}, {"\xe2\x80\xa4", '.'},
    {"\xef\xb9\x92", '.'}, {"\xef\xbc\x9a", ':'}, {"\xef\xbc\x8f", '/'}, {"\xef\xbc\xa0", '@'},
};

/* The character at the beginning of a text that is not empty, as the sign it is read as; how many bytes it has. */
static size_t sign_read(struct span text, char *ret_sign)
{
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (text.len >= 3 && memcmp(text.ptr, signs[i].bytes, 3) == 0) {
            *ret_sign = signs[i].sign;
            return 3;
        }
    *ret_sign = *text.ptr;
    return 1;
}

struct span user_mail_name(struct arena *arena, struct span name)
{
    char *text = arena_alloc(arena, 2 * name.len + 1);
    size_t len = 0, characters = 0, read;
    for (size_t i = 0; i < name.len; i += read) {
        char c;
        read = sign_read((struct span){name.ptr + i, name.len - i}, &c);
        bool begins = ((unsigned char)c & 0xc0) != 0x80, last = i + read == name.len;
        if (begins && characters++ == NAME_CHARACTERS_MAX)
            break;
        text[len++] = strchr(":/\\@<>", c) && c ? ' ' : c;
        if (c == '.' && !last && name.ptr[i + read] != ' ')
            text[len++] = ' ';
    }
    return (struct span){text, len};
}

/* A user name is its holder's to type: an address stays as it is where the mail goes to that very address. */
static struct span username_written(struct arena *arena, const struct due *due)
{
    struct span username = span_of(due->username);
    return strcasecmp(due->username, due->email) == 0 ? username : user_mail_name(arena, username);
}

struct text {
    const char *kind;
    struct {
        const char *subject, *body; /* {name}, {username} and {link} are filled in */
    } in[2];
};
#define INDONESIAN 0
#define ENGLISH 1

static const struct text texts[] = {
    {"invitation",
     {[INDONESIAN] =
          {"Undangan: buat kata sandi TPBIS Anda",
           "Halo {name},\n\nAnda diundang memakai layanan TPBIS. Nama pengguna Anda: {username}\n\nBuatlah kata sandi dengan membuka tautan "
           "ini (berlaku 72 jam, satu kali):\n{link}\n\nAbaikan surat ini jika Anda tidak mengharapkannya.\n"},
      [ENGLISH] =
          {"Invitation: choose your TPBIS password",
           "Dear {name},\n\nYou are invited to use the TPBIS service. Your user name: {username}\n\nPlease choose a password by opening this "
           "link (it works for 72 hours, once):\n{link}\n\nIf you did not expect this mail, ignore it.\n"}}},
    {"reset",
     {[INDONESIAN] =
          {"Kata sandi baru untuk akun TPBIS Anda",
           "Halo {name},\n\nPengelola meminta kata sandi baru untuk akun TPBIS Anda. Nama pengguna: {username}\n\nBuatlah kata sandi baru "
           "dengan membuka tautan ini (berlaku 1 jam, satu kali):\n{link}\n\nKata sandi lama tetap berlaku sampai saat itu.\n"},
      [ENGLISH] =
          {"Another password for your TPBIS account",
           "Dear {name},\n\nYour administrator asked for another password for your TPBIS account. User name: {username}\n\nPlease choose it "
           "by opening this link (it works for one hour, once):\n{link}\n\nYour old password works until then.\n"}}},
    {"address_left",
     {[INDONESIAN] =
          {"Alamat surel akun TPBIS Anda diganti",
           "Halo {name},\n\nAkun TPBIS {username} sejak sekarang memakai alamat surel lain; surat berikutnya tidak dikirim ke sini lagi."
           "\n\nJika bukan Anda yang meminta, segera hubungi pengelola Anda.\n"},
      [ENGLISH] =
          {"The e-mail address of your TPBIS account was changed",
           "Dear {name},\n\nFrom now on the TPBIS account {username} has another e-mail address; no more mail about it goes here.\n\nIf "
           "that was not you, tell your administrator at once.\n"}}},
    {"address_taken",
     {[INDONESIAN] =
          {"Alamat ini sekarang milik akun TPBIS Anda",
           "Halo {name},\n\nAlamat surel ini sekarang dipakai oleh akun TPBIS {username}.\n\nJika akun itu bukan milik Anda, "
           "beri tahu pengelola TPBIS.\n"},
      [ENGLISH] =
          {"This address now belongs to your TPBIS account",
           "Dear {name},\n\nThis e-mail address is now that of the TPBIS account {username}.\n\nIf the account is not yours, tell the "
           "administrators of TPBIS.\n"}}},
    {"phone_changed",
     {[INDONESIAN] =
          {"Nomor telepon akun TPBIS Anda diganti",
           "Halo {name},\n\nNomor telepon akun TPBIS {username} diganti.\n\nJika bukan Anda yang meminta, segera hubungi pengelola "
           "Anda.\n"},
      [ENGLISH] =
          {"The phone number of your TPBIS account was changed",
           "Dear {name},\n\nThe phone number of the TPBIS account {username} was changed.\n\nIf that was not you, tell your "
           "administrator at once.\n"}}},
    {"account_closed",
     {[INDONESIAN] =
          {"Akun TPBIS Anda harus dibuka kembali",
           "Halo {name},\n\nAkun TPBIS {username} mendapat tugas yang lebih tinggi daripada wewenang orang yang dulu mengundang Anda. Karena itu "
           "kata sandi dan faktor kedua akun itu tidak berlaku lagi, dan semua yang masuk dengan akun itu sudah dikeluarkan.\n\nTautan untuk "
           "membuat kata sandi baru dikirim ke alamat ini dalam surat lain, atau diberikan oleh administrator nasional.\n\nJika Anda tidak "
           "tahu tentang tugas itu, beri tahu administrator.\n"},
      [ENGLISH] =
          {"Your TPBIS account must be opened again",
           "Dear {name},\n\nThe TPBIS account {username} was given a charge above what the person who once invited you could give. Its password "
           "and its second factor are therefore void, and whoever was logged in with that account is so no more.\n\nThe link that sets "
           "another password comes to this address in another mail, or from a national administrator.\n\nIf you know nothing of that charge, "
           "tell an administrator.\n"}}},
    {"link_shown",
     {[INDONESIAN] =
          {"Tautan kata sandi akun TPBIS Anda diberikan kepada pengelola",
           "Halo {name},\n\nSeorang pengelola mengambil tautan untuk membuat kata sandi akun TPBIS {username}, untuk diserahkan kepada Anda."
           "\n\nJika Anda tidak mengenal akun ini atau tidak meminta kata sandi lain, segera beri tahu administrator nasional.\n"},
      [ENGLISH] =
          {"A password link of your TPBIS account was given to an administrator",
           "Dear {name},\n\nAn administrator took a link that sets the password of the TPBIS account {username}, to hand over to you."
           "\n\nIf you know nothing of this account or did not ask for another password, tell a national administrator at once.\n"}}},
    {"factor_reset",
     {[INDONESIAN] =
          {"Faktor kedua akun TPBIS Anda dihapus",
           "Halo {name},\n\nAdministrator menghapus faktor kedua akun TPBIS {username} beserta kode pemulihannya; semua yang masuk dengan akun "
           "itu sudah dikeluarkan.\n\nJika bukan Anda yang meminta, segera ganti kata sandi Anda dan hubungi administrator.\n"},
      [ENGLISH] =
          {"The second factor of your TPBIS account was reset",
           "Dear {name},\n\nAn administrator reset the second factor of the TPBIS account {username}, with its recovery codes; whoever was "
           "logged in with that account is so no more.\n\nIf you did not ask for that, change your password and tell an administrator at "
           "once.\n"}}},
};

/* NULL when there is none. */
static const struct text *text_of(const char *kind)
{
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcmp(texts[i].kind, kind) == 0)
            return &texts[i];
    return NULL;
}

/* The kinds that have a text, as an array literal; they need no quotes. */
static const char *kinds_literal(struct arena *arena)
{
    struct buffer literal = {0};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        buffer_printf(&literal, "%c%s", i ? ',' : '{', texts[i].kind);
    buffer_char(&literal, '}');
    const char *text = arena_cstr(arena, (struct span){literal.data, literal.len});
    buffer_free(&literal);
    return text;
}

/* The next link that is due, else the next notice. */
static enum problem_code due_take(struct pool *pool, struct arena *arena, int64_t deadline_ms,
                                  struct due *ret_due)
{
    static const char *const statements[] = {"user_link_mail", "user_mail_due"};
    const struct ask kinds = {"mail.kinds", span_of(kinds_literal(arena))};
    for (size_t i = 0; i < 2 && !ret_due->user_id; i++) {
        struct rows *rows;
        enum problem_code code = ask_write(pool, arena, &by_job, statements[i], &kinds, i,
                                           deadline_ms, &rows, NULL, NULL);
        if (code)
            return code;
        *ret_due = (struct due){
            .mail_id = i ? ask_cell(arena, rows, "id") : NULL,
            .user_id = ask_cell(arena, rows, "user_id"),
            .kind = ask_cell(arena, rows, "kind"),
            .token = i ? NULL : ask_cell(arena, rows, "token"),
            .email = ask_cell(arena, rows, "email"),
            .name = ask_cell(arena, rows, "name"),
            .username = ask_cell(arena, rows, "username"),
            .language = ask_cell(arena, rows, "language"),
        };
        rows_free(rows);
    }
    return PROBLEM_NONE;
}

/* `text` is that of its kind. */
static struct mail mail_write(struct arena *arena, const struct due *due, const struct text *text,
                              const char *base_url)
{
    bool english = due->language && strcmp(due->language, "en") == 0;
    struct buffer fillings = {0};
    BUFFER_LITERAL(&fillings, "{\"name\":");
    buffer_json_string(&fillings, due->name ? user_mail_name(arena, span_of(due->name))
                                            : username_written(arena, due));
    BUFFER_LITERAL(&fillings, ",\"username\":");
    buffer_json_string(&fillings, username_written(arena, due));
    BUFFER_LITERAL(&fillings, ",\"link\":");
    buffer_json_string(&fillings, span_of(arena_printf(arena, "%s/account/password?token=%s",
                                                       base_url, due->token ? due->token : "")));
    buffer_char(&fillings, '}');
    struct span body = problem_fill(arena, text->in[english].body,
                                    english ? LANGUAGE_EN : LANGUAGE_ID,
                                    (struct span){fillings.data, fillings.len});
    const char *filled = arena_cstr(arena, body);
    buffer_free(&fillings);
    return (struct mail){due->email, text->in[english].subject, filled};
}

/* What became of a try; of one that may be repeated nothing, for its next time is on record already. When this fails the mail is sent
 * again, a link's with another token. */
static void outcome_record(struct pool *pool, struct arena *arena, const struct due *due,
                           enum mail_outcome outcome)
{
    static const char *const statements[][2] = {
        [MAIL_SENT] = {"user_link_sent", "user_mail_sent"},
        [MAIL_REFUSED] = {"user_link_failed", "user_mail_failed"}};
    const struct ask link[] = {{"user.id", span_of(due->user_id)},
                               {"link.token", span_of(due->token)}};
    const struct ask notice[] = {{"mail.id", span_of(due->mail_id)}};
    struct rows *rows;
    if (outcome != MAIL_SENT && outcome != MAIL_REFUSED)
        return;
    (void)ask_write(pool, arena, &by_job, statements[outcome][due->mail_id != NULL],
                    due->mail_id ? notice : link, due->mail_id ? 1 : 2, clock_monotonic_ms() + 5000,
                    &rows, NULL, NULL);
    rows_free(rows);
}

/* What has no text or no address is never sent. */
static enum mail_outcome due_send(struct arena *arena, const struct mail_server *server,
                                  const struct due *due, const char *base_url)
{
    const struct text *text = text_of(due->kind);
    if (text && due->email) {
        struct mail mail = mail_write(arena, due, text, base_url);
        return mail_send(arena, server, &mail);
    }
    log_event(LOG_ERROR, "mail_not_sent", LOG_C("user", due->user_id), LOG_C("kind", due->kind),
              LOG_C("why", text ? "the account has no address" : "no text of that kind"));
    return MAIL_REFUSED;
}

bool user_mail_send(struct pool *pool, const struct mail_server *server, const char *base_url,
                    int64_t timeout_ms)
{
    bool good = true, last = false, doubted = false, sent = false;
    for (int i = 0; i < MAILS_A_RUN && good && !last; i++) {
        struct arena *arena = arena_new(4096);
        struct due due = {.user_id = NULL};
        good = due_take(pool, arena, clock_monotonic_ms() + timeout_ms, &due) == PROBLEM_NONE;
        last = !due.user_id;
        if (good && !last) {
            enum mail_outcome outcome = due_send(arena, server, &due, base_url);
            outcome_record(pool, arena, &due, outcome);
            doubted = doubted || outcome == MAIL_DOUBTED;
            sent = sent || outcome == MAIL_SENT;
            if (outcome == MAIL_SENT)
                log_event(LOG_INFO, due.mail_id ? "notice_mailed" : "link_mailed",
                          LOG_C("user", due.user_id), LOG_C("kind", due.kind));
            good = outcome != MAIL_NOBODY;
        }
        arena_free(arena);
    }
    return good && (sent || !doubted);
}
