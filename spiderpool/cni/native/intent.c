/* A DEL without an agent. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "client.h"

#define INTENTS "/var/lib/spidernet/intents"

static void make_folder(const char *folder)
{
    char path[PATH_MAX];
    if (strlen(folder) >= sizeof path)
        return; /* opening a file in it says why */
    strcpy(path, folder);
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    mkdir(path, 0700);
}

static bool store(const char *draft, const char *final, const char *folder)
{
    int file = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (file < 0)
        return false;
    fchmod(file, 0640); /* the agent may be no more than of the folder's group */
    if (!write_all(file, request, request_size()) || fsync(file) < 0 || rename(draft, final) < 0) {
        int why = errno;
        unlink(draft);
        errno = why;
        return false;
    }
    int directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return directory >= 0 && fsync(directory) == 0;
}

void leave_intent(void)
{
    static char draft[PATH_MAX], final[PATH_MAX];
    const char *folder = setting("SPIDERPOOL_INTENTS", INTENTS);
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    long long stamp = (long long)time.tv_sec * 1000000000 + time.tv_nsec;
    snprintf(draft, sizeof draft, "%s/.%020lld-%d", folder, stamp, getpid());
    int size = snprintf(final, sizeof final, "%s/%020lld-%d.intent", folder, stamp, getpid());
    make_folder(folder);
    errno = ENAMETOOLONG;
    if (size >= (int)sizeof final || !store(draft, final, folder))
        fail(TRY_AGAIN_LATER, "no agent, and no note for it can be left in %s: %s", folder,
             strerror(errno));
}
