/* An example of a plugin for qhpsi: it finds messages that contain a phrase.  See qhpsi_plugin(3).
 *
 *     cc -std=c99 -Wall -shared -fPIC -o example.so qhpsi-plugin-example.c
 *     install -m 644 example.so /usr/lib/qhpsi/plugins/
 *
 * and then QHPSI='plugin:example.so' with SCAN_PHRASE set to the phrase.
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <qhpsi_plugin.h>

#define PHRASE_MAX 256

/* Read on until the buffer is full or the message ends; -1 and errno, or how much there is. */
static long fill(int descriptor, char *buffer, long have, long room)
{
    while (have < room) {
        ssize_t count = read(descriptor, buffer + have, (size_t)(room - have));
        if (count == 0) break;
        if (count == -1 && errno == EINTR) continue;
        if (count == -1) return -1;
        have += count;
    }
    return have;
}

int virusscan_v1(const struct qhpsi_message *message, struct qhpsi_result *result)
{
    char buffer[65536];
    const char *phrase = getenv("SCAN_PHRASE");
    long length, have = 0, i;

    snprintf(result->scanner, sizeof result->scanner, "example");
    if (!phrase || !*phrase || strlen(phrase) > PHRASE_MAX) {
        snprintf(result->reason, sizeof result->reason, "SCAN_PHRASE is not set or too long");
        return QHPSI_FAILED;
    }
    length = (long)strlen(phrase);
    for (;;) {
        have = fill(message->descriptor, buffer, have, (long)sizeof buffer);
        if (have == -1) {
            snprintf(result->reason, sizeof result->reason, "read: %s", strerror(errno));
            return QHPSI_FAILED;
        }
        for (i = 0; i + length <= have; i++) {
            if (memcmp(buffer + i, phrase, (size_t)length) != 0) continue;
            snprintf(result->signature, sizeof result->signature, "Example.Phrase");
            return QHPSI_INFECTED;
        }
        if (have < (long)sizeof buffer) return QHPSI_CLEAN;
        /* The phrase may begin in this piece and end in the next. */
        memmove(buffer, buffer + have - (length - 1), (size_t)(length - 1));
        have = length - 1;
    }
}
