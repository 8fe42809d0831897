/* Errors, as CNI wants them told. */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client.h"

enum { LARGEST_MESSAGE = 2 * PATH_MAX };

/* The version that the request speaks, when it is one of ours, and else the newest. */
static const char *spoken_version(void)
{
    static const char *const versions[] = {"0.3.1", "0.4.0", "1.0.0", "1.1.0"};
    size_t size;
    const unsigned char *text = request_stdin(&size), *end = text + size;
    const unsigned char *at = memmem(text, size, "\"cniVersion\"", 12);
    const unsigned char *quote = at ? memchr(at + 12, '"', (size_t)(end - at - 12)) : NULL;
    for (size_t i = 0; quote && i < sizeof versions / sizeof *versions; i++) {
        size_t length = strlen(versions[i]);
        if ((size_t)(end - quote) > length + 1 && quote[length + 1] == '"' &&
            memcmp(quote + 1, versions[i], length) == 0)
            return versions[i];
    }
    return NEWEST;
}

/* Bytes of the UTF-8 sequence at `at` (RFC 3629, section 4); 0 when it is none. */
static size_t letter_size(const unsigned char *at)
{
    size_t size = at[0] < 0x80                    ? 1
                  : at[0] >= 0xc2 && at[0] < 0xe0 ? 2
                  : (at[0] & 0xf0) == 0xe0        ? 3
                  : at[0] >= 0xf0 && at[0] < 0xf5 ? 4
                                                  : 0;
    for (size_t i = 1; i < size; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xf0 && at[1] < 0x90);
    bool no_letter = (at[0] == 0xed && at[1] > 0x9f) || (at[0] == 0xf4 && at[1] > 0x8f);
    return overlong || no_letter ? 0 : size;
}

/* `text` as the inside of a JSON string; `into` has room for six bytes of each of its bytes. */
static void escape(char *into, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    while (*at) {
        size_t size = letter_size(at);
        if (size == 0)
            into += sprintf(into, "\\ufffd");
        else if (*at < ' ' || *at == '"' || *at == '\\')
            into += sprintf(into, "\\u%04x", *at);
        else
            into = mempcpy(into, at, size);
        at += size ? size : 1;
    }
    *into = '\0';
}

_Noreturn void fail(int code, const char *format, ...)
{
    static char message[LARGEST_MESSAGE], escaped[6 * LARGEST_MESSAGE];
    va_list values;
    va_start(values, format);
    vsnprintf(message, sizeof message, format, values);
    va_end(values);
    escape(escaped, message);
    dprintf(STDOUT_FILENO, "{\"cniVersion\": \"%s\", \"code\": %d, \"msg\": \"%s\"}\n",
            spoken_version(), code, escaped);
    _exit(1);
}
