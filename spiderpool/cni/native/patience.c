/* How long a call may take, and waiting for an agent that is being replaced. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client.h"

enum { FIRST_PAUSE = 10000, LONGEST_PAUSE = 250000 }; /* microseconds */

int64_t budget(void)
{
    const char *text = setting("SPIDERPOOL_BUDGET_MS", NULL);
    if (!text)
        return (command_is("DEL") ? MILLISECONDS_OF_DEL : MILLISECONDS) * INT64_C(1000);
    size_t size = strlen(text);
    if (size == 0 || size > 8 || strspn(text, "0123456789") < size)
        fail(INVALID_ENVIRONMENT, "SPIDERPOOL_BUDGET_MS: '%s' is no number of milliseconds", text);
    return atoll(text) * 1000;
}

/* STATUS tells how it is now, and GC comes again. */
static bool is_patient(void)
{
    return command_is("ADD") || command_is("CHECK") || command_is("DEL");
}

enum outcome reach_agent(const char *path, int64_t deadline)
{
    int64_t pause = FIRST_PAUSE;
    for (;;) {
        enum outcome outcome = ask_agent(path, deadline);
        if (outcome != AWAY || !is_patient() || now() + pause > deadline)
            return outcome;
        nanosleep(&(struct timespec){.tv_nsec = pause * 1000}, NULL);
        pause = 2 * pause < LONGEST_PAUSE ? 2 * pause : LONGEST_PAUSE;
    }
}
