/* Mail to one address, by SMTP (libcurl). */
#ifndef AUTH_MAIL_H
#define AUTH_MAIL_H

#include "api/base/arena.h"

struct mail_server {
    const char *url;  /* smtps://host:465, or smtp://host:587 */
    const char *from; /* an address */
    const char *user; /* "": the server asks for none */
    const char *password;
    const char *ca_file; /* "": the system's authorities */
    bool tls;            /* never in the clear, never to a server that does not prove its name */
};
struct mail {
    const char *to;             /* an address; NULL is one that is refused */
    const char *subject, *text; /* UTF-8; lines of the text end in \n */
};

enum mail_outcome {
    MAIL_SENT,
    MAIL_LATER, /* not to this recipient now (4yz of RFC 5321 4.2.1, after the sender was accepted) */
    MAIL_DOUBTED, /* the same of 5yz that does not say that the recipient is why: perhaps we are */
    MAIL_REFUSED, /* never to this recipient (5yz with a status that says so, or no address at all) */
    MAIL_NOBODY, /* the server is away, or takes nothing from us: the next mail would fare no better */
};

/* Waits for the server to accept it, at most a quarter of a minute. When it did not, the log says why, without addresses. */
enum mail_outcome mail_send(struct arena *arena, const struct mail_server *server,
                            const struct mail *mail);

#endif
