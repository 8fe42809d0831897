/* Who is asked what, and what is printed. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"

#define SOCKET "/var/run/spidernet/spiderpool.sock"
#define VERSION_ANSWER \
    "{\"cniVersion\": \"" NEWEST "\", " \
    "\"supportedVersions\": [\"0.3.1\", \"0.4.0\", \"1.0.0\", \"1.1.0\"]}\n"

const char *setting(const char *name, const char *fallback)
{
    const char *value = getenv(name);
    return value ? value : fallback;
}

bool write_all(int descriptor, const void *data, size_t size)
{
    const unsigned char *next = data;
    while (size) {
        ssize_t written = write(descriptor, next, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        next += written;
        size -= (size_t)written;
    }
    return true;
}

bool command_is(const char *name)
{
    return strcmp(setting("CNI_COMMAND", ""), name) == 0;
}

int main(int count, char **arguments)
{
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a disk quota is an error of write, and told */
    if (command_is("VERSION"))
        return write_all(STDOUT_FILENO, VERSION_ANSWER, strlen(VERSION_ANSWER)) ? 0 : 1;
    read_request(count ? arguments[0] : "");
    const char *path = setting("SPIDERPOOL_SOCKET", SOCKET);
    int64_t began = now(), deadline = began + budget();
    if (reach_agent(path, deadline) == ANSWERED)
        return write_all(STDOUT_FILENO, answer, answer_size) ? answer_status : 1;
    if (!command_is("DEL"))
        fail(TRY_AGAIN_LATER,
             "the Spiderpool agent of this node does not answer on %s: %s; tried for %.1f s", path,
             problem, (double)(now() - began) / 1e6);
    leave_intent();
    return 0;
}
