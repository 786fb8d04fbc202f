#ifndef CSCANBROKER_H
#define CSCANBROKER_H

/* What the scan broker needs of the kernel and Swift cannot say: descriptors and credentials of Unix sockets come by
   macros (CMSG_*) and by structures that only GNU headers show, and namespaces by flags that are macros. Each returns -1
   and sets errno when it fails. */

/* A socket of packets (SOCK_SEQPACKET) that is bound to PATH and does not listen yet, or is connected to who listens
   there; it never waits. */
int cscan_bound(const char *_Nonnull path);
int cscan_listen(int socket, int backlog);
int cscan_connected(const char *_Nonnull path);

/* The next connection of LISTENER, which never waits; the connection does not, either. */
int cscan_accept(int listener);

/* Two sockets of packets that are connected with each other. */
int cscan_pair(int *_Nonnull one, int *_Nonnull other);

/* Effective user and group of who connected, at that moment; see unix(7), SO_PEERCRED. */
int cscan_peer(int socket, unsigned *_Nonnull user, unsigned *_Nonnull group);

/* Send a packet with copies of at most four descriptors, without waiting or SIGPIPE; 0. */
int cscan_send(int socket, const void *_Nonnull bytes, long count, const int *_Nullable descriptors, int descriptor_count);

/* Receive a packet without waiting: its length; 0: the other side has closed. At most four descriptors come with it;
   *DESCRIPTOR_COUNT says how many, and is -1 when the packet was longer than ROOM or had more of them: then all are
   closed. */
long cscan_receive(int socket, void *_Nonnull bytes, long room, int *_Nonnull descriptors, int *_Nonnull descriptor_count);

/* Whether the descriptor is of a regular file, or of memory as one, that can be read by it: 1 or 0. */
int cscan_is_readable(int fd);

/* The next child of this process is the first of a new pid namespace; and those after the second call are in OWN, a
   descriptor of /proc/self/ns/pid, again. */
int cscan_part_processes(void);
int cscan_rejoin_processes(int own);

/* A mount namespace with a /proc of the own pid namespace. */
int cscan_part_mounts(void);

/* Empty the capability bounding set, for good. */
int cscan_empty_bounding_set(void);

/* Whether other processes of the user can look into this one: 1 or 0. */
int cscan_is_dumpable(void);

/* Real and saved user REAL, effective user EFFECTIVE. */
int cscan_set_users(unsigned real, unsigned effective);

/* The version of landlock(7), -1 without it. */
int cscan_domain_version(void);

#endif
