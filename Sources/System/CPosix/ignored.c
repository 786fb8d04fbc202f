/* Signals that are ignored, which they would stay past execve; see cposix_ignore in the header and launch.h. */
#include "cposix.h"
#include "launch.h"

/* The kernel's own sigaction; all zero is SIG_DFL. */
struct disposition { unsigned long handler, flags, restorer; unsigned long long mask; };

static const int signals[] = {SIGPIPE, SIGALRM, SIGINT, SIGQUIT, SIGHUP, SIGTERM,
                              SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF, SIGCHLD};

/* Those that may be ignored, a bit each: all, until one was seen not to be, and those that we ignore after that. */
static unsigned ignored = ~0U;

void cposix_ignore(int number)
{
    if (number < 32) __atomic_fetch_or(&ignored, 1U << number, __ATOMIC_RELAXED);
    signal(number, SIG_IGN);
}

void cposix_default_ignored(void)
{
    static const struct disposition by_default;
    for (int i = 0; i < (int)(sizeof signals / sizeof signals[0]); i++) {
        struct disposition before;
        unsigned bit = 1U << signals[i];
        if (!(__atomic_load_n(&ignored, __ATOMIC_RELAXED) & bit)) continue;
        long failed = cposix_call(SYS_rt_sigaction, signals[i], (long)&by_default, (long)&before, sizeof before.mask);
        if (failed == 0 && before.handler != (unsigned long)SIG_IGN)
            __atomic_fetch_and(&ignored, ~bit, __ATOMIC_RELAXED);
    }
}
