/* Mail by SMTP. Rule: nothing of a mail is logged, and whatever stands in its head has neither line ends nor brackets of its own. */
#include "auth/mail.h"

#include <curl/curl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "api/base/buffer.h"
#include "api/base/clock.h"
#include "api/base/log.h"
#include "api/base/uuid.h"

#define CONNECT_S 5L
#define WHOLE_S 15L
#define CLOSING 421L  /* RFC 5321 4.2.2: the server goes, whatever was asked */
#define LINE_BYTES 57 /* of text: 76 characters of base64 */

static void begin(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static bool address_good(const char *address)
{
    for (const char *at = address; *at; at++)
        if ((unsigned char)*at <= ' ' || *at == 0x7f || strchr("<>()[]\\,;:\"", *at))
            return false;
    return strchr(address, '@') != NULL && strlen(address) <= 320;
}

static void base64(struct buffer *out, const char *text, size_t len)
{
    unsigned char encoded[4 * LINE_BYTES / 3 + 4];
    int count = EVP_EncodeBlock(encoded, (const unsigned char *)text, (int)len);
    buffer_add(out, (const char *)encoded, (size_t)count);
}

/* RFC 2047: words of whole characters, each at most 75 long. */
static void subject_write(struct buffer *out, const char *subject)
{
    size_t len = strlen(subject), at = 0;
    BUFFER_LITERAL(out, "Subject:");
    while (at < len) {
        size_t take = len - at < 42 ? len - at : 42;
        while (take && at + take < len && ((unsigned char)subject[at + take] & 0xc0) == 0x80)
            take--; /* not within a character */
        BUFFER_LITERAL(out, " =?UTF-8?B?");
        base64(out, subject + at, take);
        BUFFER_LITERAL(out, "?=\r\n");
        at += take;
    }
}

static void message_write(struct buffer *out, const struct mail_server *server,
                          const struct mail *mail)
{
    char date[64], id[37];
    time_t now = (time_t)clock_unix_s();
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", &utc);
    uuid_v7(id);
    buffer_printf(out, "Date: %s\r\nFrom: <%s>\r\nTo: <%s>\r\nMessage-ID: <%s%s>\r\n", date,
                  server->from, mail->to, id, strrchr(server->from, '@'));
    subject_write(out, mail->subject);
    BUFFER_LITERAL(out,
                   "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                   "Content-Transfer-Encoding: base64\r\nAuto-Submitted: auto-generated\r\n\r\n");
    for (size_t at = 0, len = strlen(mail->text); at < len; at += LINE_BYTES) {
        base64(out, mail->text + at, len - at < LINE_BYTES ? len - at : LINE_BYTES);
        BUFFER_LITERAL(out, "\r\n");
    }
}

struct upload {
    const struct buffer *message;
    size_t sent;
    bool recipient_told;    /* the server has taken the sender, and was told to whom */
    bool recipient_refused; /* and said that this is whom it refuses */
    long reply;             /* its last one */
};

/* Whether a line of a reply says that the recipient is what is refused: an enhanced status (RFC 3463 3.2, 3.3) of the address, but for those of
 * the sender's (7, 8) and of any (0), or of the mailbox. Without one, and of any other subject, the server may mean us: one that relays nothing
 * for us, or distrusts the sender, says so at the recipient (550, 553, 554). */
static bool of_recipient(const char *line)
{
    char *end;
    if (strncmp(line, "5", 1) != 0 || strlen(line) < 6 || strncmp(line + 4, "5.", 2) != 0)
        return false;
    unsigned long subject = strtoul(line + 6, &end, 10);
    unsigned long detail = *end == '.' ? strtoul(end + 1, NULL, 10) : 0;
    return subject == 2 || (subject == 1 && detail != 0 && detail != 7 && detail != 8);
}

static int trace(CURL *curl, curl_infotype type, char *text, size_t len, void *data)
{
    struct upload *upload = data;
    char line[16] = "";
    (void)curl;
    memcpy(line, text, len < sizeof line - 1 ? len : sizeof line - 1);
    if (type == CURLINFO_HEADER_OUT && strncmp(line, "RCPT", 4) == 0)
        upload->recipient_told = true;
    if (type == CURLINFO_HEADER_IN && upload->recipient_told && of_recipient(line))
        upload->recipient_refused = true;
    return 0;
}

static size_t upload_read(char *target, size_t size, size_t count, void *data)
{
    struct upload *upload = data;
    size_t room = size * count, left = upload->message->len - upload->sent;
    size_t bytes = left < room ? left : room;
    memcpy(target, upload->message->data + upload->sent, bytes);
    upload->sent += bytes;
    return bytes;
}

static CURLcode perform(CURL *curl, struct arena *arena, const struct mail_server *server,
                        const struct mail *mail, struct upload *upload)
{
    struct curl_slist *to = curl_slist_append(NULL, arena_printf(arena, "<%s>", mail->to));
    curl_easy_setopt(curl, CURLOPT_URL, server->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(curl, CURLOPT_USE_SSL, (long)(server->tls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, WHOLE_S);
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, arena_printf(arena, "<%s>", server->from));
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, upload_read);
    curl_easy_setopt(curl, CURLOPT_READDATA, upload);
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L); /* to trace(), and nowhere else */
    curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, trace);
    curl_easy_setopt(curl, CURLOPT_DEBUGDATA, upload);
    if (*server->ca_file) { /* and nobody else vouches for it */
        curl_easy_setopt(curl, CURLOPT_CAINFO, server->ca_file);
        curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    }
    if (*server->user) {
        curl_easy_setopt(curl, CURLOPT_USERNAME, server->user);
        curl_easy_setopt(curl, CURLOPT_PASSWORD, server->password);
    }
    CURLcode outcome = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &upload->reply);
    curl_slist_free_all(to);
    return outcome;
}

static enum mail_outcome judged(CURLcode outcome, const struct upload *upload)
{
    if (outcome == CURLE_OK)
        return MAIL_SENT;
    if (!upload->recipient_told || upload->reply < 400 || upload->reply == CLOSING)
        return MAIL_NOBODY;
    if (upload->reply < 500)
        return MAIL_LATER;
    return upload->recipient_refused ? MAIL_REFUSED : MAIL_DOUBTED;
}

enum mail_outcome mail_send(struct arena *arena, const struct mail_server *server,
                            const struct mail *mail)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, begin);
    bool recipient_good = mail->to && address_good(mail->to);
    if (!recipient_good || !address_good(server->from)) {
        log_event(LOG_ERROR, "mail_not_sent", LOG_C("why", "malformed address"));
        return recipient_good ? MAIL_NOBODY : MAIL_REFUSED;
    }
    CURL *curl = curl_easy_init();
    if (!curl)
        return MAIL_NOBODY;
    struct buffer message = {0};
    message_write(&message, server, mail);
    struct upload upload = {.message = &message};
    CURLcode outcome = perform(curl, arena, server, mail, &upload);
    curl_easy_cleanup(curl);
    buffer_free(&message);
    if (outcome != CURLE_OK)
        log_event(LOG_ERROR, "mail_not_sent", LOG_C("why", curl_easy_strerror(outcome)),
                  LOG_I("reply", upload.reply));
    return judged(outcome, &upload);
}
