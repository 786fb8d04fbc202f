/*
 * Run a command with all that it starts, leave out some of their system calls, and stop them for good at one.
 *
 *   until [skip PROGRAM CALL PATTERN]… at PROGRAM CALL PATTERN ACTION COMMAND [ARGUMENT]…
 *
 * PROGRAM is a file's name, or PARENT/NAME for what another program has started.  CALL is a system call of one file: its last
 * path, or else the file of its first descriptor, must match PATTERN, see fnmatch(3).  What is skipped does nothing and says
 * that it did; a write cannot be.
 * After the first call that AT means has gone well, sh(1) runs ACTION, all processes are killed, and this exits with 3; with 0
 * when the command has ended before.  Root's set-id programs keep their rights.
 */
#define _GNU_SOURCE
#include <fnmatch.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef __x86_64__
#error "the registers are those of x86-64"
#endif

/* Which argument has the path, or minus that with the descriptor, from 1. */
static const struct call {
    const char *name;
    long number;
    int argument;
} calls[] = {
    {"link", SYS_link, 2}, {"link", SYS_linkat, 4}, {"rename", SYS_rename, 2}, {"rename", SYS_renameat, 4},
    {"rename", SYS_renameat2, 4}, {"unlink", SYS_unlink, 1}, {"unlink", SYS_unlinkat, 2}, {"fsync", SYS_fsync, -1},
    {"fsync", SYS_fdatasync, -1}, {"write-out", SYS_sync_file_range, -1}, {"write", SYS_write, -1},
    {"pwrite", SYS_pwrite64, -1},
};

struct rule {
    const char *program, *call, *pattern;
};

struct process {
    pid_t id;
    /* Its program, and that of who started it. */
    char name[64], parent[64];
    int is_inside, is_skipped, is_last;
};

enum { most = 256, options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE
    | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL };

static struct process processes[most];
static struct rule skipped[8], last;
static int skipped_count;

static struct process *find(pid_t id)
{
    struct process *empty = NULL;
    for (int i = 0; i < most; i++) {
        if (processes[i].id == id) return &processes[i];
        if (processes[i].id == 0 && empty == NULL) empty = &processes[i];
    }
    if (empty == NULL) { fprintf(stderr, "until: too many processes\n"); exit(111); }
    memset(empty, 0, sizeof *empty);
    empty->id = id;
    return empty;
}

/* A link of /proc; the text is empty when it cannot be read. */
static void look(char *text, pid_t id, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)id, name);
    ssize_t size = readlink(path, text, PATH_MAX - 1);
    text[size < 0 ? 0 : size] = 0;
}

static void name(struct process *process)
{
    char path[PATH_MAX];
    look(path, process->id, "exe");
    const char *slash = strrchr(path, '/');
    memcpy(process->parent, process->name, sizeof process->name);
    snprintf(process->name, sizeof process->name, "%s", slash ? slash + 1 : "");
}

static void subject(char *text, struct process *process, const struct call *call, struct user_regs_struct *registers)
{
    unsigned long long values[] = {registers->rdi, registers->rsi, registers->rdx, registers->r10};
    unsigned long long value = values[abs(call->argument) - 1];
    if (call->argument < 0) {
        char name[32];
        snprintf(name, sizeof name, "fd/%d", (int)value);
        look(text, process->id, name);
        return;
    }
    struct iovec local = {text, PATH_MAX - 1}, remote = {(void *)(uintptr_t)value, PATH_MAX - 1};
    ssize_t size = process_vm_readv(process->id, &local, 1, &remote, 1, 0);
    if (size < 0) {
        /* It lies at the end of what is there. */
        remote.iov_len = local.iov_len = 4096 - value % 4096;
        size = process_vm_readv(process->id, &local, 1, &remote, 1, 0);
    }
    text[size < 0 ? 0 : size] = 0;
}

static int is_meant(const struct rule *rule, const struct process *process, const struct call *call, const char *text)
{
    const char *slash = strchr(rule->program, '/');
    if (strcmp(rule->call, call->name) != 0 || fnmatch(rule->pattern, text, 0) != 0) return 0;
    if (slash == NULL) return strcmp(rule->program, process->name) == 0;
    size_t size = (size_t)(slash - rule->program);
    return strcmp(slash + 1, process->name) == 0 && strncmp(rule->program, process->parent, size) == 0 && process->parent[size] == 0;
}

static void begin(struct process *process)
{
    struct user_regs_struct registers;
    char text[PATH_MAX];
    process->is_skipped = process->is_last = 0;
    if (ptrace(PTRACE_GETREGS, process->id, NULL, &registers) != 0) return;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        if (calls[i].number != (long)registers.orig_rax) continue;
        subject(text, process, &calls[i], &registers);
        process->is_last = is_meant(&last, process, &calls[i], text);
        for (int k = 0; k < skipped_count; k++)
            process->is_skipped |= is_meant(&skipped[k], process, &calls[i], text);
    }
    if (!process->is_skipped) return;
    registers.orig_rax = (unsigned long long)-1;
    if (ptrace(PTRACE_SETREGS, process->id, NULL, &registers) != 0) perror("until");
}

/* Whether it was the last call. */
static int end(struct process *process)
{
    struct user_regs_struct registers;
    if (!process->is_skipped && !process->is_last) return 0;
    if (ptrace(PTRACE_GETREGS, process->id, NULL, &registers) != 0) return 0;
    if (process->is_skipped) {
        registers.rax = 0;
        if (ptrace(PTRACE_SETREGS, process->id, NULL, &registers) != 0) perror("until");
    }
    return process->is_last && (long long)registers.rax >= 0;
}

static int run(const char *action)
{
    int status;
    pid_t id;
    while ((id = waitpid(-1, &status, __WALL)) > 0) {
        struct process *process = find(id);
        int passed_on = 0;
        if (!WIFSTOPPED(status)) {
            process->id = 0;
            continue;
        }
        int number = WSTOPSIG(status), event = status >> 16;
        if (number == (SIGTRAP | 0x80)) {
            process->is_inside = !process->is_inside;
            if (process->is_inside) {
                begin(process);
            } else if (end(process)) {
                return system(action) == 0 ? 3 : 111;
            }
        } else if (event == PTRACE_EVENT_EXEC) {
            name(process);
        } else if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK || event == PTRACE_EVENT_CLONE) {
            unsigned long child;
            if (ptrace(PTRACE_GETEVENTMSG, id, NULL, &child) == 0) {
                struct process *new = find((pid_t)child);
                memcpy(new->name, process->name, sizeof new->name);
                memcpy(new->parent, process->parent, sizeof new->parent);
            }
        } else if (number != SIGSTOP && number != SIGTRAP) {
            passed_on = number;
        }
        ptrace(PTRACE_SYSCALL, id, NULL, passed_on);
    }
    return 0;
}

int main(int count, char **words)
{
    words++, count--;
    for (; count > 4 && strcmp(words[0], "skip") == 0 && skipped_count < 8; words += 4, count -= 4)
        skipped[skipped_count++] = (struct rule){words[1], words[2], words[3]};
    if (count < 6 || strcmp(words[0], "at") != 0) {
        fprintf(stderr, "usage: until [skip PROGRAM CALL PATTERN]... at PROGRAM CALL PATTERN ACTION COMMAND [ARGUMENT]...\n");
        return 100;
    }
    last = (struct rule){words[1], words[2], words[3]};
    pid_t child = fork();
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) _exit(111);
        raise(SIGSTOP);
        execvp(words[5], words + 5);
        perror(words[5]);
        _exit(111);
    }
    int status;
    if (child < 0 || waitpid(child, &status, 0) != child || ptrace(PTRACE_SETOPTIONS, child, NULL, options) != 0
        || ptrace(PTRACE_SYSCALL, child, NULL, 0) != 0) {
        perror("until");
        return 111;
    }
    find(child);
    return run(words[4]);
}
