#ifndef CPOSIX_LAUNCH_H
#define CPOSIX_LAUNCH_H
#include "cposix.h"
#include <sys/syscall.h>

/* Most descriptors that a child can be given. */
enum { cposix_most_descriptors = 16 };

/* A system call whose failure is its value, -errno: in a child that runs beside its parent in one memory, errno
   is the parent's, which libc would overwrite. */
static inline long cposix_call(long number, long a, long b, long c, long d)
{
#if defined(__x86_64__)
    register long r10 __asm__("r10") = d;
    long value;
    __asm__ volatile("syscall" : "=a"(value) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
                     : "rcx", "r11", "memory");
    return value;
#elif defined(__aarch64__)
    register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c, x3 __asm__("x3") = d;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
    return x0;
#else
#error "how this machine makes a system call is missing here"
#endif
}

/* Give signals that are ignored back to their default. What is seen here the parent knows, too, if it shares its memory. */
void cposix_default_ignored(void);

#endif
