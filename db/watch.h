/* Which tables changed, without asking at every request: one thread reads every 250 ms which tables
 * have newly visible audit rows. Own commits count at once. */
#ifndef DB_WATCH_H
#define DB_WATCH_H

#include "db/query.h"

struct watch;
struct watch *watch_new(const char *url,
                        int64_t interval_ms); /* starts its thread and own connection */
void watch_free(struct watch *watch);

/* The version of a set of tables: *ret_local grows whenever one of them changed (this process only).
 * *ret_shared is equal in every process for equal data, 0 while it cannot be known.
 * False when the watch is blind (no successful look for 2 s): nothing may then come from memory. */
bool watch_version(struct watch *watch, const uint16_t *tables, size_t count, uint64_t *ret_local,
                   uint64_t *ret_shared);
void watch_committed(struct watch *watch,
                     const struct table_set *changed); /* before the answer is sent */
int64_t watch_age_ms(struct watch *watch);             /* since its last successful look */

#endif
