/* exec-time ROUNDS NAME COMMAND [NAME COMMAND]...: what it takes to start each command and see it end.
 *
 * Each round starts every command once, so that whatever else the machine does meets all of them.  A command
 * is a path without arguments; descriptors are /dev/null.  Prints NAME, minimum and median in microseconds. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double microseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double start(char *path, const posix_spawn_file_actions_t *actions)
{
    char *argv[] = {path, NULL};
    pid_t child;
    int status;
    double begin = microseconds();
    if (posix_spawn(&child, path, actions, NULL, argv, environ) != 0) {
        fprintf(stderr, "exec-time: unable to start %s\n", path);
        exit(111);
    }
    while (waitpid(child, &status, 0) == -1) {}
    double taken = microseconds() - begin;
    if (!WIFEXITED(status)) {
        fprintf(stderr, "exec-time: %s crashed\n", path);
        exit(111);
    }
    return taken;
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 0, commands = (argc - 2) / 2;
    if (rounds < 1 || commands < 1) {
        fprintf(stderr, "usage: exec-time ROUNDS NAME COMMAND [NAME COMMAND]...\n");
        return 100;
    }
    posix_spawn_file_actions_t null;
    posix_spawn_file_actions_init(&null);
    for (int fd = 0; fd <= 2; fd++)
        posix_spawn_file_actions_addopen(&null, fd, "/dev/null", O_RDWR, 0);
    double *taken = calloc((size_t)rounds * (size_t)commands, sizeof *taken);
    if (!taken) return 111;
    for (int i = -20; i < rounds; i++) /* the first ones only warm up */
        for (int c = 0; c < commands; c++) {
            double t = start(argv[3 + 2 * c], &null);
            if (i >= 0) taken[c * rounds + i] = t;
        }
    for (int c = 0; c < commands; c++) {
        qsort(taken + c * rounds, (size_t)rounds, sizeof *taken, ascending);
        printf("%s %.0f %.0f\n", argv[2 + 2 * c], taken[c * rounds], taken[c * rounds + rounds / 2]);
    }
    return 0;
}
