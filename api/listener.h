/* The listening socket: one of our own, or one that a supervisor holds for us (socket activation). */
#ifndef API_LISTENER_H
#define API_LISTENER_H

#include <stdbool.h>
#include <stdio.h>
#include "api/base/settings.h"

struct listener {
    int fd;
    bool shared; /* others hold it too and accept from it: never shut it down, only let go of it */
};

/* True when LISTEN_PID and LISTEN_FDS (sd_listen_fds(3)) say that a socket was handed to this process. */
bool listener_handed(void);

/* Takes the socket that was handed over, else binds the configured address. False with a reason on `errors`. */
bool listener_open(const struct settings *settings, struct listener *ret_listener, FILE *errors);

#endif
