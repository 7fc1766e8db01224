/* Addresses of clients. Rule: what a client wrote is never believed; of X-Forwarded-For only what a trusted proxy has added
 * is read, from its end. */
#define _GNU_SOURCE /* memrchr */
#include "api/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include "api/base/arena.h"

#define PROXIES_MAX 64
#define SUBSCRIBER_BITS 64

struct prefix {
    struct in6_addr address; /* IPv4 as ::ffff:a.b.c.d */
    unsigned bits;
};
struct proxies {
    struct prefix list[PROXIES_MAX];
    size_t count;
};

static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};

static bool is_ipv4(const struct in6_addr *address)
{
    return memcmp(address->s6_addr, mapped, sizeof(mapped)) == 0;
}

static bool address_read(struct span text, struct in6_addr *ret_address)
{
    char copy[INET6_ADDRSTRLEN];
    struct in_addr four;
    if (!text.len || text.len >= sizeof(copy))
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    if (inet_pton(AF_INET, copy, &four) == 1) {
        memcpy(ret_address->s6_addr, mapped, sizeof(mapped));
        memcpy(ret_address->s6_addr + sizeof(mapped), &four, sizeof(four));
        return true;
    }
    return inet_pton(AF_INET6, copy, ret_address) == 1;
}

static bool within(const struct in6_addr *address, const struct prefix *prefix)
{
    size_t bytes = prefix->bits / 8, rest = prefix->bits % 8;
    if (memcmp(address->s6_addr, prefix->address.s6_addr, bytes) != 0)
        return false;
    unsigned mask = rest ? 0xffU << (8 - rest) & 0xffU : 0;
    return !rest ||
           ((unsigned)(address->s6_addr[bytes] ^ prefix->address.s6_addr[bytes]) & mask) == 0;
}

static bool trusted(const struct proxies *proxies, const struct in6_addr *address)
{
    for (size_t i = 0; i < proxies->count; i++)
        if (within(address, &proxies->list[i]))
            return true;
    return false;
}

static struct span trim(struct span text)
{
    while (text.len && (*text.ptr == ' ' || *text.ptr == '\t'))
        text = (struct span){text.ptr + 1, text.len - 1};
    while (text.len && (text.ptr[text.len - 1] == ' ' || text.ptr[text.len - 1] == '\t'))
        text.len--;
    return text;
}

/* ---- the setting ------------------------------------------------------------------------------ */

static bool prefix_read(struct span text, struct prefix *ret_prefix)
{
    const char *slash = memchr(text.ptr, '/', text.len);
    struct span address = slash ? (struct span){text.ptr, (size_t)(slash - text.ptr)} : text;
    if (!address_read(address, &ret_prefix->address))
        return false;
    unsigned most = is_ipv4(&ret_prefix->address) ? 32 : 128, bits = most;
    if (slash) {
        struct span digits = {slash + 1, text.len - address.len - 1};
        if (!digits.len || digits.len > 3)
            return false;
        bits = 0;
        for (size_t i = 0; i < digits.len; i++) {
            if (digits.ptr[i] < '0' || digits.ptr[i] > '9')
                return false;
            bits = bits * 10 + (unsigned)(digits.ptr[i] - '0');
        }
    }
    ret_prefix->bits = bits + 128 - most;
    return bits <= most;
}

/* Networks that no stranger on the internet has an address of. Others may be as wide as the largest that somebody runs proxies in
 * (a /12 or a /28 of a content delivery network), and no wider: whoever is trusted says who everybody is. */
static bool too_wide(const struct prefix *prefix)
{
    struct in6_addr ipv4 = {0};
    memcpy(ipv4.s6_addr, mapped, sizeof(mapped));
    if (prefix->bits < 96 + 12 && within(&ipv4, prefix))
        return true; /* ::/64 and its like hold every IPv4 address (RFC 4291 2.5.5.2) */
    static const char *const private_list[] = {"10.0.0.0/8", "127.0.0.0/8", "100.64.0.0/10",
                                               "fc00::/7", "fe80::/10"};
    for (size_t i = 0; i < sizeof(private_list) / sizeof(*private_list); i++) {
        struct prefix one;
        if (prefix_read(span_of(private_list[i]), &one) && prefix->bits >= one.bits &&
            within(&prefix->address, &one))
            return false;
    }
    return prefix->bits < (is_ipv4(&prefix->address) ? 96 + 12 : 28);
}

/* What is wrong with one entry; NULL when it was taken. */
static const char *proxies_add(struct proxies *proxies, struct span text)
{
    if (proxies->count == PROXIES_MAX)
        return "is one too many";
    if (!text.len || !prefix_read(text, &proxies->list[proxies->count]))
        return "is no address or prefix";
    if (too_wide(&proxies->list[proxies->count]))
        return "holds far more than proxies of yours, and everybody in there could claim any address; name the proxies themselves";
    proxies->count++;
    return NULL;
}

struct proxies *proxies_new(const char *list, FILE *errors)
{
    struct proxies *proxies = memory_alloc(sizeof(*proxies));
    bool good = true;
    while (*list) {
        size_t len = strcspn(list, ",");
        struct span text = trim((struct span){list, len});
        const char *fault = proxies_add(proxies, text);
        if (fault)
            fprintf(errors, "TPBIS_TRUSTED_PROXIES: \"%.*s\" %s\n", SPAN_ARG(text), fault);
        good = good && !fault;
        list += len + (list[len] == ',');
    }
    if (good)
        return proxies;
    free(proxies);
    return NULL;
}

bool address_is_loopback(struct span host)
{
    struct in6_addr address;
    struct prefix loopback;
    if (span_is(host, "localhost"))
        return true;
    return address_read(host, &address) &&
           (memcmp(&address, &in6addr_loopback, sizeof address) == 0 ||
            (prefix_read(SPAN("127.0.0.0/8"), &loopback) && within(&address, &loopback)));
}

bool address_is_local(struct span host)
{
    struct in6_addr address;
    return address_is_loopback(host) || span_is(host, "0.0.0.0") ||
           (address_read(host, &address) && memcmp(&address, &in6addr_any, sizeof address) == 0);
}

void proxies_free(struct proxies *proxies)
{
    free(proxies);
}

/* ---- a request -------------------------------------------------------------------------------- */

static bool peer_read(const struct sockaddr *peer, struct in6_addr *ret_address)
{
    if (peer && peer->sa_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)peer;
        memcpy(ret_address->s6_addr, mapped, sizeof(mapped));
        memcpy(ret_address->s6_addr + sizeof(mapped), &four->sin_addr, sizeof(four->sin_addr));
        return true;
    }
    if (peer && peer->sa_family == AF_INET6)
        *ret_address = ((const struct sockaddr_in6 *)(const void *)peer)->sin6_addr;
    return peer && peer->sa_family == AF_INET6;
}

/* Takes the last element off the end. */
static bool last_take(struct span *list, struct span *ret_element)
{
    if (!list->len)
        return false;
    size_t at = list->len;
    while (at && list->ptr[at - 1] != ',')
        at--;
    *ret_element = trim((struct span){list->ptr + at, list->len - at});
    list->len = at ? at - 1 : 0;
    return true;
}

/* Some proxies write a port: 192.0.2.1:4711, [2001:db8::1]:4711. */
static struct span without_port(struct span element)
{
    const char *colon = element.len ? memrchr(element.ptr, ':', element.len) : NULL;
    const char *bracket = element.len ? memchr(element.ptr, ']', element.len) : NULL;
    if (element.len && *element.ptr == '[' && bracket)
        return (struct span){element.ptr + 1, (size_t)(bracket - element.ptr - 1)};
    if (colon && memchr(element.ptr, ':', element.len) == colon)
        return (struct span){element.ptr, (size_t)(colon - element.ptr)};
    return element;
}

static bool client_find(const struct proxies *proxies, const struct sockaddr *peer,
                        struct span forwarded, struct in6_addr *ret_address)
{
    struct in6_addr next;
    struct span element;
    if (!peer_read(peer, ret_address))
        return false;
    while (trusted(proxies, ret_address) && last_take(&forwarded, &element) &&
           address_read(without_port(element), &next))
        *ret_address = next;
    return true;
}

/* Only the first `bits` of 128, whole bytes of them. */
static void network_write(struct in6_addr address, unsigned bits, char ret_text[ADDRESS_TEXT])
{
    bool four = is_ipv4(&address);
    memset(address.s6_addr + bits / 8, 0, 16 - bits / 8);
    inet_ntop(four ? AF_INET : AF_INET6, address.s6_addr + (four ? sizeof(mapped) : 0), ret_text,
              ADDRESS_TEXT);
    unsigned skipped = four ? 96 : 0;
    if (bits < 128)
        snprintf(ret_text + strlen(ret_text), ADDRESS_TEXT - strlen(ret_text), "/%u",
                 bits - skipped);
}

void address_of(const struct proxies *proxies, const struct sockaddr *peer, struct span forwarded,
                char ret_text[ADDRESS_TEXT])
{
    struct in6_addr address;
    ret_text[0] = '\0';
    if (client_find(proxies, peer, forwarded, &address))
        network_write(address, is_ipv4(&address) ? 128 : SUBSCRIBER_BITS, ret_text);
}

void address_network_of(const struct proxies *proxies, const struct sockaddr *peer,
                        struct span forwarded, char ret_text[ADDRESS_TEXT])
{
    struct in6_addr address;
    ret_text[0] = '\0';
    if (client_find(proxies, peer, forwarded, &address))
        network_write(address, is_ipv4(&address) ? 96 + 24 : 48, ret_text);
}

bool proxies_trust(const struct proxies *proxies, const struct sockaddr *peer)
{
    struct in6_addr address;
    return peer_read(peer, &address) && trusted(proxies, &address);
}
