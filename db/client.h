/* For whom a thread works: the socket of a client that may go away while the database is waited for. Then nobody needs the answer, and
 * what is waited for is given up: a place in the pool's queue, or a statement, which is cancelled. A COMMIT never is. */
#ifndef DB_CLIENT_H
#define DB_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

/* Of the calling thread; -1: nobody's. */
void client_set(int socket);
int client_socket(void);
/* Has its client closed the connection, its own half of it included? Does not wait. */
bool client_left(void);
/* When a thread that waits without its socket should look again; the far future where there is no client. */
int64_t client_look_ms(int64_t now_ms);
/* Counts waits that were given up for it. */
void client_left_count(void);
uint64_t clients_left(void);

#endif
