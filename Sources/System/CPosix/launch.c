/* Between the start of a process and its execve; see cposix_start and cposix_start_aside in the header. */
#include "cposix.h"
#include "launch.h"

/* The kernel's own sigaction; all zero is SIG_DFL. */
struct disposition { unsigned long handler, flags, restorer; unsigned long long mask; };
enum { mask_size = 8 };

/* Signals that may be ignored here, a bit each: all, until one was seen not to be, and those that we ignore after that. */
static unsigned ignored = ~0U;

void cposix_ignore(int number)
{
    if (number < 32) __atomic_fetch_or(&ignored, 1U << number, __ATOMIC_RELAXED);
    signal(number, SIG_IGN);
}

int cposix_become(const struct cposix_launch *launch)
{
    int i, count = launch->descriptor_count;
    long failed;

    if (launch->new_group && (failed = cposix_call(SYS_setpgid, 0, 0, 0, 0)) < 0) return (int)-failed;
    /* First out of the way of the targets, if it is in the way, then into place. */
    int moved[cposix_most_descriptors];
    if (count > cposix_most_descriptors) return EINVAL;
    for (i = 0; i < count; i++) {
        moved[i] = -1;
        if (launch->descriptors[i] < 0) continue;
        moved[i] = launch->descriptors[i];
        if (moved[i] >= count || moved[i] == i) continue;
        moved[i] = (int)cposix_call(SYS_fcntl, launch->descriptors[i], F_DUPFD, count, 0);
        if (moved[i] < 0) return -moved[i];
    }
    for (i = 0; i < count; i++) {
        if (moved[i] < 0) {
            cposix_call(SYS_close, i, 0, 0, 0); /* it may not be open */
        } else if (moved[i] == i) {
            /* It must outlive execve, which a copy does by itself. */
            if ((failed = cposix_call(SYS_fcntl, i, F_SETFD, 0, 0)) < 0) return (int)-failed;
        } else {
            if ((failed = cposix_call(SYS_dup3, moved[i], i, 0, 0)) < 0) return (int)-failed;
        }
    }
    if ((failed = cposix_call(SYS_close_range, count, ~0U, 0, 0)) < 0) return (int)-failed;
    struct { int what; rlim_t limit; } limits[] = {
        {RLIMIT_CPU, launch->processor_seconds},
        {RLIMIT_AS, launch->address_space},
        {RLIMIT_FSIZE, launch->file_size},
    };
    for (i = 0; i < 3; i++) {
        if (!limits[i].limit) continue;
        struct rlimit r;
        if ((failed = cposix_call(SYS_prlimit64, 0, limits[i].what, 0, (long)&r)) < 0) return (int)-failed;
        /* A limit can only be tightened; one that is tighter already stays. */
        if (r.rlim_max > limits[i].limit) r.rlim_max = limits[i].limit;
        if (r.rlim_cur > r.rlim_max) r.rlim_cur = r.rlim_max;
        if ((failed = cposix_call(SYS_prlimit64, 0, limits[i].what, (long)&r, 0)) < 0) return (int)-failed;
    }
    /* Ignored signals would stay ignored past execve. What was seen here the parent knows, too, if it shares its memory. */
    static const int signals[] = {SIGPIPE, SIGALRM, SIGINT, SIGQUIT, SIGHUP, SIGTERM,
                                  SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF, SIGCHLD};
    static const struct disposition by_default;
    for (i = 0; i < (int)(sizeof signals / sizeof signals[0]); i++) {
        unsigned bit = 1U << signals[i];
        if (!(__atomic_load_n(&ignored, __ATOMIC_RELAXED) & bit)) continue;
        struct disposition before;
        failed = cposix_call(SYS_rt_sigaction, signals[i], (long)&by_default, (long)&before, mask_size);
        if (failed == 0 && before.handler != (unsigned long)SIG_IGN)
            __atomic_fetch_and(&ignored, ~bit, __ATOMIC_RELAXED);
    }
    static const unsigned long long none;
    if ((failed = cposix_call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&none, 0, mask_size)) < 0) return (int)-failed;
    /* Late, for the new user may send signals to a process of his; but he enters the folder with his own rights. */
    if (launch->becomes_user) {
        long user = launch->user, group = launch->group;
        if (user == 0) return EPERM;
        /* libc's functions would change all threads and keep locks; the kernel's change this process alone. */
        if ((failed = cposix_call(SYS_setgroups, 0, 0, 0, 0)) < 0) return (int)-failed;
        if ((failed = cposix_call(SYS_setresgid, group, group, group, 0)) < 0) return (int)-failed;
        if ((failed = cposix_call(SYS_setresuid, user, user, user, 0)) < 0) return (int)-failed;
    }
    if (launch->leaves_real_user) {
        long user = cposix_call(SYS_geteuid, 0, 0, 0, 0);
        if ((failed = cposix_call(SYS_setresuid, user, user, user, 0)) < 0) return (int)-failed;
    }
    if (launch->directory && (failed = cposix_call(SYS_chdir, (long)launch->directory, 0, 0, 0)) < 0) return (int)-failed;
    return (int)-cposix_call(SYS_execve, (long)launch->path, (long)launch->arguments, (long)launch->environment, 0);
}

pid_t cposix_start(struct cposix_launch *launch)
{
    launch->failure = 0;
    /* Whoever started us may ignore SIGCHLD; then nobody could be waited for. */
    signal(SIGCHLD, SIG_DFL);
    pid_t child = vfork();
    if (child == 0) {
        launch->failure = cposix_become(launch); /* vfork: the parent's memory */
        _exit(127);
    }
    if (child > 0 && launch->failure) {
        int status;
        while (waitpid(child, &status, 0) == -1 && errno == EINTR) {}
        errno = launch->failure;
        return -1;
    }
    return child;
}
