/*
 * A file system of one file, `image`, whose bytes are those of another file and whose fsync takes its time: with a loop
 * device on it, a disk whose cache takes that time to flush.
 *
 *   slow-disk FOLDER FILE MICROSECONDS
 *
 * FILE is best in a tmpfs, so that nothing else takes time.  It serves FOLDER until that is unmounted.
 */
#define FUSE_USE_VERSION 31
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int backing;
static struct timespec flush;

static int get_attributes(const char *path, struct stat *status, struct fuse_file_info *unused)
{
    (void)unused;
    if (fstat(backing, status) != 0) return -errno;
    if (strcmp(path, "/image") == 0) return 0;
    if (strcmp(path, "/") != 0) return -ENOENT;
    status->st_mode = S_IFDIR | 0700;
    status->st_nlink = 2;
    return 0;
}

static int open_image(const char *path, struct fuse_file_info *unused)
{
    (void)unused;
    return strcmp(path, "/image") == 0 ? 0 : -ENOENT;
}

static int read_bytes(const char *path, char *buffer, size_t size, off_t offset, struct fuse_file_info *unused)
{
    (void)path, (void)unused;
    ssize_t count = pread(backing, buffer, size, offset);
    return count < 0 ? -errno : (int)count;
}

static int write_bytes(const char *path, const char *buffer, size_t size, off_t offset, struct fuse_file_info *unused)
{
    (void)path, (void)unused;
    ssize_t count = pwrite(backing, buffer, size, offset);
    return count < 0 ? -errno : (int)count;
}

static int synchronize(const char *path, int data_only, struct fuse_file_info *unused)
{
    (void)path, (void)data_only, (void)unused;
    nanosleep(&flush, NULL);
    return 0;
}

static const struct fuse_operations operations = {
    .getattr = get_attributes, .open = open_image, .read = read_bytes, .write = write_bytes, .fsync = synchronize,
};

int main(int count, char **words)
{
    if (count != 4) {
        fprintf(stderr, "usage: slow-disk FOLDER FILE MICROSECONDS\n");
        return 100;
    }
    if ((backing = open(words[2], O_RDWR | O_CLOEXEC)) < 0) {
        perror(words[2]);
        return 111;
    }
    long microseconds = atol(words[3]);
    flush.tv_sec = microseconds / 1000000;
    flush.tv_nsec = microseconds % 1000000 * 1000;
    char *arguments[] = {words[0], "-f", "-o", "fsname=slow-disk", words[1], NULL};
    return fuse_main(5, arguments, &operations, NULL);
}
