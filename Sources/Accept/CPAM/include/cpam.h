#ifndef CPAM_H
#define CPAM_H

/* As in cposix.h: one program must not see the headers of libc in two forms. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <security/pam_appl.h>

/* pam_start(3) for a user whose password, a C string that must live until pam_end(3), answers every question
   for a secret; other questions are refused.  Modules do not delay failures: the caller does, for all alike. */
int cpam_start(const char *_Nonnull service, const char *_Nonnull user, const char *_Nonnull password,
               pam_handle_t *_Nullable *_Nonnull handle);

#endif
