/* Between vfork and execve; see cposix_start in the header. */
#include "cposix.h"

/* Runs in the vfork child: nothing but system calls. */
static void become(struct cposix_launch *launch)
{
    int i, count = launch->descriptor_count;

    if (launch->new_group && setpgid(0, 0) == -1) return;
    if (launch->directory && chdir(launch->directory) == -1) return;
    /* First out of the way of the targets, then into place. */
    int moved[16];
    if (count > 16) {
        errno = EINVAL;
        return;
    }
    for (i = 0; i < count; i++) {
        moved[i] = -1;
        if (launch->descriptors[i] < 0) continue;
        moved[i] = fcntl(launch->descriptors[i], F_DUPFD, count);
        if (moved[i] == -1) return;
    }
    for (i = 0; i < count; i++) {
        if (moved[i] >= 0) {
            if (dup2(moved[i], i) == -1) return;
        } else {
            close(i); /* it may not be open */
        }
    }
    if (close_range((unsigned)count, ~0U, 0) == -1) return;
    struct { int what; rlim_t limit; } limits[] = {
        {RLIMIT_CPU, launch->processor_seconds},
        {RLIMIT_AS, launch->address_space},
        {RLIMIT_FSIZE, launch->file_size},
    };
    for (i = 0; i < 3; i++) {
        if (!limits[i].limit) continue;
        struct rlimit r;
        if (getrlimit(limits[i].what, &r) == -1) return;
        /* A limit can only be tightened; one that is tighter already stays. */
        if (r.rlim_max > limits[i].limit) r.rlim_max = limits[i].limit;
        if (r.rlim_cur > r.rlim_max) r.rlim_cur = r.rlim_max;
        if (setrlimit(limits[i].what, &r) == -1) return;
    }
    /* Ignored signals would stay ignored past execve. */
    static const int signals[] = {SIGPIPE, SIGALRM, SIGINT, SIGQUIT, SIGHUP, SIGTERM,
                                  SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF, SIGCHLD};
    for (i = 0; i < (int)(sizeof signals / sizeof signals[0]); i++) signal(signals[i], SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    if (sigprocmask(SIG_SETMASK, &none, NULL) == -1) return;
    execve(launch->path, launch->arguments, launch->environment);
}

pid_t cposix_start(struct cposix_launch *launch)
{
    launch->failure = 0;
    pid_t child = vfork();
    if (child == 0) {
        become(launch);
        launch->failure = errno; /* vfork: the parent's memory */
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
