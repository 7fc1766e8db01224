/* Keeps the keys in force equal to those of their directory while the service runs: looks from time to time, and at once when a token
 * names a key that is not known, for another process may have made it a moment ago. Safe for any number of threads. */
#ifndef AUTH_KEY_KEEPER_H
#define AUTH_KEY_KEEPER_H

#include <stdbool.h>

#include "auth/key_store.h"

struct key_keeper;
struct key_keeper *key_keeper_new(const char *directory,
                                  FILE *errors); /* NULL without usable keys */
void key_keeper_free(struct key_keeper *keeper);
struct key_store *key_keeper_store(struct key_keeper *keeper);

/* Reads the directory and puts its keys in force. With a fault the old ones stay. */
bool key_keeper_reload(struct key_keeper *keeper, FILE *errors);

/* The same if the directory has changed since it was last read. */
bool key_keeper_look(struct key_keeper *keeper, FILE *errors);

/* For the sake of an unknown key: looks if the directory itself has changed, else once a second at most. The caller tries again
 * in any case: another thread may have put the key in force meanwhile. */
void key_keeper_asked(struct key_keeper *keeper);

/* Makes the next key when the newest is so many days old, and removes those that nothing alive was signed with; then looks.
 * 0 days: only looks. */
bool key_keeper_keep(struct key_keeper *keeper, int64_t days, FILE *errors);

#endif
