/* What a scan's process is kept apart by; see cscanbroker.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "cscanbroker.h"
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int cscan_is_readable(int fd)
{
    struct stat status;
    int flags = fcntl(fd, F_GETFL);
    return flags != -1 && !(flags & O_PATH) && (flags & O_ACCMODE) != O_WRONLY && fstat(fd, &status) == 0
        && S_ISREG(status.st_mode);
}

int cscan_part_processes(void) { return unshare(CLONE_NEWPID); }
int cscan_rejoin_processes(int own) { return setns(own, CLONE_NEWPID); }

int cscan_part_mounts(void)
{
    /* Of /proc alone, for in a changed root "/" may be no mount. What is mounted over it goes nowhere else then. */
    if (unshare(CLONE_NEWNS) == -1 || mount("none", "/proc", NULL, MS_PRIVATE, NULL) == -1) return -1;
    return mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

int cscan_empty_bounding_set(void)
{
    int there;
    for (int i = 0; (there = prctl(PR_CAPBSET_READ, i, 0, 0, 0)) != -1; i++)
        if (there && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) == -1) return -1;
    return 0;
}

int cscan_is_dumpable(void) { return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0; }
int cscan_set_users(unsigned real, unsigned effective) { return setresuid(real, effective, real); }

/* As in linux/landlock.h; see CPosix/domain.c. */
int cscan_domain_version(void) { return (int)syscall(444, (void *)0, 0, 1); }
