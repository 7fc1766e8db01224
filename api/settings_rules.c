/* See settings_rules.h. Rule: what the manual says of a setting is held here, so that a service never starts in a state that the manual excludes. */
#include "api/settings_rules.h"

#include <string.h>
#include "api/address.h"
#include "api/base/span.h"

/* The host of a URL, without its brackets; SPAN_NONE when there is none behind that scheme. */
static struct span url_host(const char *url, const char *scheme)
{
    size_t len = strlen(scheme);
    if (strncmp(url, scheme, len) != 0)
        return SPAN_NONE;
    struct span host = {url + len, strcspn(url + len, "/?#")};
    const char *user = memchr(host.ptr, '@', host.len);
    if (user)
        host = (struct span){user + 1, host.len - (size_t)(user + 1 - host.ptr)};
    if (host.len && *host.ptr == '[')
        host = (struct span){host.ptr + 1, strcspn(host.ptr + 1, "]/")};
    else
        host.len = strcspn(host.ptr, ":/?#") < host.len ? strcspn(host.ptr, ":/?#") : host.len;
    return host.len ? host : SPAN_NONE;
}

static bool base_url_held(const struct settings *settings, FILE *errors)
{
    struct span plain = url_host(settings->base_url, "http://");
    if (!*settings->base_url) {
        if (address_is_loopback(span_of(settings->listen_address)))
            return true;
        fprintf(errors,
                "TPBIS_BASE_URL: must be given where TPBIS_LISTEN_ADDRESS, \"%s\", is not of this "
                "machine alone (localhost, 127.0.0.0/8, ::1)\n",
                settings->listen_address);
        return false;
    }
    if (url_host(settings->base_url, "https://").ptr || (plain.ptr && address_is_local(plain)))
        return true;
    fprintf(errors,
            "TPBIS_BASE_URL: \"%s\" must begin with https://; http:// is for this machine alone "
            "(localhost, 127.0.0.0/8, [::1])\n",
            settings->base_url);
    return false;
}

static bool smtp_held(const struct settings *settings, FILE *errors)
{
    const char *url = settings->smtp_url;
    struct span host = url_host(url, "smtp://");
    if (!*url)
        return true;
    if (!host.ptr)
        host = url_host(url, "smtps://");
    if (!host.ptr) {
        fprintf(errors, "TPBIS_SMTP_URL: \"%s\" must be smtp://host:port or smtps://host:port\n",
                url);
        return false;
    }
    if (strcmp(settings->smtp_tls, "off") != 0 || address_is_local(host))
        return true;
    fprintf(
        errors,
        "TPBIS_SMTP_TLS: off is for a mail server on this machine alone (localhost, 127.0.0.0/8, "
        "[::1]), and TPBIS_SMTP_URL names %.*s\n",
        SPAN_ARG(host));
    return false;
}

static bool proxies_held(const struct settings *settings, FILE *errors)
{
    struct proxies *proxies = proxies_new(settings->trusted_proxies, errors);
    proxies_free(proxies);
    return proxies != NULL;
}

/* What RFC 9116 2.5.3 takes for a contact, of printable characters: it stands in a line of its own. */
static bool contact_held(const struct settings *settings, FILE *errors)
{
    static const char *const schemes[] = {"mailto:", "https://", "tel:"};
    bool good = true;
    for (const char *at = settings->security_contact; *at;) {
        struct span uri = {at, strcspn(at, " ")};
        bool known = !uri.len, plain = true;
        for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
            known = known || (span_starts(uri, schemes[i]) && uri.len > strlen(schemes[i]));
        for (size_t i = 0; i < uri.len; i++)
            plain = plain && uri.ptr[i] > ' ' && uri.ptr[i] < 0x7f;
        if (!known || !plain)
            fprintf(errors,
                    "TPBIS_SECURITY_CONTACT: \"%.*s\" is no mailto:, https:// or tel: URI\n",
                    SPAN_ARG(uri));
        good = good && known && plain;
        at += uri.len + (at[uri.len] == ' ');
    }
    return good;
}

bool settings_take(struct settings *ret_settings, FILE *errors)
{
    bool good = settings_load(ret_settings, errors);
    good = base_url_held(ret_settings, errors) && good;
    good = smtp_held(ret_settings, errors) && good;
    good = contact_held(ret_settings, errors) && good;
    return proxies_held(ret_settings, errors) && good;
}
