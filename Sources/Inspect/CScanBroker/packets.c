/* Packets with descriptors; see cscanbroker.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "cscanbroker.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { most = 4, kind = SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK };

union control {
    char space[CMSG_SPACE(sizeof(int) * most)];
    struct cmsghdr align;
};

static int at_path(const char *path, int (*call)(int, const struct sockaddr *, socklen_t))
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, kind, 0);
    if (fd != -1 && call(fd, (struct sockaddr *)&address, sizeof address) == -1) {
        int reason = errno;
        close(fd);
        errno = reason;
        return -1;
    }
    return fd;
}

static int bind_at(int fd, const struct sockaddr *address, socklen_t size) { return bind(fd, address, size); }
static int connect_to(int fd, const struct sockaddr *address, socklen_t size) { return connect(fd, address, size); }

int cscan_bound(const char *path) { return at_path(path, bind_at); }
int cscan_connected(const char *path) { return at_path(path, connect_to); }
int cscan_listen(int socket, int backlog) { return listen(socket, backlog); }
int cscan_accept(int listener) { return accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK); }

int cscan_pair(int *one, int *other)
{
    int ends[2];
    if (socketpair(AF_UNIX, kind, 0, ends) == -1) return -1;
    *one = ends[0];
    *other = ends[1];
    return 0;
}

int cscan_peer(int socket, unsigned *user, unsigned *group)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == -1) return -1;
    *user = peer.uid;
    *group = peer.gid;
    return 0;
}

int cscan_send(int socket, const void *bytes, long count, const int *descriptors, int descriptor_count)
{
    union control control = {{0}};
    struct iovec data = {(void *)bytes, (size_t)count};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
    if (descriptor_count > 0 && descriptor_count <= most) {
        size_t size = sizeof(int) * (size_t)descriptor_count;
        message.msg_control = control.space;
        message.msg_controllen = CMSG_SPACE(size);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(size);
        memcpy(CMSG_DATA(header), descriptors, size);
    }
    return sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == count ? 0 : -1;
}

long cscan_receive(int socket, void *bytes, long room, int *descriptors, int *descriptor_count)
{
    union control control = {{0}};
    struct iovec data = {bytes, (size_t)room};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control.space,
                             .msg_controllen = sizeof control.space};
    int count = 0;
    long length = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (length == -1) return -1;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
        count = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(descriptors, CMSG_DATA(header), sizeof(int) * (size_t)count);
    }
    int is_cut = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
    while (is_cut && count > 0) close(descriptors[--count]);
    *descriptor_count = is_cut ? -1 : count;
    return length;
}
