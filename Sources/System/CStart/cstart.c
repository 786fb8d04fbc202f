/*
 * What comes before main in a static program, without glibc's questions to the processor.
 *
 * glibc's start asks CPUID 68 times, for the best memcpy and the sizes of caches.  In a virtual machine each goes to the
 * hypervisor, 9 to 16 microseconds on the one that this was measured on: 0.6 milliseconds for each program that is started,
 * eight times what the kernel takes for it.  Programs that are started for a message copy little.
 *
 * This does what csu/libc-start.c of glibc 2.36 does, but asks nothing about the processor: its functions for memory and
 * strings are those that any x86-64 has.  Nor does it look for GLIBC_TUNABLES, which compares every variable of the
 * environment with every tunable.  Nor does it ask /proc where the program's file is, which only dlopen wants to know.
 * With another libc or processor there is nothing here, and libc's own is linked.
 */
#include "cstart.h"

#include <features.h>

#if defined(__x86_64__) && __GLIBC__ == 2 && __GLIBC_MINOR__ == 36

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

#define OF_LIBC extern __attribute__((visibility("hidden")))

typedef void (*Initializer)(int, char **, char **);

OF_LIBC char **__environ;
OF_LIBC void *__libc_stack_end;
OF_LIBC uintptr_t *_dl_random;
OF_LIBC int __libc_enable_secure;
OF_LIBC Initializer __preinit_array_start[], __preinit_array_end[];
OF_LIBC Initializer __init_array_start[], __init_array_end[];
OF_LIBC void (*__fini_array_start[])(void), (*__fini_array_end[])(void);
OF_LIBC void _dl_aux_init(Elf64_auxv_t *);
OF_LIBC void _dl_relocate_static_pie(void);
OF_LIBC void __libc_setup_tls(void);
OF_LIBC int __cxa_atexit(void (*)(void *), void *, void *);
OF_LIBC void __libc_early_init(_Bool);
OF_LIBC void __libc_init_first(int, char **, char **);
OF_LIBC void __libc_check_standard_fds(void);
OF_LIBC void _init(void);
OF_LIBC void _fini(void);
_Noreturn void exit(int);

/* Sizes for memcpy and memset, in bytes: glibc's own before it has asked. */
long __x86_data_cache_size = 32 << 10, __x86_data_cache_size_half = 16 << 10;
long __x86_shared_cache_size = 1 << 20, __x86_shared_cache_size_half = 1 << 19;
long __x86_shared_non_temporal_threshold = 3 << 18;
long __x86_rep_movsb_threshold = 2048, __x86_rep_movsb_stop_threshold = 3 << 18;
long __x86_rep_stosb_threshold = 2048;
int __x86_string_control;

/* The folder of the program's file, $ORIGIN in the paths of libraries: not known, as where there is no /proc. */
__attribute__((visibility("hidden"))) const char *_dl_get_origin(void) { return (const char *)-1; }

static void finish(void *unused)
{
    (void)unused;
    for (ptrdiff_t i = __fini_array_end - __fini_array_start; i-- > 0;) __fini_array_start[i]();
    _fini();
}

static void initialize(Initializer *next, Initializer *end, int argc, char **argv)
{
    for (; next < end; next++) (*next)(argc, argv, __environ);
}

/* It sets the stack's guard, so it has none itself. */
__attribute__((no_stack_protector)) _Noreturn int __libc_start_main(
    int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void), void (*fini)(void),
    void (*loader)(void *), void *stack)
{
    (void)init, (void)fini;
    char **end = __environ = argv + argc + 1;
    __libc_stack_end = stack;
    while (*end) end++;
    _dl_aux_init((Elf64_auxv_t *)(end + 1));
    /* The choice of functions for memory and strings is among the relocations. */
    _dl_relocate_static_pie();
    __libc_setup_tls();
    /* A string that runs over into the guard must not be able to hold it: its first byte is 0. */
    __asm__ volatile("mov %0, %%fs:0x28" : : "r"(_dl_random[0] & ~(uintptr_t)0xff));
    __asm__ volatile("mov %0, %%fs:0x30" : : "r"(_dl_random[1]));
    if (loader) __cxa_atexit(loader, NULL, NULL);
    __libc_early_init(1);
    __libc_init_first(argc, argv, __environ);
    __cxa_atexit(finish, NULL, NULL);
    if (__libc_enable_secure) __libc_check_standard_fds();
    initialize(__preinit_array_start, __preinit_array_end, argc, argv);
    _init();
    initialize(__init_array_start, __init_array_end, argc, argv);
    exit(main(argc, argv, __environ));
}

#endif
