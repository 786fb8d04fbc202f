/* Time whole sessions of an SMTP server, from its start to its end, as its client sees them:
   tls-session ROUNDS NAME=clear|tls PROGRAM…; prints NAME, minimum and median in microseconds for each.
   The variants take turns, so that each has the same share of a busy machine. */
#include <openssl/ssl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static void fail(const char *what)
{
    fprintf(stderr, "tls-session: %s\n", what);
    exit(1);
}

/* Read up to the end of a line that begins with CODE, with a space behind it. */
static void expect(int fd, SSL *ssl, const char *code)
{
    char text[4096];
    size_t count = 0;
    for (;;) {
        int got = ssl ? SSL_read(ssl, text + count, sizeof text - 1 - count)
                      : (int)read(fd, text + count, sizeof text - 1 - count);
        if (got <= 0) fail("the server hung up");
        count += got;
        text[count] = 0;
        const char *line = strstr(text, code);
        if (line && line[3] == ' ' && text[count - 1] == '\n') return;
        if (count > sizeof text - 100) fail("no such reply");
    }
}

static double session(const char *program, SSL_CTX *context)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) fail("no socket");
    double begun = now();
    pid_t child = vfork();
    if (child == 0) {
        char *arguments[] = {(char *)program, NULL};
        dup2(pair[1], 0);
        dup2(pair[1], 1);
        execve(program, arguments, environ);
        _exit(127);
    }
    close(pair[1]);
    SSL *ssl = NULL;
    if (context) {
        ssl = SSL_new(context);
        SSL_set_fd(ssl, pair[0]);
        if (SSL_connect(ssl) != 1) fail("no handshake");
    }
    expect(pair[0], ssl, "220");
    if ((ssl ? SSL_write(ssl, "QUIT\r\n", 6) : (int)write(pair[0], "QUIT\r\n", 6)) != 6) fail("write");
    expect(pair[0], ssl, "221");
    int status;
    waitpid(child, &status, 0);
    double time = now() - begun;
    SSL_free(ssl);
    close(pair[0]);
    if (status) fail("the server failed");
    return time;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 0, count = (argc - 2) / 2;
    if (rounds < 1 || count < 1) fail("usage: tls-session ROUNDS NAME=clear|tls PROGRAM...");
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    double *times = calloc((size_t)rounds * count, sizeof *times);
    for (int r = 0; r < rounds; r++)
        for (int i = 0; i < count; i++) {
            int tls = strstr(argv[2 + 2 * i], "=tls") != NULL;
            /* The program's own sign that TLS comes first. */
            if (tls) setenv("SMTPS", "1", 1); else unsetenv("SMTPS");
            times[i * rounds + r] = session(argv[3 + 2 * i], tls ? context : NULL);
        }
    for (int i = 0; i < count; i++) {
        qsort(times + i * rounds, rounds, sizeof *times, ascending);
        printf("%.*s %.0f %.0f\n", (int)strcspn(argv[2 + 2 * i], "="), argv[2 + 2 * i],
            times[i * rounds], times[i * rounds + rounds / 2]);
    }
    return 0;
}
