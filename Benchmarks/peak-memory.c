/* peak-memory FILE COMMAND [ARGUMENT...]: run a command; write to FILE each program it started, and the most memory
 * in KB that one had in RAM (VmHWM).
 *
 * The kernel stops the tree's processes when they exec and when they are about to exit (PTRACE_O_TRACEEXIT), so the
 * numbers are the last ones and not samples. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static void report(FILE *out, pid_t process)
{
    char path[64], line[256], name[64] = "?";
    long peak = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)process);
    FILE *status = fopen(path, "r");
    if (!status) return;
    while (fgets(line, sizeof line, status)) {
        sscanf(line, "Name: %63s", name);
        sscanf(line, "VmHWM: %ld", &peak);
    }
    fclose(status);
    fprintf(out, "%s %ld\n", name, peak);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: peak-memory FILE COMMAND [ARGUMENT...]\n");
        return 100;
    }
    FILE *out = fopen(argv[1], "w");
    if (!out) return 111;
    pid_t first = fork();
    if (first == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        execv(argv[2], argv + 2);
        _exit(127);
    }
    int status, result = 111;
    long follow = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |
                  PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL;
    if (waitpid(first, &status, 0) != first) return 111;
    ptrace(PTRACE_SETOPTIONS, first, NULL, follow);
    ptrace(PTRACE_CONT, first, NULL, NULL);
    pid_t process;
    while ((process = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
        if (process <= 0) continue;
        if (WIFEXITED(status) || WIFSIGNALED(status)) {
            if (process == first) result = WIFEXITED(status) ? WEXITSTATUS(status) : 111;
            continue;
        }
        int event = status >> 16, number = WSTOPSIG(status);
        if (event == PTRACE_EVENT_EXIT) report(out, process);
        /* New children begin with a SIGSTOP that is not for them, and events come as SIGTRAP. */
        if (event || number == SIGSTOP || number == SIGTRAP) number = 0;
        ptrace(PTRACE_CONT, process, NULL, (void *)(long)number);
    }
    fclose(out);
    return result;
}
