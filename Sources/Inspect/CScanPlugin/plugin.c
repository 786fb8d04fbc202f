/* The plugin interface has no code of its own; SwiftPM wants a source file. */
#include "qhpsi_plugin.h"
