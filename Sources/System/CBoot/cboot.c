#include "cboot.h"

#include <stddef.h>

static int count;
static char **arguments;

/* glibc hands constructors the arguments of main, in static and dynamic programs alike. */
__attribute__((constructor)) static void keep(int argc, char **argv, char **envp)
{
    (void)envp;
    count = argc;
    arguments = argv;
}

int cboot_argument_count(void) { return count; }

const char *cboot_argument(int i) { return i < 0 || i >= count ? NULL : arguments[i]; }
