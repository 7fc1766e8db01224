/* Formats. Never to be broken: what passes here PostgreSQL reads without an error (dates exist,
 * years are 1 to 9999, offsets are below 16 hours), so that no client's text becomes a failure of
 * the service. */
#include "api/formats.h"

#include <assert.h>
#include <stdlib.h>
#include "api/base/uuid.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Reads exactly `count` digits. */
static bool take_digits(struct span *text, size_t count, int *ret_value)
{
    int value = 0;
    if (text->len < count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!is_digit(text->ptr[i]))
            return false;
        value = value * 10 + (text->ptr[i] - '0');
    }
    *text = (struct span){text->ptr + count, text->len - count};
    *ret_value = value;
    return true;
}

/* Reads one character out of `set`. */
static bool take_one(struct span *text, const char *set, char *ret_char)
{
    if (text->len == 0 || text->ptr[0] == '\0' || !strchr(set, text->ptr[0]))
        return false;
    *ret_char = text->ptr[0];
    *text = (struct span){text->ptr + 1, text->len - 1};
    return true;
}

static bool take_month(struct span *text, int *ret_year, int *ret_month)
{
    char c;
    return take_digits(text, 4, ret_year) && *ret_year >= 1 && take_one(text, "-", &c) &&
           take_digits(text, 2, ret_month) && *ret_month >= 1 && *ret_month <= 12;
}

static bool take_date(struct span *text)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year, month, day;
    char c;
    if (!take_month(text, &year, &month) || !take_one(text, "-", &c) || !take_digits(text, 2, &day))
        return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day >= 1 && day <= days[month - 1] + (month == 2 && leap);
}

/* "Z" or "+07:00", as minutes east. */
static bool take_offset(struct span *text, int *ret_minutes)
{
    char sign, c;
    int hours, minutes;
    if (take_one(text, "Zz", &c)) {
        *ret_minutes = 0;
        return true;
    }
    if (!take_one(text, "+-", &sign) || !take_digits(text, 2, &hours) || !take_one(text, ":", &c) ||
        !take_digits(text, 2, &minutes) || hours > 15 || minutes > 59)
        return false;
    *ret_minutes = (hours * 60 + minutes) * (sign == '-' ? -1 : 1);
    return true;
}

/* RFC 3339 section 5.6. A leap second stands only at the end of a UTC day; at most nine decimals.
 */
static bool is_date_time(struct span text)
{
    int hour, minute, second, offset;
    char c;
    if (!take_date(&text) || !take_one(&text, "Tt", &c) || !take_digits(&text, 2, &hour) ||
        !take_one(&text, ":", &c) || !take_digits(&text, 2, &minute) || !take_one(&text, ":", &c) ||
        !take_digits(&text, 2, &second))
        return false;
    if (take_one(&text, ".", &c)) {
        size_t decimals = 0;
        while (decimals < text.len && is_digit(text.ptr[decimals]))
            decimals++;
        if (decimals == 0 || decimals > 9)
            return false;
        text = (struct span){text.ptr + decimals, text.len - decimals};
    }
    if (!take_offset(&text, &offset) || text.len || hour > 23 || minute > 59 || second > 60)
        return false;
    int utc = ((hour * 60 + minute - offset) % 1440 + 1440) % 1440;
    return second < 60 || utc == 23 * 60 + 59;
}

/* A dot-separated run of labels of letters, digits and inner hyphens; at least two of them. */
static bool is_domain(struct span text)
{
    size_t label = 0, labels = 0;
    for (size_t i = 0; i <= text.len; i++) {
        if (i < text.len && text.ptr[i] != '.') {
            char c = text.ptr[i];
            if (!is_letter(c) && !is_digit(c) && !(c == '-' && label > 0))
                return false;
            label++;
            continue;
        }
        if (label == 0 || label > 63 || text.ptr[i - 1] == '-')
            return false;
        labels++;
        label = 0;
    }
    return labels >= 2 && text.len <= 253;
}

/* The dot-atom form of RFC 5321: what mailboxes really look like; quoted local parts are not taken.
 */
static bool is_email(struct span text)
{
    const char *at = text.len ? memchr(text.ptr, '@', text.len) : NULL;
    size_t local = at ? (size_t)(at - text.ptr) : 0;
    if (local == 0 || local > 64 || text.len > 254 || text.ptr[0] == '.' || at[-1] == '.')
        return false;
    for (size_t i = 0; i < local; i++) {
        char c = text.ptr[i];
        if (c == '.' ? text.ptr[i + 1] == '.'
                     : !is_letter(c) && !is_digit(c) && (!c || !strchr("!#$%&'*+-/=?^_`{|}~", c)))
            return false;
    }
    return is_domain((struct span){at + 1, text.len - local - 1});
}

/* RFC 3986: a scheme, then only characters a URI may hold, every "%" with its two digits. */
static bool is_uri(struct span text)
{
    size_t i = 0;
    while (i < text.len &&
           (is_letter(text.ptr[i]) ||
            (i > 0 && (is_digit(text.ptr[i]) || strchr("+-.", text.ptr[i])))) &&
           text.ptr[i] != '\0')
        i++;
    if (i == 0 || i + 1 >= text.len || text.ptr[i] != ':')
        return false;
    for (i++; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '%') {
            static const char hex[] = "0123456789abcdefABCDEF";
            if (text.len - i < 3 || !text.ptr[i + 1] || !text.ptr[i + 2] ||
                !strchr(hex, text.ptr[i + 1]) || !strchr(hex, text.ptr[i + 2]))
                return false;
        } else if (!is_letter(c) && !is_digit(c) && (!c || !strchr("-._~:/?#[]@!$&'()*+,;=", c))) {
            return false;
        }
    }
    return true;
}

/* A plain decimal of at most `limit`: "-6.2", without exponent or "+". */
static bool is_degrees(struct span text, double limit)
{
    char copy[32];
    size_t at = text.len && text.ptr[0] == '-', digits = 0, decimals = 0;
    if (text.len >= sizeof(copy))
        return false;
    for (; at < text.len && is_digit(text.ptr[at]); at++)
        digits++;
    if (at < text.len && text.ptr[at] == '.') {
        for (at++; at < text.len && is_digit(text.ptr[at]); at++)
            decimals++;
        if (decimals == 0)
            return false;
    }
    if (digits == 0 || at != text.len)
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    double value = strtod(copy, NULL);
    return value >= -limit && value <= limit;
}

static bool is_point(struct span text)
{
    const char *comma = text.len ? memchr(text.ptr, ',', text.len) : NULL;
    if (!comma)
        return false;
    size_t latitude = (size_t)(comma - text.ptr);
    return is_degrees((struct span){text.ptr, latitude}, 90) &&
           is_degrees((struct span){comma + 1, text.len - latitude - 1}, 180);
}

/* 19, 19.01, 19.01.06 or 19.01.06.2002: the codes of Kemendagri. */
static enum fault_code check_dotted_code(struct span text)
{
    static const char form[] = "19.99.99.1999"; /* 1: a digit but zero, 9: a digit */
    bool all_digits = true;
    for (size_t i = 0; i < text.len; i++)
        all_digits = all_digits && is_digit(text.ptr[i]);
    if (all_digits && text.len > 2)
        return FAULT_undotted_code;
    if (text.len != 2 && text.len != 5 && text.len != 8 && text.len != 13)
        return FAULT_format;
    for (size_t i = 0; i < text.len; i++) {
        bool good = form[i] == '.'
                        ? text.ptr[i] == '.'
                        : is_digit(text.ptr[i]) && (form[i] == '9' || text.ptr[i] != '0');
        if (!good)
            return FAULT_format;
    }
    return FAULT_COUNT;
}

enum fault_code format_check(enum schema_format format, struct span text)
{
    int year, month;
    bool good = true;
    switch (format) {
    case FORMAT_NONE:
        break;
    case FORMAT_UUID:
        good = uuid_valid(text);
        break;
    case FORMAT_DATE:
        good = take_date(&text) && text.len == 0;
        break;
    case FORMAT_DATE_TIME:
        good = is_date_time(text);
        break;
    case FORMAT_MONTH:
        good = take_month(&text, &year, &month) && text.len == 0;
        break;
    case FORMAT_EMAIL:
        good = is_email(text);
        break;
    case FORMAT_URI:
        good = is_uri(text);
        break;
    case FORMAT_POINT:
        good = is_point(text);
        break;
    case FORMAT_DOTTED_CODE:
        return check_dotted_code(text);
    }
    return good ? FAULT_COUNT : FAULT_format;
}

static const struct {
    const char *name, *words[2]; /* by enum language */
} formats[] = {
    [FORMAT_NONE] = {"", {"", ""}},
    [FORMAT_UUID] = {"uuid", {"UUID", "a UUID"}},
    [FORMAT_DATE] = {"date", {"tanggal YYYY-MM-DD", "a date YYYY-MM-DD"}},
    [FORMAT_DATE_TIME] = {"date-time",
                          {"waktu menurut RFC 3339 (2026-11-21T10:00:00Z)",
                           "a time of RFC 3339 (2026-11-21T10:00:00Z)"}},
    [FORMAT_MONTH] = {"month", {"bulan YYYY-MM", "a month YYYY-MM"}},
    [FORMAT_EMAIL] = {"email", {"alamat surel", "an e-mail address"}},
    [FORMAT_URI] = {"uri", {"URI (https://...)", "a URI (https://...)"}},
    [FORMAT_POINT] = {"point", {"titik lat,lon (-6.2,106.8)", "a point lat,lon (-6.2,106.8)"}},
    [FORMAT_DOTTED_CODE] = {"dotted-code",
                            {"kode wilayah (19, 19.01, 19.01.06 atau 19.01.06.2002)",
                             "a region code (19, 19.01, 19.01.06 or 19.01.06.2002)"}},
};

struct span format_name(enum schema_format format)
{
    return span_of(formats[format].name);
}

struct span format_words(struct span name, enum language language)
{
    size_t i = 0;
    while (i < sizeof(formats) / sizeof(*formats) && !span_is(name, formats[i].name))
        i++;
    assert(i < sizeof(formats) / sizeof(*formats));
    return span_of(formats[i].words[language]);
}
