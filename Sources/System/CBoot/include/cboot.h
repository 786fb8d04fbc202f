#ifndef CBOOT_H
#define CBOOT_H

/* The arguments of the process, kept by a constructor: the Swift runtime reads them
   from /proc, which a chroot may not have. */

/* How many arguments there are, the program's name included. */
int cboot_argument_count(void);

/* Argument I, or NULL past the end. */
const char *_Nullable cboot_argument(int i);

#endif
