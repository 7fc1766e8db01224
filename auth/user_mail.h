/* One-time links by mail: what waits in the database is sent, and tried again when it could not be. */
#ifndef AUTH_USER_MAIL_H
#define AUTH_USER_MAIL_H

#include "auth/mail.h"
#include "db/pool.h"

/* `timeout_ms` is of each statement. Sends what is due, one mail after another, at most some. False when one could not be sent or the database not be asked. */
bool user_mail_send(struct pool *pool, const struct mail_server *server, const char *base_url,
                    int64_t timeout_ms);

#endif
