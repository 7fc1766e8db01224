/* See probe.h. Rule: it never waits longer than told, for who asks has other things to do. */
#include "api/probe.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

static socklen_t reachable(struct sockaddr_storage *address)
{
    struct sockaddr_in *in = (struct sockaddr_in *)address;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)address;
    if (address->ss_family == AF_INET6) {
        if (IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr))
            in6->sin6_addr = in6addr_loopback;
        return sizeof(*in6);
    }
    if (in->sin_addr.s_addr == htonl(INADDR_ANY))
        in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return sizeof(*in);
}

bool probe(const struct sockaddr_storage *address, const char *path, int64_t timeout_ms)
{
    struct sockaddr_storage there = *address;
    socklen_t len = reachable(&there);
    char request[128], answer[32] = "";
    int bytes = snprintf(request, sizeof(request),
                         "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path);
    struct timeval wait = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
    int fd = socket(there.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool good = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) == 0 &&
                setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) == 0 &&
                connect(fd, (struct sockaddr *)&there, len) == 0 &&
                send(fd, request, (size_t)bytes, MSG_NOSIGNAL) == bytes &&
                recv(fd, answer, sizeof(answer) - 1, MSG_WAITALL) > 12 &&
                strncmp(answer + 8, " 200", 4) == 0;
    if (fd >= 0)
        close(fd);
    return good;
}
