/* UUID version 7 (RFC 9562 5.7): 48 bits of Unix milliseconds, then 74 random bits. */
#include "api/base/uuid.h"

#include "api/base/clock.h"
#include "api/base/digest.h"
#include <stdint.h>

static bool dash_at(size_t i)
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}

void uuid_v7(char ret_text[37])
{
    static const char hex[] = "0123456789abcdef";
    unsigned char bytes[16];
    random_bytes(bytes + 6, 10);
    uint64_t ms = (uint64_t)clock_unix_ms();
    for (int i = 5; i >= 0; i--) {
        bytes[i] = (unsigned char)(ms & 0xFF);
        ms >>= 8;
    }
    bytes[6] = (unsigned char)(0x70 | (bytes[6] & 0x0F));
    bytes[8] = (unsigned char)(0x80 | (bytes[8] & 0x3F));

    size_t at = 0;
    for (size_t i = 0; i < sizeof bytes; i++) {
        if (dash_at(at))
            ret_text[at++] = '-';
        ret_text[at++] = hex[bytes[i] >> 4];
        ret_text[at++] = hex[bytes[i] & 15];
    }
    ret_text[at] = '\0';
}

bool uuid_valid(struct span text)
{
    if (text.len != 36)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (dash_at(i) ? c != '-' : !hex)
            return false;
    }
    return true;
}
