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
    const char *to;             /* an address */
    const char *subject, *text; /* UTF-8; lines of the text end in \n */
};

/* Waits for the server to accept it, at most a quarter of a minute. False when it did not; the log says why, without addresses. */
bool mail_send(struct arena *arena, const struct mail_server *server, const struct mail *mail);

#endif
