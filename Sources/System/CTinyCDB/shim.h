#ifndef CTINYCDB_SHIM_H
#define CTINYCDB_SHIM_H

#include <cdb.h>

#endif
