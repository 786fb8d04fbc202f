/* Starting a child that the parent does not wait for; see cposix_start_aside in the header. */
#include "launch.h"
#include <sched.h>

/* What a child uses of our memory until its execve. */
struct place {
    /* Set by us; the kernel clears it when the child has left our memory (CLONE_CHILD_CLEARTID). */
    int is_occupied;
    /* The child, while nobody has asked for a failure that it left. */
    pid_t child;
    int failure;
    void *memory;
    struct cposix_launch launch;
    int descriptors[cposix_most_descriptors];
    char stack[3072] __attribute__((aligned(16)));
};

enum { place_count = 64 };
static struct place places[place_count];

static int run(void *argument)
{
    struct place *place = argument;
    place->failure = cposix_become(&place->launch);
    cposix_call(SYS_exit_group, 111, 0, 0, 0);
    return 0;
}

static struct place *free_place(void)
{
    for (int i = 0; i < place_count; i++) {
        struct place *place = &places[i];
        if (__atomic_load_n(&place->is_occupied, __ATOMIC_ACQUIRE) || place->failure) continue;
        free(place->memory);
        place->memory = NULL;
        return place;
    }
    return NULL;
}

pid_t cposix_start_aside(struct cposix_launch *launch, void *memory)
{
    struct place *place = free_place();
    if (!place || launch->descriptor_count > cposix_most_descriptors) {
        pid_t child = cposix_start(launch);
        free(memory);
        return child;
    }
    memcpy(place->descriptors, launch->descriptors, sizeof(int) * (size_t)launch->descriptor_count);
    place->launch = *launch;
    place->launch.descriptors = place->descriptors;
    place->memory = memory;
    place->is_occupied = 1;
    /* No handler of ours may run in the child. */
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    place->child = clone(run, place->stack + sizeof place->stack, CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD, place,
                         NULL, NULL, &place->is_occupied);
    int reason = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (place->child == -1) place->is_occupied = 0;
    errno = reason;
    return place->child;
}

int cposix_failure_aside(pid_t child)
{
    for (int i = 0; i < place_count; i++) {
        if (places[i].child != child || !places[i].failure) continue;
        int failure = places[i].failure;
        places[i].failure = 0;
        return failure;
    }
    return 0;
}
