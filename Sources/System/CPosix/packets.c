/* One descriptor beside a packet of a Unix socket: the CMSG macros need C. */
#include "cposix.h"

union control {
    char space[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
};

long cposix_send_packet(int socket, const void *bytes, unsigned long count, int fd)
{
    union control control = {{0}};
    struct iovec data = {(void *)bytes, count};
    struct msghdr message = {0};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    if (fd >= 0) {
        message.msg_control = control.space;
        message.msg_controllen = sizeof control.space;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &fd, sizeof fd);
    }
    return sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

long cposix_receive_packet(int socket, void *bytes, unsigned long count, int *fd)
{
    union control control;
    struct iovec data = {bytes, count};
    struct msghdr message = {0};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.space;
    message.msg_controllen = sizeof control.space;
    *fd = -1;
    long size = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    if (size < 0) return -1;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header))
        if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS
            && header->cmsg_len == CMSG_LEN(sizeof(int)))
            memcpy(fd, CMSG_DATA(header), sizeof *fd);
    if (message.msg_flags & MSG_TRUNC) {
        errno = EMSGSIZE;
        if (*fd >= 0) close(*fd);
        *fd = -1;
        return -1;
    }
    return size;
}
