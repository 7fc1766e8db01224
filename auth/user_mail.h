/* Mails to people, one-time links and notices: what waits in the database is sent, and tried again when it could not be. */
#ifndef AUTH_USER_MAIL_H
#define AUTH_USER_MAIL_H

#include "auth/mail.h"
#include "db/pool.h"

/* `timeout_ms` is of each statement. Sends what is due, one mail after another, at most some; a recipient who is refused
 * holds up nobody else. False when the server takes no mail at all or the database cannot be asked. */
bool user_mail_send(struct pool *pool, const struct mail_server *server, const char *base_url,
                    int64_t timeout_ms);

/* A name as it stands in a mail, in the arena: sixty characters at most, and nothing that a mail program makes a link of, for whoever makes an
 * account chooses its name and its address: `:`, `/`, `\\`, `@`, `<` and `>` are blanks, and a blank follows each dot, whichever of the dots and
 * signs of Unicode that are read as these. */
struct span user_mail_name(struct arena *arena, struct span name);

#endif
