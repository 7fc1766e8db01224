/* See listener.h. Rule: a socket that was handed to us keeps its queue whatever we do. Who waits in it is
 * served by the next process that holds it, so that one version can follow another without a refused
 * connection. (SO_REUSEPORT gives each process a queue of its own, and what waits in it is lost when it closes.) */
#include "api/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 1024
#define HANDED_FD 3 /* SD_LISTEN_FDS_START */

static int bind_own(const char *address, int64_t port, FILE *errors)
{
    char service[8];
    snprintf(service, sizeof(service), "%d", (int)port);
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV,
                             .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int outcome = getaddrinfo(address, service, &hints, &found);
    if (outcome) {
        fprintf(errors, "listen address %s: %s\n", address, gai_strerror(outcome));
        return -1;
    }
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
        bind(fd, found->ai_addr, found->ai_addrlen) || listen(fd, BACKLOG)) {
        fprintf(errors, "cannot listen on %s port %d: %s\n", address, (int)port, strerror(errno));
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

bool listener_handed(void)
{
    const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
    char own[24];
    snprintf(own, sizeof(own), "%ld", (long)getpid());
    return pid && count && strcmp(pid, own) == 0 && strcmp(count, "0") != 0;
}

static int socket_option(int fd, int option)
{
    int value = -1;
    socklen_t len = sizeof(value);
    return getsockopt(fd, SOL_SOCKET, option, &value, &len) == 0 ? value : -1;
}

/* NULL, or what is wrong. Unix sockets are refused because libmicrohttpd reads behind their address. */
static const char *handed_fault(int fd)
{
    int family = socket_option(fd, SO_DOMAIN);
    if (strcmp(getenv("LISTEN_FDS"), "1") != 0)
        return "one socket is served, not several";
    if (family != AF_INET && family != AF_INET6)
        return "is not an IPv4 or IPv6 socket";
    if (socket_option(fd, SO_TYPE) != SOCK_STREAM || socket_option(fd, SO_ACCEPTCONN) != 1)
        return "is not a listening stream socket (Accept=no)";
    /* Another process may have taken the connection that poll() told of. */
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) || fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK))
        return strerror(errno);
    return NULL;
}

bool listener_open(const struct settings *settings, struct listener *ret_listener, FILE *errors)
{
    struct listener listener = {.fd = HANDED_FD, .shared = listener_handed()};
    const char *fault = NULL;
    if (listener.shared)
        fault = handed_fault(listener.fd);
    else
        listener.fd = bind_own(settings->listen_address, settings->port, errors);
    if (fault)
        fprintf(errors, "the socket handed over (LISTEN_FDS=%s): %s\n", getenv("LISTEN_FDS"),
                fault);
    if (fault || listener.fd < 0)
        return false;
    *ret_listener = listener;
    return true;
}
