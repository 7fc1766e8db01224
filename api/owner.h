/* Statements that a subcommand runs as the owner, one after the other on one connection. */
#ifndef API_OWNER_H
#define API_OWNER_H

#include <stdio.h>
#include "api/base/arena.h"
#include "api/base/settings.h"
#include "api/commands.h"
#include "db/query.h"

struct owner;

/* NULL with a reason on stderr when there is no database. `command` is what the audit records. */
struct owner *owner_open(const struct settings *settings, const char *command);
void owner_close(struct owner *owner);

/* Binds a name for the statements that follow; the text must outlive them. */
void owner_bind(struct owner *owner, const char *name, const char *text);
/* Runs it; a writing one is committed. NULL with a reason on stderr after a failure. */
struct rows *owner_read(struct owner *owner, const char *statement);
struct rows *owner_write(struct owner *owner, const char *statement);
/* A cell of the rows as text, "" when it is NULL; lives until the owner is closed. */
const char *owner_cell(struct owner *owner, const struct rows *rows, size_t row,
                       const char *column);

#endif
