/*
 * Sends mail as Postfix's smtp-source does, one message a connection, and prints what that program does not tell: how long
 * the server took to answer the end of DATA.
 *
 *   smtp-load [-t] [-r RECIPIENTS] ADDRESS PORT SESSIONS MESSAGES BYTES RECIPIENT…
 *
 * Each message's text is like no other's, so that no scanner knows it.  The recipients take turns; -r gives each message
 * that many, -t sends it under STARTTLS, each session with a handshake of its own, no certificate being looked at.
 * Output: seconds in all, then the median and the 99th percentile of the answers' times in milliseconds.  A reply that is
 * not the one to be had ends it.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct {
    int socket;
    SSL *tls;
} connection_t;

static struct sockaddr_in server;
static SSL_CTX *context;
static int messages, bytes, recipients, each = 1;
static char **recipient;
static double *answers;
static atomic_int next;
static unsigned long long seed;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void fail(const char *what, const char *reply)
{
    fprintf(stderr, "smtp-load: %s: %s\n", what, reply);
    exit(1);
}

static void expect(connection_t *connection, char digit, const char *what)
{
    char reply[4096];
    size_t length = 0;
    for (;;) {
        size_t room = sizeof reply - 1 - length;
        ssize_t count = connection->tls ? SSL_read(connection->tls, reply + length, room)
                                        : read(connection->socket, reply + length, room);
        if (count <= 0) fail(what, "the server closed");
        length += count;
        reply[length] = 0;
        char *line = reply, *end;
        for (; (end = strchr(line, '\n')); line = end + 1)
            if (end - line > 3 && line[3] == ' ') {
                if (line[0] != digit) fail(what, line);
                return;
            }
        if (length == sizeof reply - 1) fail(what, "too long");
    }
}

static void put(connection_t *connection, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t count = connection->tls ? SSL_write(connection->tls, data, length)
                                        : write(connection->socket, data, length);
        if (count <= 0) fail("write", "the server closed");
        data += count;
        length -= count;
    }
}

static void say(connection_t *connection, const char *line, char digit)
{
    put(connection, line, strlen(line));
    expect(connection, digit, line);
}

/* A mail of about that many bytes; its letters come from its number and the time of the start. */
static size_t compose(char *mail, int number, const char *to)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+ ";
    unsigned long long state = seed + 0x9e3779b97f4a7c15ULL * (number + 1);
    size_t length = sprintf(mail,
        "From: Alice <alice@example.org>\r\nTo: <%s>\r\nSubject: message %d\r\n"
        "Date: Tue, 24 Nov 2026 12:00:00 +0000\r\nMessage-ID: <%llu.%d@example.org>\r\n\r\n",
        to, number, seed, number);
    for (int column = 0; length + 5 < (size_t)bytes; column++) {
        if (column == 72) {
            length += sprintf(mail + length, "\r\n");
            column = 0;
        }
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        mail[length++] = letters[state >> 58];
    }
    return length + sprintf(mail + length, "\r\n.\r\n");
}

/* The handshake, after the greeting. */
static void start_tls(connection_t *connection)
{
    say(connection, "EHLO client.example.org\r\n", '2');
    say(connection, "STARTTLS\r\n", '2');
    SSL *tls = SSL_new(context);
    SSL_set_fd(tls, connection->socket);
    if (SSL_connect(tls) != 1) fail("STARTTLS", "no handshake");
    connection->tls = tls;
}

static void send_message(int number, char *mail)
{
    char line[512];
    int yes = 1;
    connection_t connection = {socket(AF_INET, SOCK_STREAM, 0), NULL};
    const char *to = recipient[number * each % recipients];
    size_t length = compose(mail, number, to);
    if (connect(connection.socket, (struct sockaddr *)&server, sizeof server) != 0) fail("connect", "no connection");
    setsockopt(connection.socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    expect(&connection, '2', "greeting");
    if (context) start_tls(&connection);
    say(&connection, "EHLO client.example.org\r\n", '2');
    say(&connection, "MAIL FROM:<alice@example.org>\r\n", '2');
    for (int i = 0; i < each; i++) {
        snprintf(line, sizeof line, "RCPT TO:<%s>\r\n", recipient[(number * each + i) % recipients]);
        say(&connection, line, '2');
    }
    say(&connection, "DATA\r\n", '3');
    put(&connection, mail, length);
    double sent = now();
    expect(&connection, '2', "end of DATA");
    answers[number] = now() - sent;
    say(&connection, "QUIT\r\n", '2');
    SSL_free(connection.tls);
    close(connection.socket);
}

static void *session(void *unused)
{
    char *mail = malloc(bytes + 2048);
    int number;
    while ((number = atomic_fetch_add(&next, 1)) < messages) send_message(number, mail);
    free(mail);
    return unused;
}

static int order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    int option;
    while ((option = getopt(argc, argv, "+tr:")) != -1)
        if (option == 't') context = SSL_CTX_new(TLS_client_method());
        else if (option == 'r') each = atoi(optarg);
        else return 100;
    argc -= optind - 1;
    argv += optind - 1;
    if (argc < 7 || each < 1)
        fail("usage", "smtp-load [-t] [-r RECIPIENTS] ADDRESS PORT SESSIONS MESSAGES BYTES RECIPIENT...");
    int sessions = atoi(argv[3]);
    server.sin_family = AF_INET;
    server.sin_addr.s_addr = inet_addr(argv[1]);
    server.sin_port = htons(atoi(argv[2]));
    messages = atoi(argv[4]);
    bytes = atoi(argv[5]);
    recipient = argv + 6;
    recipients = argc - 6;
    answers = calloc(messages, sizeof *answers);
    seed = time(NULL) * 1000003ULL + getpid();
    pthread_t *threads = calloc(sessions, sizeof *threads);
    double start = now();
    for (int i = 0; i < sessions; i++) pthread_create(&threads[i], NULL, session, NULL);
    for (int i = 0; i < sessions; i++) pthread_join(threads[i], NULL);
    double end = now();
    qsort(answers, messages, sizeof *answers, order);
    printf("%.4f %.2f %.2f\n", end - start, answers[messages / 2] * 1e3, answers[messages * 99 / 100] * 1e3);
    return 0;
}
