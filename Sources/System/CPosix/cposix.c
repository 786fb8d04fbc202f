#include "cposix.h"

extern char **environ;

char **cposix_environment(void) { return environ; }

static int exit_codes[65];

static void leave(int number)
{
    _exit(exit_codes[number]);
}

void cposix_exit_on(int number, int code)
{
    if (number < 1 || number > 64) return;
    exit_codes[number] = code;
    signal(number, leave);
}

int cposix_send_descriptor(int socket, int fd)
{
    union {
        char space[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {{0}};
    char byte = 0;
    struct iovec data = {&byte, 1};
    struct msghdr message = {0};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.space;
    message.msg_controllen = sizeof control.space;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
    return sendmsg(socket, &message, MSG_NOSIGNAL) == 1 ? 0 : -1;
}
