/* See confinement.h. */
#include "cposix.h"
#include "confinement.h"
#include <linux/capability.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

static int get_capabilities(struct __user_cap_data_struct data[2])
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    return (int)syscall(SYS_capget, &header, data);
}

static int set_capabilities(const struct __user_cap_data_struct data[2])
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    return (int)syscall(SYS_capset, &header, data);
}

int cposix_raise_capabilities(void)
{
    struct __user_cap_data_struct data[2];
    if (get_capabilities(data) == -1) return -1;
    if (!(data[0].permitted | data[1].permitted)) return 0;
    for (int i = 0; i < 2; i++) data[i].effective = data[i].permitted;
    return set_capabilities(data);
}

int cposix_drop_capabilities(void)
{
    /* What is neither permitted nor inheritable cannot stay ambient; see capabilities(7). */
    static const struct __user_cap_data_struct none[2];
    return set_capabilities(none);
}

int cposix_has_capabilities(void)
{
    struct __user_cap_data_struct data[2];
    if (get_capabilities(data) == -1) return -1;
    unsigned any = 0;
    for (int i = 0; i < 2; i++) any |= data[i].effective | data[i].permitted | data[i].inheritable;
    return any != 0;
}

int cposix_hide_memory(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }
int cposix_may_gain_privileges(void) { return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1; }
int cposix_end_with_parent(void) { return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); }
int cposix_adopt_orphans(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

int cposix_limit_processes(unsigned long count)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NPROC, &limit) == -1) return -1;
    if (limit.rlim_max > count) limit.rlim_max = count;
    if (limit.rlim_cur > limit.rlim_max) limit.rlim_cur = limit.rlim_max;
    return setrlimit(RLIMIT_NPROC, &limit);
}

int cposix_forget_ended(void) { return waitpid(-1, NULL, WNOHANG | __WALL); }

int cposix_open_folder(int parent, const char *name)
{
    return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

long cposix_file_capabilities(const char *path)
{
    struct vfs_ns_cap_data data = {0};
    ssize_t size = getxattr(path, "security.capability", &data, sizeof data);
    if (size == -1) return errno == ENODATA || errno == EOPNOTSUPP ? 0 : -1;
    return size < (ssize_t)XATTR_CAPS_SZ_1 ? 0 : (long)data.data[0].permitted;
}
