/* connections load IP PORT COUNT CLIENTS: make COUNT connections, CLIENTS at a time, each read to its end; prints
 *     the seconds.
 * connections idle IP PORT COUNT: make COUNT connections, print "ready" when each has got a byte, and keep them
 *     until the end of descriptor 0.
 * connections session: what the server runs: connections to 127.0.0.2 stay until the client hangs up, others end at once. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int connected(const char *ip, const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(port))};
    inet_pton(AF_INET, ip, &address.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd == -1 || connect(fd, (struct sockaddr *)&address, sizeof address) == -1) {
        perror("connections");
        exit(111);
    }
    return fd;
}

static int load(char **words)
{
    int count = atoi(words[2]), clients = atoi(words[3]);
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (int i = 0; i < clients; i++) {
        if (fork() != 0) continue;
        for (int j = i; j < count; j += clients) {
            char byte;
            int fd = connected(words[0], words[1]);
            while (read(fd, &byte, 1) > 0) {}
            close(fd);
        }
        _exit(0);
    }
    int status, failed = 0;
    while (wait(&status) > 0) failed |= status;
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("%f\n", (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9);
    return failed ? 111 : 0;
}

static int idle(char **words)
{
    char byte;
    int count = atoi(words[2]), *fds = calloc((size_t)count, sizeof *fds);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    for (int i = 0; i < count; i++) {
        fds[i] = connected(words[0], words[1]);
        if (read(fds[i], &byte, 1) != 1) return 111;
    }
    puts("ready");
    fflush(stdout);
    return read(0, &byte, 1) == 0 ? 0 : 111;
}

int main(int argc, char **argv)
{
    const char *local = getenv("TCPLOCALIP");
    char byte = '.';
    if (argc == 6 && !strcmp(argv[1], "load")) return load(argv + 2);
    if (argc == 5 && !strcmp(argv[1], "idle")) return idle(argv + 2);
    if (argc == 2 && local && !strcmp(local, "127.0.0.2")) {
        if (write(1, &byte, 1) == 1) while (read(0, &byte, 1) > 0) {}
    }
    return 0;
}
