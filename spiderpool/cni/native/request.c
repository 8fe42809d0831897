/* The request: CNI_* of the environment, the name of the plugin, stdin. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "client.h"

extern char **environ;

/* One byte more than allowed may be read, to see that it is too much. */
unsigned char request[REQUEST_HEAD + LARGEST_ENV + LARGEST_STDIN + 1];
static size_t env_size, stdin_size;

static bool add_entry(const char *start, const char *value)
{
    size_t room = LARGEST_ENV - env_size, name = strlen(start), size = name + strlen(value) + 1;
    if (size > room)
        return false;
    unsigned char *into = request + REQUEST_HEAD + env_size;
    strcpy(mempcpy(into, start, name), value);
    env_size += size;
    return true;
}

/* Whether there is room for all of it. */
static bool collect_env(const char *program)
{
    for (char **entry = environ; *entry; entry++)
        if (strncmp(*entry, "CNI_", 4) == 0 && strchr(*entry, '=') && !add_entry(*entry, ""))
            return false;
    const char *slash = strrchr(program, '/');
    return add_entry("SPIDERPOOL_PLUGIN=", slash ? slash + 1 : program);
}

static void read_stdin(void)
{
    unsigned char *into = request + REQUEST_HEAD + env_size;
    size_t size = 0;
    for (;;) {
        ssize_t count = read(STDIN_FILENO, into + size, LARGEST_STDIN + 1 - size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            fail(IO_FAILURE, "stdin cannot be read: %s", strerror(errno));
        if (count == 0)
            break;
        size += (size_t)count;
        if (size > LARGEST_STDIN)
            fail(DECODING_FAILURE, "the network configuration on stdin is over 1 MiB");
    }
    stdin_size = size;
}

size_t request_size(void)
{
    return REQUEST_HEAD + env_size + stdin_size;
}

const unsigned char *request_stdin(size_t *size)
{
    *size = stdin_size;
    return request + REQUEST_HEAD + env_size;
}

static void put_number(unsigned char *into, size_t number)
{
    for (int i = 0; i < 4; i++)
        into[i] = (unsigned char)(number >> (24 - 8 * i));
}

void read_request(const char *program)
{
    bool fits = collect_env(program);
    read_stdin(); /* an error is told in the version that it speaks */
    if (!fits)
        fail(INVALID_ENVIRONMENT, "the CNI_* variables of the environment are over 64 KiB");
    memcpy(request, MAGIC, 4);
    put_number(request + 4, PROTOCOL);
    put_number(request + 8, env_size);
    put_number(request + 12, stdin_size);
}
