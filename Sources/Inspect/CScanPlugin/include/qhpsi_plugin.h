/* qhpsi_plugin.h - the interface between qhpsi and a scanner plugin; see qhpsi_plugin(3).
 *
 * A plugin is a shared object in PLUGINDIR.  It exports one of two entry points; the second is preferred
 * when both are there.  The names begin with the value of QUEUE_PLUGIN, by default "virusscan".
 *
 * The plugin runs in a process of its own for one message, as user qscand, with a clean environment,
 * resource limits and a deadline.  Whatever it does, crash included, the worst outcome is that
 * the message is deferred.
 */
#ifndef QHPSI_PLUGIN_H
#define QHPSI_PLUGIN_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What virusscan_v1 returns. Every other value is a failed scan. */
#define QHPSI_CLEAN 0       /* all of the message was looked at and nothing was found */
#define QHPSI_INFECTED 1    /* something was found; put its name into signature */
#define QHPSI_NOT_SCANNED 2 /* not all was looked at, though the scanner works; put the cause into reason */
#define QHPSI_FAILED 3      /* the scanner could not answer; put the cause into reason */

/* The message to scan.  Belongs to qhpsi; valid until the plugin returns. */
struct qhpsi_message {
    uint32_t size;         /* sizeof(struct qhpsi_message): new members come at the end */
    int descriptor;        /* the message, opened for reading, at offset 0 */
    const char *path;      /* its absolute path while the scan runs, for scanners that want one */
    uint64_t length;       /* its length in bytes */
    uint32_t milliseconds; /* what is left until the deadline, when the process is killed */
};

/* What the plugin has to say.  Belongs to qhpsi and comes zeroed; texts end in NUL. */
struct qhpsi_result {
    uint32_t size;       /* sizeof(struct qhpsi_result): new members come at the end */
    char signature[256]; /* the name of what was found */
    char reason[256];    /* why there is no verdict */
    char scanner[64];    /* who scanned, for the log; the plugin's name when empty */
};

/* The entry point with the descriptor and the signature's name. */
typedef int qhpsi_virusscan_v1(const struct qhpsi_message *message, struct qhpsi_result *result);
int virusscan_v1(const struct qhpsi_message *message, struct qhpsi_result *result);

/* The entry point of existing plugins: QHPSIRN (default 0) is clean, QHPSIRC (default 1) infected, every
 * other value a failed scan. */
typedef int qhpsi_virusscan(const char *path);
int virusscan(const char *path);

#ifdef __cplusplus
}
#endif

#endif
