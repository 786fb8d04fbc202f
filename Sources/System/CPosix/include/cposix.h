#ifndef CPOSIX_H
#define CPOSIX_H

/* libc as Posix sees it.  Embedded Swift has no Glibc module, and that module lacks the GNU
   calls (setresuid, getauxval, pipe2, accept4); so the headers come in here. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <ifaddrs.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

/* errno is a macro around a function call. */
static inline int cposix_errno(void) { return errno; }
static inline void cposix_set_errno(int value) { errno = value; }

/* open, openat and fcntl are variadic. */
static inline int cposix_open(const char *_Nonnull path, int flags, mode_t mode)
{
    return open(path, flags, mode);
}
static inline int cposix_openat(int folder, const char *_Nonnull name, int flags, mode_t mode)
{
    return openat(folder, name, flags, mode);
}
static inline int cposix_fcntl(int fd, int command, int argument)
{
    return fcntl(fd, command, argument);
}

/* These are function-like macros. */
static inline int cposix_exited(int status) { return WIFEXITED(status); }
static inline int cposix_exit_code(int status) { return WEXITSTATUS(status); }
static inline int cposix_signal(int status) { return WIFSIGNALED(status) ? WTERMSIG(status) : 0; }

/* ioctl is variadic. Whether calls on the open file wait. */
static inline int cposix_set_non_blocking(int fd, int on) { return ioctl(fd, FIONBIO, &on); }
/* Copies of these descriptors end with an execve; those that are not open stay so. */
static inline int cposix_close_on_exec(unsigned first, unsigned last)
{
    return close_range(first, last, CLOSE_RANGE_CLOEXEC);
}

/* SIG_IGN and SIG_DFL are casts. */
void cposix_ignore(int number);
static inline void cposix_default(int number) { signal(number, SIG_DFL); }

/* Swift finds the structures of these names and not the calls. */
static inline int cposix_stat(const char *_Nonnull path, struct stat *_Nonnull status)
{
    return stat(path, status);
}
static inline int cposix_statvfs(const char *_Nonnull path, struct statvfs *_Nonnull status)
{
    return statvfs(path, status);
}

/* fcntl is variadic, and Swift takes the name of the structure for the call flock: the whole file, to be written,
   without waiting. */
static inline int cposix_lock_record(int fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(fd, F_SETLK, &lock);
}

/* Whether flock and fcntl are one lock on the file's file system, because its server knows only one kind (NFS, SMB,
   CIFS; see flock(2)): 1, 0, or -1 and errno.  The numbers are of statfs(2); Swift finds the structure of that name. */
static inline int cposix_has_one_lock(int fd)
{
    struct statfs system;
    if (fstatfs(fd, &system) == -1) return -1;
    switch ((unsigned int)system.f_type) {
    case 0x6969u: case 0x517bu: case 0xff534d42u: case 0xfe534d42u: return 1;
    default: return 0;
    }
}

/* What kind of file system the file is on: the number of statfs(2), or -1 and errno. */
static inline long cposix_file_system(int fd)
{
    struct statfs system;
    return fstatfs(fd, &system) == -1 ? -1 : (long)(unsigned int)system.f_type;
}

/* Swift does not import fork. */
static inline pid_t cposix_fork(void) { return fork(); }

/* These are function-like macros. */
static inline unsigned int cposix_major(unsigned long device) { return major(device); }
static inline unsigned int cposix_minor(unsigned long device) { return minor(device); }

/* O_TMPFILE is an expression of macros; the descriptor is for reading and writing. */
static inline int cposix_open_unnamed(const char *_Nonnull folder, mode_t mode)
{
    return open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, mode);
}

/* sync_file_range is a GNU call with flags that are macros: write all of the file and wait for that. */
static inline int cposix_write_out(int fd)
{
    return sync_file_range(
        fd, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
}

/* Whether the file system is one of this machine's own (ext2 to ext4, XFS, Btrfs, tmpfs, F2FS, overlay, ZFS): 1, 0,
   or -1 and errno. */
static inline int cposix_is_local(int fd)
{
    struct statfs system;
    if (fstatfs(fd, &system) == -1) return -1;
    switch ((unsigned int)system.f_type) {
    case 0xef53u: case 0x58465342u: case 0x9123683eu: case 0x01021994u: case 0xf2f52010u: case 0x794c7630u:
    case 0x2fc12fc1u: return 1;
    default: return 0;
    }
}

/* ST_NOSUID is of an enumeration type that Swift does not convert. */
static inline int cposix_nosuid(void) { return ST_NOSUID; }

/* ioctl is variadic, and SIOCOUTQ a function-like macro. */
static inline int cposix_unread_by_peer(int socket)
{
    int count = 0;
    return ioctl(socket, SIOCOUTQ, &count) == -1 ? -1 : count;
}

/* Whether a limit of resources is in force below what Debian gives a user and a scanner needs: memory, processor time or the
   size of files bounded at all, fewer than 64 descriptors or 256 processes.  The names are of an enumeration type that Swift
   does not convert. */
static inline int cposix_has_tight_limits(void)
{
    struct rlimit limit;
    return (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        || (getrlimit(RLIMIT_DATA, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        || (getrlimit(RLIMIT_CPU, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        || (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        || (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 64)
        || (getrlimit(RLIMIT_NPROC, &limit) == 0 && limit.rlim_cur < 256);
}

/* RLIMIT_CORE is of an enumeration type that Swift does not convert. */
static inline int cposix_limit_core(const struct rlimit *_Nonnull limit)
{
    return setrlimit(RLIMIT_CORE, limit);
}

/* prctl is variadic. */
static inline int cposix_no_new_privileges(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }

/* _exit(CODE) when the signal comes: a handler may do little else, and Swift's run-time nothing. */
void cposix_exit_on(int number, int code);

/* environ is a global variable, which Swift 6 does not import. */
char *_Nullable *_Nullable cposix_environment(void);

/* How a child is to be started.  The arrays end in NULL where they have no count. */
struct cposix_launch {
    const char *_Nonnull path;
    char *_Nullable const *_Nonnull arguments;
    char *_Nullable const *_Nonnull environment;
    const char *_Nullable directory;      /* chdir here, as USER; NULL stays */
    const int *_Nonnull descriptors;      /* the child's fd i is a copy of descriptors[i], -1: closed */
    int descriptor_count;                 /* all higher ones are closed */
    int new_group;                        /* not 0: the child leads a process group of its own */
    int becomes_user;                     /* not 0: group and user become these two for good; never 0 (EPERM) */
    uid_t user;
    gid_t group;                          /* its only one: there are no supplementary groups */
    int leaves_real_user;                 /* not 0: real and saved user become the effective one */
    rlim_t processor_seconds;             /* RLIMIT_CPU, 0: as inherited */
    rlim_t address_space;                 /* RLIMIT_AS in bytes, 0: as inherited */
    rlim_t file_size;                     /* RLIMIT_FSIZE in bytes, 0: as inherited */
    int failure;                          /* out: errno of the step that failed */
};

/* futimens for the time of the last change alone.  UTIME_OMIT is a macro with a cast. */
static inline int cposix_set_modified(int fd, time_t seconds)
{
    const struct timespec times[2] = {{0, UTIME_OMIT}, {seconds, 0}};
    return futimens(fd, times);
}

/* Start a child with vfork and execve; -1 and errno, or its process id.  Nothing but system calls runs
   in between, which Swift cannot promise.  A program that cannot be exec'd is reported as -1 here. */
pid_t cposix_start(struct cposix_launch *_Nonnull launch);

/* Become the program of LAUNCH, with nothing but system calls; returns only to say why not, as errno would. */
int cposix_become(const struct cposix_launch *_Nonnull launch);

/* Start a child as cposix_start does and go on at once: it shares our memory until its execve, but we are not
   suspended until then, as vfork would have it.  MEMORY comes from malloc, holds all that LAUNCH points at but the
   descriptors, and is freed here when the child has left.  A program that cannot be exec'd is a child that ends with
   code 111.  With 64 children on their way this one is started by cposix_start. */
pid_t cposix_start_aside(struct cposix_launch *_Nonnull launch, void *_Nonnull memory);

/* Why that child, which has ended, could not exec its program: errno, and 0 when it could; asked once. */
int cposix_failure_aside(pid_t child);

/* openat is variadic; nothing is made, so there are no permissions. */
static inline int cposix_open_in(int folder, const char *_Nonnull name, int flags)
{
    return openat(folder, name, flags);
}

/* Send FD over the Unix socket SOCKET with one byte of data; 0 or -1. The CMSG macros need C. */
int cposix_send_descriptor(int socket, int fd);

#endif
