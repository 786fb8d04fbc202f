#ifndef CCLAMAV_SHIM_H
#define CCLAMAV_SHIM_H

/* As in cposix.h: one program must not see the headers of libc in two forms. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <clamav.h>

#endif
