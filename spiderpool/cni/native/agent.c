/* The way to the agent and back. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "client.h"

unsigned char answer[LARGEST_ANSWER];
size_t answer_size;
int answer_status;
const char *problem;

/* This process' network namespace, and the pod's if that exists; opened once. */
static int namespaces[2];
static size_t namespace_count;

static size_t get_number(const unsigned char *from)
{
    return (size_t)from[0] << 24 | (size_t)from[1] << 16 | (size_t)from[2] << 8 | from[3];
}

int64_t now(void)
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

/* What errno says. */
static enum outcome failure(void)
{
    problem = errno == EAGAIN ? "timed out" : strerror(errno);
    bool away =
        errno == ENOENT || errno == ECONNREFUSED || errno == ECONNRESET || errno == EPIPE;
    return away ? AWAY : FAILED;
}

static enum outcome failure_of(enum outcome outcome, const char *words)
{
    problem = words;
    return outcome;
}

static void open_namespaces(void)
{
    const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
    const char *pod = setting("CNI_NETNS", "");
    namespaces[0] = open("/proc/self/ns/net", flags);
    if (namespaces[0] < 0)
        return;
    namespaces[1] = *pod ? open(pod, flags) : -1; /* the agent knows by its absence */
    namespace_count = namespaces[1] < 0 ? 1 : 2;
}

/* Send the request, the descriptors with its first bytes. */
static enum outcome send_request(int connection, int64_t deadline)
{
    size_t size = namespace_count * sizeof(int), sent = 0;
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
            break; /* an agent that refuses the request has answered before it hung up */
        if (now_sent < 0)
            return failure();
        sent += (size_t)now_sent;
        message.msg_control = NULL;
        message.msg_controllen = 0;
    }
    return ANSWERED;
}

static enum outcome receive(int connection, unsigned char *into, size_t size, int64_t deadline)
{
    while (size) {
        limit(connection, SO_RCVTIMEO, deadline);
        ssize_t count = recv(connection, into, size, 0);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return failure();
        if (count == 0)
            return failure_of(AWAY, "it hung up before it answered");
        into += count;
        size -= (size_t)count;
    }
    return ANSWERED;
}

static enum outcome converse(int connection, int64_t deadline)
{
    unsigned char head[ANSWER_HEAD];
    enum outcome outcome = send_request(connection, deadline);
    if (outcome == ANSWERED)
        outcome = receive(connection, head, sizeof head, deadline);
    if (outcome != ANSWERED)
        return outcome;
    if (memcmp(head, MAGIC, 4) != 0)
        return failure_of(FAILED, "the answer is not the agent's");
    answer_status = (int)get_number(head + 4);
    answer_size = get_number(head + 8);
    if (answer_size > LARGEST_ANSWER)
        return failure_of(FAILED, "the answer is over 4 MiB");
    return receive(connection, answer, answer_size, deadline);
}

enum outcome ask_agent(const char *path, int64_t deadline)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return failure_of(FAILED, "AF_UNIX path too long");
    strcpy(address.sun_path, path);
    if (namespace_count == 0)
        open_namespaces();
    if (namespace_count == 0)
        return failure();
    int connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection < 0)
        return failure();
    limit(connection, SO_SNDTIMEO, deadline); /* of connect too, when the queue is full */
    bool connected = connect(connection, (struct sockaddr *)&address, sizeof address) == 0;
    enum outcome outcome = connected ? converse(connection, deadline) : failure();
    close(connection);
    return outcome;
}
