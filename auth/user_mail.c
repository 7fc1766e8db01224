/* Links by mail. Rule: the token is made for one try, is in the mail alone, and the try is on record before the mail goes, so that
 * a crash costs a second mail and never a lost one. */
#include "auth/user_mail.h"

#include "api/base/clock.h"
#include "api/base/log.h"
#include "api/base/buffer.h"
#include "auth/ask.h"

#define MAILS_A_RUN 20

struct due {
    const char *user_id, *kind, *token, *email, *name, *username, *language;
};

static const struct write_context by_job = {.actor = {"mail", 4}, .operation = {"mail_links", 10}};

static enum problem_code due_take(struct pool *pool, struct arena *arena, int64_t deadline_ms,
                                  struct due *ret_due)
{
    struct rows *rows;
    enum problem_code code = ask_write(pool, arena, &by_job, "user_link_mail", NULL, 0, deadline_ms,
                                       &rows, NULL, NULL);
    if (code)
        return code;
    *ret_due = (struct due){
        .user_id = ask_cell(arena, rows, "user_id"),
        .kind = ask_cell(arena, rows, "kind"),
        .token = ask_cell(arena, rows, "token"),
        .email = ask_cell(arena, rows, "email"),
        .name = ask_cell(arena, rows, "name"),
        .username = ask_cell(arena, rows, "username"),
        .language = ask_cell(arena, rows, "language"),
    };
    rows_free(rows);
    return PROBLEM_NONE;
}

static struct mail mail_write(struct arena *arena, const struct due *due, const char *base_url)
{
    static const char *const texts[2][2] = {
        /* [english][reset] */
        {"Halo %s,\n\nAnda diundang memakai layanan TPBIS. Nama pengguna Anda: %s\n\nBuatlah kata sandi dengan membuka tautan ini "
         "(berlaku 72 jam, satu kali):\n%s\n\nAbaikan surat ini jika Anda tidak mengharapkannya.\n",
         "Halo %s,\n\nPengelola meminta kata sandi baru untuk akun TPBIS Anda. Nama pengguna: %s\n\nBuatlah kata sandi baru dengan "
         "membuka tautan ini (berlaku 1 jam, satu kali):\n%s\n\nKata sandi lama tetap berlaku sampai saat itu.\n"},
        {"Dear %s,\n\nYou are invited to use the TPBIS service. Your user name: %s\n\nPlease choose a password by opening this link "
         "(it works for 72 hours, once):\n%s\n\nIf you did not expect this mail, ignore it.\n",
         "Dear %s,\n\nYour administrator asked for another password for your TPBIS account. User name: %s\n\nPlease choose it by opening "
         "this link (it works for one hour, once):\n%s\n\nYour old password works until then.\n"}};
    static const char *const subjects[2][2] = {
        {"Undangan: buat kata sandi TPBIS Anda", "Kata sandi baru untuk akun TPBIS Anda"},
        {"Invitation: choose your TPBIS password", "Another password for your TPBIS account"}};
    bool english = due->language && strcmp(due->language, "en") == 0;
    bool reset = strcmp(due->kind, "reset") == 0;
    const char *link = arena_printf(arena, "%s/account/password?token=%s", base_url, due->token);
    const char *text = texts[english][reset];
    struct buffer out = {0};
    const char *fillings[] = {due->name ? due->name : due->username, due->username, link};
    for (size_t next = 0; *text; text++) { /* the three %s, in turn */
        if (text[0] == '%' && text[1] == 's') {
            buffer_span(&out, span_of(fillings[next++]));
            text++;
        } else {
            buffer_char(&out, *text);
        }
    }
    const char *filled = arena_cstr(arena, (struct span){out.data, out.len});
    buffer_free(&out);
    return (struct mail){due->email, subjects[english][reset], filled};
}

static void sent_record(struct pool *pool, struct arena *arena, const struct due *due)
{
    const struct ask parameters[] = {{"user.id", span_of(due->user_id)},
                                     {"link.token", span_of(due->token)}};
    struct rows *rows;
    /* When it fails the mail is sent again, with another token. */
    (void)ask_write(pool, arena, &by_job, "user_link_sent", parameters, 2,
                    clock_monotonic_ms() + 5000, &rows, NULL, NULL);
    rows_free(rows);
}

bool user_mail_send(struct pool *pool, const struct mail_server *server, const char *base_url,
                    int64_t timeout_ms)
{
    bool good = true;
    for (int i = 0; i < MAILS_A_RUN && good; i++) {
        struct arena *arena = arena_new(4096);
        struct due due = {.user_id = NULL};
        good = due_take(pool, arena, clock_monotonic_ms() + timeout_ms, &due) == PROBLEM_NONE;
        if (good && due.user_id) {
            struct mail mail = mail_write(arena, &due, base_url);
            good = mail_send(arena, server, &mail);
            if (good) {
                sent_record(pool, arena, &due);
                log_event(LOG_INFO, "link_mailed", LOG_C("user", due.user_id),
                          LOG_C("kind", due.kind));
            }
        }
        bool last = !due.user_id;
        arena_free(arena);
        if (last)
            break;
    }
    return good;
}
