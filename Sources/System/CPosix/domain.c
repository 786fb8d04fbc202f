/* See confinement.h. */
#include "cposix.h"
#include "confinement.h"
#include <stdint.h>
#include <sys/syscall.h>

/* As in linux/landlock.h, whose fields and constants came one by one. */
struct ruleset { uint64_t files, network, scopes; };
struct beneath { uint64_t allowed; int32_t folder; } __attribute__((packed));
enum { domain_create = 444, domain_add = 445, domain_enter = 446, rule_beneath = 1 };
#define READ_FILE (1ULL << 2)
#define READ_FOLDER (1ULL << 3)
#define MOVE_BETWEEN_FOLDERS (1ULL << 13)
#define SCOPE_SIGNALS (1ULL << 1)

int cposix_domain(void)
{
    struct ruleset wanted = {READ_FILE | READ_FOLDER | MOVE_BETWEEN_FOLDERS, 0, SCOPE_SIGNALS};
    int rules = (int)syscall(domain_create, &wanted, sizeof wanted, 0);
    /* A kernel before 6.12 knows only some of the fields. */
    if (rules == -1 && (errno == E2BIG || errno == EINVAL))
        rules = (int)syscall(domain_create, &wanted, sizeof wanted.files, 0);
    return rules;
}

int cposix_domain_allow(int rules, int folder, const char *name, int lists)
{
    struct stat status;
    struct beneath place = {READ_FILE, openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC)};
    if (place.folder == -1) return -1;
    int failed = fstat(place.folder, &status) == -1;
    if (!failed && !S_ISLNK(status.st_mode)) {
        if (S_ISDIR(status.st_mode)) place.allowed |= MOVE_BETWEEN_FOLDERS | (lists ? READ_FOLDER : 0);
        failed = syscall(domain_add, rules, rule_beneath, &place, 0) == -1;
    }
    int reason = errno;
    close(place.folder);
    errno = reason;
    return failed ? -1 : 0;
}

int cposix_domain_enter(int rules) { return (int)syscall(domain_enter, rules, 0); }
