/*
 * What kubelet executes for each pod, in one file that needs nothing of the host.
 *
 * It does what ../plugin.py does, whose docstring describes the protocol; both pass the same
 * tests. Nothing is allocated: what comes from outside goes into buffers of fixed size, and
 * what does not fit is refused. Descriptors are closed by the end of the process.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define MAGIC "SPCN"
#define SOCKET "/var/run/spidernet/spiderpool.sock"
#define INTENTS "/var/lib/spidernet/intents"
#define NEWEST "1.1.0"
#define VERSION_ANSWER \
    "{\"cniVersion\": \"" NEWEST "\", " \
    "\"supportedVersions\": [\"0.3.1\", \"0.4.0\", \"1.0.0\", \"1.1.0\"]}\n"

enum {
    PROTOCOL = 1,
    REQUEST_HEAD = 16,
    ANSWER_HEAD = 12,
    CONNECT_SECONDS = 5,
    ANSWER_SECONDS = 110, /* below the two minutes that a container runtime waits at most */
    LARGEST_ENV = 64 << 10,
    LARGEST_STDIN = 4 << 20,
    LARGEST_ANSWER = 4 << 20,
    LARGEST_MESSAGE = 2 * PATH_MAX,
    INVALID_ENVIRONMENT = 4, /* these are codes of the CNI specification, section 5, "Error" */
    IO_FAILURE = 5,
    TRY_AGAIN_LATER = 11,
};

extern char **environ;

/* Head, environment and stdin, as the agent and an intent have them; one byte more than
 * allowed may be read, to see that it is too much. */
static unsigned char request[REQUEST_HEAD + LARGEST_ENV + LARGEST_STDIN + 1];
static size_t env_size, stdin_size;
static unsigned char answer[LARGEST_ANSWER];
static size_t answer_size;
static int answer_status;

static const char *setting(const char *name, const char *fallback)
{
    const char *value = getenv(name);
    return value ? value : fallback;
}

static bool command_is(const char *name)
{
    return strcmp(setting("CNI_COMMAND", ""), name) == 0;
}

static bool write_all(int descriptor, const void *data, size_t size)
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

/* ---- errors ---- */

/* The version that the request speaks, when it is one of ours, and else the newest. */
static const char *spoken_version(void)
{
    static const char *const versions[] = {"0.3.1", "0.4.0", "1.0.0", "1.1.0"};
    const unsigned char *text = request + REQUEST_HEAD + env_size, *end = text + stdin_size;
    const unsigned char *at = memmem(text, stdin_size, "\"cniVersion\"", 12);
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

/* Print an error object (CNI spec 1.1.0, section 5) and end. */
__attribute__((format(printf, 2, 3))) static _Noreturn void fail(int code, const char *format, ...)
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

/* ---- the request ---- */

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
            fail(IO_FAILURE, "the network configuration on stdin is over 4 MiB");
    }
    stdin_size = size;
}

static size_t request_size(void)
{
    return REQUEST_HEAD + env_size + stdin_size;
}

static void put_number(unsigned char *into, size_t number)
{
    for (int i = 0; i < 4; i++)
        into[i] = (unsigned char)(number >> (24 - 8 * i));
}

static size_t get_number(const unsigned char *from)
{
    return (size_t)from[0] << 24 | (size_t)from[1] << 16 | (size_t)from[2] << 8 | from[3];
}

static void fill_head(void)
{
    memcpy(request, MAGIC, 4);
    put_number(request + 4, PROTOCOL);
    put_number(request + 8, env_size);
    put_number(request + 12, stdin_size);
}

/* ---- the agent ---- */

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

/* Let the next call on `connection` end at `deadline`, in microseconds of now(). */
static void limit(int connection, int option, int64_t deadline)
{
    int64_t rest = deadline - now();
    if (rest < 1)
        rest = 1; /* 0 would mean for ever */
    struct timeval time = {.tv_sec = rest / 1000000, .tv_usec = rest % 1000000};
    setsockopt(connection, SOL_SOCKET, option, &time, sizeof time);
}

static const char *problem(void)
{
    return errno == EAGAIN ? "timed out" : strerror(errno);
}

/* Descriptors of this process' network namespace and of the pod's, if that exists; how many. */
static int open_namespaces(int opened[2])
{
    const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
    const char *pod = setting("CNI_NETNS", "");
    opened[0] = open("/proc/self/ns/net", flags);
    if (opened[0] < 0)
        return 0;
    opened[1] = *pod ? open(pod, flags) : -1; /* the agent knows by its absence */
    return opened[1] < 0 ? 1 : 2;
}

/* Send the request, the descriptors with its first bytes; what went wrong, or NULL. */
static const char *send_request(int connection, int64_t deadline)
{
    int namespaces[2];
    int count = open_namespaces(namespaces);
    if (count == 0)
        return problem();
    size_t size = (size_t)count * sizeof(int), sent = 0;
    union {
        struct cmsghdr head;
        unsigned char bytes[CMSG_SPACE(sizeof namespaces)];
    } rights = {.head = {.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
    rights.head.cmsg_len = (socklen_t)CMSG_LEN(size);
    memcpy(CMSG_DATA(&rights.head), namespaces, size);
    struct iovec part;
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    message.msg_control = &rights;
    message.msg_controllen = (socklen_t)CMSG_SPACE(size);
    while (sent < request_size()) {
        part = (struct iovec){request + sent, request_size() - sent};
        limit(connection, SO_SNDTIMEO, deadline);
        ssize_t now_sent = sendmsg(connection, &message, MSG_NOSIGNAL);
        if (now_sent < 0 && errno == EINTR)
            continue;
        if (now_sent < 0 && (errno == EPIPE || errno == ECONNRESET))
            return NULL; /* an agent that refuses the request has answered before it hung up */
        if (now_sent < 0)
            return problem();
        sent += (size_t)now_sent;
        message.msg_control = NULL;
        message.msg_controllen = 0;
    }
    return NULL;
}

static const char *receive(int connection, unsigned char *into, size_t size, int64_t deadline)
{
    while (size) {
        limit(connection, SO_RCVTIMEO, deadline);
        ssize_t count = recv(connection, into, size, 0);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return problem();
        if (count == 0)
            return "it hung up before it answered";
        into += count;
        size -= (size_t)count;
    }
    return NULL;
}

/* Fill `answer` from the agent; what went wrong, or NULL. */
static const char *ask_agent(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return "AF_UNIX path too long";
    strcpy(address.sun_path, path);
    int connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection < 0)
        return problem();
    limit(connection, SO_SNDTIMEO, now() + CONNECT_SECONDS * INT64_C(1000000));
    if (connect(connection, (struct sockaddr *)&address, sizeof address) < 0)
        return problem();
    int64_t deadline = now() + ANSWER_SECONDS * INT64_C(1000000);
    unsigned char head[ANSWER_HEAD];
    const char *wrong = send_request(connection, deadline);
    if (!wrong)
        wrong = receive(connection, head, sizeof head, deadline);
    if (wrong)
        return wrong;
    if (memcmp(head, MAGIC, 4) != 0)
        return "the answer is not the agent's";
    answer_status = (int)get_number(head + 4);
    answer_size = get_number(head + 8);
    if (answer_size > LARGEST_ANSWER)
        return "the answer is over 4 MiB";
    return receive(connection, answer, answer_size, deadline);
}

/* ---- a DEL without an agent ---- */

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
    int file = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0)
        return false;
    if (!write_all(file, request, request_size()) || fsync(file) < 0 || rename(draft, final) < 0) {
        int why = errno;
        unlink(draft);
        errno = why;
        return false;
    }
    int directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return directory >= 0 && fsync(directory) == 0;
}

/* Store the request where the agent finds it when it is back, even after a power cut. */
static void leave_intent(void)
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

int main(int count, char **arguments)
{
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a disk quota is an error of write, and told */
    if (command_is("VERSION"))
        return write_all(STDOUT_FILENO, VERSION_ANSWER, strlen(VERSION_ANSWER)) ? 0 : 1;
    bool fits = collect_env(count ? arguments[0] : "");
    read_stdin(); /* an error is told in the version that it speaks */
    if (!fits)
        fail(INVALID_ENVIRONMENT, "the CNI_* variables of the environment are over 64 KiB");
    fill_head();
    const char *path = setting("SPIDERPOOL_SOCKET", SOCKET);
    const char *wrong = ask_agent(path);
    if (wrong && !command_is("DEL"))
        fail(TRY_AGAIN_LATER, "the Spiderpool agent of this node does not answer on %s: %s", path,
             wrong);
    if (wrong) {
        leave_intent();
        return 0;
    }
    return write_all(STDOUT_FILENO, answer, answer_size) ? answer_status : 1;
}
