/* The callbacks of PAM.  They are C because their answers must come from malloc and their pointers to functions
   pass as data, neither of which Swift does outside of Posix. */
#include "cpam.h"

#include <stdlib.h>
#include <string.h>

static void forget(struct pam_response *answers, int count)
{
    for (int i = 0; i < count; i++) {
        if (!answers[i].resp) continue;
        explicit_bzero(answers[i].resp, strlen(answers[i].resp));
        free(answers[i].resp);
    }
    free(answers);
}

static int converse(int count, const struct pam_message **questions, struct pam_response **result, void *password)
{
    if (count < 1 || count > PAM_MAX_NUM_MSG) return PAM_CONV_ERR;
    struct pam_response *answers = calloc((size_t)count, sizeof *answers);
    if (!answers) return PAM_BUF_ERR;
    for (int i = 0; i < count; i++) {
        switch (questions[i]->msg_style) {
        case PAM_PROMPT_ECHO_OFF:
            answers[i].resp = strdup(password);
            if (answers[i].resp) continue;
            forget(answers, count);
            return PAM_BUF_ERR;
        case PAM_ERROR_MSG:
        case PAM_TEXT_INFO: continue; /* there is nobody to tell */
        default:
            forget(answers, count);
            return PAM_CONV_ERR;
        }
    }
    *result = answers;
    return PAM_SUCCESS;
}

static void no_delay(int status, unsigned microseconds, void *data)
{
    (void)status;
    (void)microseconds;
    (void)data;
}

int cpam_start(const char *service, const char *user, const char *password, pam_handle_t **handle)
{
    /* The library copies the structure. */
    struct pam_conv conversation = {converse, (void *)password};
    int status = pam_start(service, user, &conversation, handle);
    if (status != PAM_SUCCESS) return status;
    void (*delay)(int, unsigned, void *) = no_delay;
    return pam_set_item(*handle, PAM_FAIL_DELAY, *(void **)&delay);
}
