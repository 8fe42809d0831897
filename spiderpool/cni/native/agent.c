/* The way to the agent and back. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>

#include "client.h"

unsigned char answer[LARGEST_ANSWER];
size_t answer_size;
int answer_status;

static size_t get_number(const unsigned char *from)
{
    return (size_t)from[0] << 24 | (size_t)from[1] << 16 | (size_t)from[2] << 8 | from[3];
}

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

const char *ask_agent(const char *path)
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
