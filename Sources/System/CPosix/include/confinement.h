#ifndef CPOSIX_CONFINEMENT_H
#define CPOSIX_CONFINEMENT_H

/* Calls that bound what a process and its descendants can do, for which libc has a variadic function or none. */

/* Make what capset(2) permits effective; 0 or -1. */
int cposix_raise_capabilities(void);

/* Give up all capabilities, ambient ones too, for good; 0 or -1. */
int cposix_drop_capabilities(void);

/* Whether one is permitted, effective or inheritable: 1 or 0, or -1. */
int cposix_has_capabilities(void);

/* PR_SET_DUMPABLE to 0, PR_GET_NO_NEW_PRIVS, PR_SET_CHILD_SUBREAPER, PR_SET_PDEATHSIG to SIGKILL; prctl(2) is variadic. */
int cposix_end_with_parent(void);
int cposix_hide_memory(void);
int cposix_may_gain_privileges(void);
int cposix_adopt_orphans(void);

/* RLIMIT_NPROC is of an enumeration type that Swift does not convert; a tighter limit stays; 0 or -1. */
int cposix_limit_processes(unsigned long count);

/* A landlock(7) domain in the making, as a descriptor; or -1. In it nothing can be read, listed or moved to another folder
   but what cposix_domain_allow says. Every domain keeps a process from ptrace(2) and the like of processes outside, and
   from Linux 6.12 on from signals to them. */
int cposix_domain(void);

/* Allow to read what has this name in a folder (AT_FDCWD for a path) and all below it, and, if LISTS, to list it; a link
   is passed over; 0 or -1. */
int cposix_domain_allow(int domain, int folder, const char *_Nonnull name, int lists);

/* Enter the domain, for good; 0 or -1. It needs PR_SET_NO_NEW_PRIVS. */
int cposix_domain_enter(int domain);

/* Wait, without waiting, for any child, also one that sends no SIGCHLD; as waitpid(2). */
int cposix_forget_ended(void);

/* Open a folder by a name in another, for reading, never through a link; openat(2) is variadic. */
int cposix_open_folder(int parent, const char *_Nonnull name);

/* The file capabilities below 32 that PATH permits, as bits; 0 when it has none; -1. */
long cposix_file_capabilities(const char *_Nonnull path);
static inline long cposix_bit_of_setgid(void) { return 1L << 6; /* CAP_SETGID */ }

#endif
