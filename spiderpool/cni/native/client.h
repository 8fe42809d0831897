/*
 * What kubelet executes for each pod, in one file that needs nothing of the host.
 *
 * It does what ../plugin.py does, whose docstring describes the protocol; both pass the same
 * tests. Nothing is allocated: what comes from outside goes into buffers of fixed size, and
 * what does not fit is refused. Descriptors of namespaces are closed by the end of the process.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAGIC "SPCN"
#define NEWEST "1.1.0"

enum {
    PROTOCOL = 1,
    REQUEST_HEAD = 16,
    ANSWER_HEAD = 12,
    MILLISECONDS = 50000, /* for all of a call: below the least that runtimes and kubelet wait */
    MILLISECONDS_OF_DEL = 1000, /* what is not done by then is done later */
    LARGEST_ENV = 64 << 10,
    LARGEST_STDIN = 1 << 20,
    LARGEST_ANSWER = 4 << 20,
    INVALID_ENVIRONMENT = 4, /* these are codes of the CNI specification, section 5, "Error" */
    IO_FAILURE = 5,
    DECODING_FAILURE = 6,
    TRY_AGAIN_LATER = 11,
};

/* request.c: head, environment and stdin, as the agent and an intent have them. */
extern unsigned char request[];
size_t request_size(void);
const unsigned char *request_stdin(size_t *size);
/* Fill it from environ, `program` (a path) and stdin, or fail. */
void read_request(const char *program);

/* agent.c: ask once. AWAY is worth another attempt: nobody is there, or who was there has gone
 * without an answer. Deadlines are microseconds of now(). */
enum outcome { ANSWERED, AWAY, FAILED };
enum outcome ask_agent(const char *path, int64_t deadline);
extern unsigned char answer[];
extern size_t answer_size;
extern int answer_status;
extern const char *problem; /* why it is not ANSWERED */
int64_t now(void);

/* patience.c: ask again while the agent is AWAY; microseconds that this call may take, or fail. */
enum outcome reach_agent(const char *path, int64_t deadline);
int64_t budget(void);

/* intent.c: store the request where the agent finds it when it is back, even after a power
 * cut, or fail. */
void leave_intent(void);

/* failure.c: print an error object (CNI spec 1.1.0, section 5) and end. */
__attribute__((format(printf, 2, 3))) _Noreturn void fail(int code, const char *format, ...);

/* client.c */
const char *setting(const char *name, const char *fallback);
bool command_is(const char *name);
bool write_all(int descriptor, const void *data, size_t size);

#endif
