/*
 * Two disks with volatile caches, as a file system of three files.
 *
 *   disk record FOLDER IMAGE0 IMAGE1 TRACE
 *     FOLDER/0 is IMAGE0 and FOLDER/1 IMAGE1, for loop devices; each write and each flush of them is written down in TRACE.
 *     What is written to FOLDER/mark is written down between them: it has been promised to somebody.
 *   disk cut TRACE DISK BASE CUT SEED OUT
 *     Make of BASE, which the disk was at first, in OUT what is left of it when the power fails behind the first CUT
 *     records: all that was written before its last flush, and of the later writes a part, by SEED: none if that is 0. Of blocks of 4096 bytes
 *     that survive one in eight is torn: some of its sectors are new, the others old.  Its output is how many writes
 *     the last flush was after, and a sum of what survives after that; OUT may be - for that alone.
 *   disk list TRACE
 *     A line for each record: W, F, or M and the text.
 *
 * A record is a letter, the disk in a byte, an offset of 8 bytes and a length of 4, then so many bytes.
 */
#define FUSE_USE_VERSION 31
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct record {
    char kind, disk;
    uint64_t offset;
    uint32_t length;
};

static int images[2];
static FILE *trace;
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

/* The disk of a path, or -1. */
static int disk(const char *path)
{
    return strcmp(path, "/0") == 0 ? 0 : strcmp(path, "/1") == 0 ? 1 : -1;
}

static void put(char kind, int number, const char *bytes, uint64_t offset, uint32_t length)
{
    if (fputc(kind, trace) == EOF || fputc(number, trace) == EOF || fwrite(&offset, 8, 1, trace) != 1 || fwrite(&length, 4, 1, trace) != 1
        || (length > 0 && fwrite(bytes, length, 1, trace) != 1) || fflush(trace) != 0) {
        perror("trace");
        abort();
    }
}

static int get_attributes(const char *path, struct stat *status, struct fuse_file_info *unused)
{
    (void)unused;
    int number = disk(path);
    if (fstat(images[number > 0], status) != 0) return -errno;
    if (number >= 0) return 0;
    status->st_size = 0;
    if (strcmp(path, "/mark") == 0) return 0;
    if (strcmp(path, "/") != 0) return -ENOENT;
    status->st_mode = S_IFDIR | 0700;
    status->st_nlink = 2;
    return 0;
}

static int open_file(const char *path, struct fuse_file_info *file)
{
    if (strcmp(path, "/mark") == 0) file->direct_io = 1;
    return disk(path) >= 0 || strcmp(path, "/mark") == 0 ? 0 : -ENOENT;
}

static int truncate_file(const char *path, off_t length, struct fuse_file_info *unused)
{
    (void)length, (void)unused;
    return strcmp(path, "/mark") == 0 ? 0 : -EPERM;
}

static int read_bytes(const char *path, char *buffer, size_t size, off_t offset, struct fuse_file_info *unused)
{
    (void)unused;
    if (disk(path) < 0) return 0;
    ssize_t count = pread(images[disk(path)], buffer, size, offset);
    return count < 0 ? -errno : (int)count;
}

static int write_bytes(const char *path, const char *buffer, size_t size, off_t offset, struct fuse_file_info *unused)
{
    (void)unused;
    ssize_t count = (ssize_t)size;
    pthread_mutex_lock(&turn);
    if (disk(path) < 0) {
        put('M', 0, buffer, 0, (uint32_t)size);
    } else {
        count = pwrite(images[disk(path)], buffer, size, offset);
        if (count > 0) put('W', disk(path), buffer, (uint64_t)offset, (uint32_t)count);
    }
    pthread_mutex_unlock(&turn);
    return count < 0 ? -errno : (int)count;
}

static int synchronize(const char *path, int data_only, struct fuse_file_info *unused)
{
    (void)data_only, (void)unused;
    if (disk(path) < 0) return 0;
    pthread_mutex_lock(&turn);
    put('F', disk(path), NULL, 0, 0);
    pthread_mutex_unlock(&turn);
    return 0;
}

static const struct fuse_operations operations = {
    .getattr = get_attributes, .open = open_file, .truncate = truncate_file, .read = read_bytes,
    .write = write_bytes, .fsync = synchronize,
};

/* The next record, and its bytes in BUFFER, which grows; 0 at the end. */
static int next(FILE *file, struct record *record, char **buffer, size_t *room)
{
    int kind = fgetc(file), number = fgetc(file);
    if (number == EOF) return 0;
    record->kind = (char)kind;
    record->disk = (char)number;
    if (fread(&record->offset, 8, 1, file) != 1 || fread(&record->length, 4, 1, file) != 1) return 0;
    if (record->length > *room) {
        *room = record->length;
        if ((*buffer = realloc(*buffer, *room)) == NULL) abort();
    }
    return record->length == 0 || fread(*buffer, record->length, 1, file) == 1;
}

static uint64_t state;

/* xorshift64*: the same parts for the same seed. */
static uint32_t chance(uint32_t below)
{
    state ^= state >> 12, state ^= state << 25, state ^= state >> 27;
    return (uint32_t)((state * 2685821657736338717u) >> 33) % below;
}

/* FNV-1a of what has survived, and where. */
static uint64_t sum = 14695981039346656037u;

static void add(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) sum = (sum ^ (unsigned char)bytes[i]) * 1099511628211u;
}

static int write_all(int fd, const char *bytes, size_t length, uint64_t offset)
{
    while (length > 0 && fd != -1) {
        ssize_t count = pwrite(fd, bytes, length, (off_t)offset);
        if (count <= 0) return -1;
        bytes += count, offset += (uint64_t)count, length -= (size_t)count;
    }
    return 0;
}

/* Let a part of a write survive: whole blocks of 4096 bytes, and of one in eight of these only some sectors. */
static int survive(int fd, const char *bytes, const struct record *record, uint32_t percent)
{
    for (uint32_t block = 0; block < record->length; block += 4096) {
        if (chance(100) >= percent) continue;
        int torn = chance(8) == 0;
        for (uint32_t start = block; start < block + 4096 && start < record->length; start += 512) {
            uint32_t size = record->length - start < 512 ? record->length - start : 512;
            if (torn && chance(2) == 0) continue;
            uint64_t place = record->offset + start;
            add((const char *)&place, sizeof place);
            add(bytes + start, size);
            if (write_all(fd, bytes + start, size, record->offset + start) != 0) return -1;
        }
    }
    return 0;
}

static int cut(char **words)
{
    FILE *file = fopen(words[0], "r");
    int own = atoi(words[1]);
    long number = atol(words[3]), last = 0, i;
    static const uint32_t parts[] = {0, 10, 50, 90, 100};
    struct record record;
    char *buffer = NULL;
    size_t room = 0;
    char command[4096];
    if (file == NULL) { perror(words[0]); return 111; }
    int fd = -1;
    if (strcmp(words[5], "-") != 0) {
        snprintf(command, sizeof command, "cp --sparse=always '%s' '%s'", words[2], words[5]);
        if (system(command) != 0) return 111;
        fd = open(words[5], O_RDWR | O_CLOEXEC);
        if (fd < 0) { perror(words[5]); return 111; }
    }
    for (i = 0; i < number && next(file, &record, &buffer, &room); i++)
        if (record.kind == 'F' && record.disk == own) last = i + 1;
    rewind(file);
    long written = 0;
    state = strtoull(words[4], NULL, 10) * 0x9e3779b97f4a7c15u + 1;
    uint32_t percent = strcmp(words[4], "0") == 0 ? 0 : parts[chance(5)];
    for (i = 0; i < number && next(file, &record, &buffer, &room); i++) {
        if (record.kind != 'W' || record.disk != own) continue;
        written += i < last;
        int bad = i < last ? write_all(fd, buffer, record.length, record.offset)
                           : survive(fd, buffer, &record, percent);
        if (bad) { perror(words[5]); return 111; }
    }
    free(buffer);
    fclose(file);
    printf("%ld %016llx\n", written, (unsigned long long)sum);
    return fd == -1 || close(fd) == 0 ? 0 : 111;
}

static int list(char **words)
{
    FILE *file = fopen(words[0], "r");
    struct record record;
    char *buffer = NULL;
    size_t room = 0;
    if (file == NULL) { perror(words[0]); return 111; }
    while (next(file, &record, &buffer, &room)) {
        if (record.kind == 'M') printf("M %.*s\n", (int)record.length, buffer);
        else printf("%c\n", record.kind);
    }
    free(buffer);
    fclose(file);
    return 0;
}

int main(int count, char **words)
{
    if (count == 8 && strcmp(words[1], "cut") == 0) return cut(words + 2);
    if (count == 3 && strcmp(words[1], "list") == 0) return list(words + 2);
    if (count != 6 || strcmp(words[1], "record") != 0) {
        fprintf(stderr,
            "usage: disk record FOLDER IMAGE0 IMAGE1 TRACE | cut TRACE DISK BASE CUT SEED OUT | list TRACE\n");
        return 100;
    }
    if ((images[0] = open(words[3], O_RDWR | O_CLOEXEC)) < 0 || (images[1] = open(words[4], O_RDWR | O_CLOEXEC)) < 0
        || (trace = fopen(words[5], "we")) == NULL) {
        perror("disk");
        return 111;
    }
    char *arguments[] = {words[0], "-f", "-o", "fsname=power-cut", words[2], NULL};
    return fuse_main(5, arguments, &operations, NULL);
}
