/* Between the start of a process and its execve; see cposix_start and cposix_start_aside in the header. */
#include "cposix.h"
#include "launch.h"

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
    cposix_default_ignored();
    static const unsigned long long none;
    if ((failed = cposix_call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&none, 0, sizeof none)) < 0) return (int)-failed;
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
