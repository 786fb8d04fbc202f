#ifndef CSTART_H
#define CSTART_H

/* Nothing is called from Swift: linking the target is what it is for. */

#endif
