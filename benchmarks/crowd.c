/* (C) Datadog, Inc. 2026-present
 * All rights reserved
 * Licensed under a 3-clause BSD style license (see LICENSE)
 *
 * Usage: crowd COUNT. So many processes, each with a name and a command line of its own, that wait until this one ends.
 * It says `ready` once they are all there.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static const char *LINE = "worker-%06d --number=%06d --listen=0.0.0.0:8080 --config=/etc/worker/config.yaml --verbosity=2";

int main(int argc, char **argv) {
    char line[256], name[32], byte = 0;
    int count = atoi(argv[1]), ends[2];
    if (argc == 2) {
        /* Once more with a command line that is as long as those of the others, for they write over it. */
        snprintf(line, sizeof line, LINE, 0, 0);
        execl("/proc/self/exe", line, argv[1], "", (char *)NULL);
        return 70;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (pipe(ends) != 0) return 70;
    for (int number = 0; number < count; number++) {
        pid_t child = fork();
        if (child < 0) {
            perror("fork");
            return 70;
        }
        if (child == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            snprintf(name, sizeof name, "worker-%d", number);
            prctl(PR_SET_NAME, name);
            size_t room = strlen(argv[0]);
            snprintf(line, sizeof line, LINE, number, number);
            memcpy(argv[0], line, room);
            for (size_t at = 0; at < room; at++) if (argv[0][at] == ' ') argv[0][at] = 0;
            if (write(ends[1], &byte, 1) != 1) return 70;
            for (;;) pause();
        }
    }
    for (int number = 0; number < count; number++) if (read(ends[0], &byte, 1) != 1) return 70;
    puts("ready");
    fflush(stdout);
    for (;;) pause();
}
