#ifndef CCARES_SHIM_H
#define CCARES_SHIM_H

/* As CPosix has it: with it, libc's structures have other members. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

/* From 1.28 on ares_query and its like are marked as deprecated. What replaces them takes answers apart, and is not in
   Debian 12; DNSMessage reads the bytes. */
#define CARES_NO_DEPRECATED

#include <ares.h>
#include <poll.h>
#include <sys/time.h>

/* The statuses of callbacks: macros in Debian 12, members of an enumeration from 1.20 on, and `int` for callbacks in both. */
static const int ccares_success = ARES_SUCCESS;
static const int ccares_no_data = ARES_ENODATA;
static const int ccares_not_found = ARES_ENOTFOUND;
static const int ccares_bad_response = ARES_EBADRESP;

/* ARES_GETSOCK_READABLE and its like are function-like macros: descriptor I of the channel with the events of
   poll(2) that it is waited for with; 0 when there are no more. */
static inline int ccares_wanted(ares_channel channel, int i, int *_Nonnull fd)
{
    ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
    int map = ares_getsock(channel, sockets, ARES_GETSOCK_MAXNUM);

    if (i >= ARES_GETSOCK_MAXNUM) return 0;
    *fd = sockets[i];
    return (ARES_GETSOCK_READABLE(map, i) ? POLLIN : 0) | (ARES_GETSOCK_WRITABLE(map, i) ? POLLOUT : 0);
}

/* struct timeval comes in and goes out by pointer: milliseconds until c-ares wants to be asked, LIMIT at most. */
static inline int ccares_wait(ares_channel channel, int limit)
{
    struct timeval most = {limit / 1000, limit % 1000 * 1000}, buffer;
    struct timeval *wait = ares_timeout(channel, &most, &buffer);

    return wait ? (int)(wait->tv_sec * 1000 + (wait->tv_usec + 999) / 1000) : limit;
}

#endif
