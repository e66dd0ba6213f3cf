# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""A tiny real program that plays the kubelet: any name, arguments, environment, working directory and root."""

from __future__ import annotations

import os
import select
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

DEADLINE_SECONDS = 20.0

# STANDIN_* in its environment say what it does. Then it writes its pid to the descriptor STANDIN_READY, and waits.
# It starts again only while it waits: its ready line has gone out by then, and no reader of another one is left.
SOURCE = r"""
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void fail(const char *what) {
    perror(what);
    exit(70);
}

/* Writes over the arguments and, after them, the environment, as setproctitle does: with no NUL at the end. */
static void rewrite(char **argv, const char *title) {
    char *end = argv[0];
    for (char **text = argv; *text; text++) end = *text + strlen(*text) + 1;
    for (char **text = environ; *text; text++) if (*text == end) end += strlen(*text) + 1;
    size_t room = end - argv[0], length = strlen(title);
    char *copy = strdup(title);
    memcpy(argv[0], copy, length < room ? length : room);
    free(copy);
}

int main(int argc, char **argv) {
    const char *ready = getenv("STANDIN_READY"), *comm = getenv("STANDIN_COMM"), *title = getenv("STANDIN_TITLE");
    const char *root = getenv("STANDIN_ROOT"), *folder = getenv("STANDIN_FOLDER"), *program = getenv("STANDIN_RUN");
    const char *again = getenv("STANDIN_AGAIN");
    int handle = ready ? atoi(ready) : -1, received;
    pid_t shown = getpid();
    sigset_t asked;
    (void)argc;
    sigemptyset(&asked);
    sigaddset(&asked, SIGUSR1);
    if (again && sigprocmask(SIG_BLOCK, &asked, NULL) != 0) fail("sigprocmask");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (program) {
        pid_t child = fork();
        if (child < 0) fail("fork");
        if (child == 0) {
            char *run = strdup(program);
            unsetenv("STANDIN_RUN");
            execv(run, argv + 1);
            fail("execv");
        }
        close(handle);
        for (;;) pause();
    }
    if (root) {
        if (geteuid() != 0 && unshare(CLONE_NEWUSER) != 0) fail("unshare");
        if (chroot(root) != 0) fail("chroot");
    }
    if (folder && chdir(folder) != 0) fail("chdir");
    if (getenv("STANDIN_ZOMBIE")) {
        siginfo_t info;
        if ((shown = fork()) == 0) _exit(0);
        if (waitid(P_PID, shown, &info, WEXITED | WNOWAIT) != 0) fail("waitid");
        comm = "holder";
    }
    if (comm) prctl(PR_SET_NAME, comm);
    prctl(PR_SET_DUMPABLE, getenv("STANDIN_CLOSED") ? 0 : 1);
    if (title) rewrite(argv, title);
    if (handle >= 0) {
        dprintf(handle, "%d\n", (int)shown);
        close(handle);
    }
    if (again && sigwait(&asked, &received) == 0) {
        unsetenv("STANDIN_READY");
        execv(again, argv);
        fail("execv");
    }
    for (;;) pause();
}
"""


def build(folder: Path) -> Path:
    """Compile the program into a folder; its file is named kubelet, for the kernel takes comm from there."""
    source = folder / 'standin.c'
    source.write_text(SOURCE)
    program = folder / 'kubelet'
    subprocess.run(['gcc', '-O1', '-Wall', '-Werror', '-o', str(program), str(source)], check=True)
    return program


@dataclass(frozen=True)
class Standin:
    """A running program: `pid` is the process to look at, `launcher` the one that was launched (often the same)."""

    pid: int
    launcher: subprocess.Popen[bytes]

    def kill(self, *, reap: bool = True) -> None:
        """End it; with `reap=False` leave it a zombie."""
        self.launcher.send_signal(signal.SIGKILL)
        os.waitid(os.P_PID, self.launcher.pid, os.WEXITED | os.WNOWAIT)
        if reap:
            self.launcher.wait()


class Standins:
    """Launches programs, and ends them all when it is left."""

    def __init__(self, program: Path, folder: Path) -> None:
        self.program = program
        self.folder = folder
        self.launched: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Standins:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.launched:
            process.kill()
            process.wait()

    def named(self, name: str, folder: Path | None = None) -> Path:
        """The program under another file name: the name is what /proc/PID/comm will show."""
        path = (folder or self.folder) / name
        if not path.exists():
            path.write_bytes(self.program.read_bytes())
            path.chmod(0o755)
        return path

    def launch(
        self,
        argv: Sequence[str | bytes] = ('kubelet',),
        *,
        program: Path | str | None = None,
        cwd: Path | str = '/',
        environment: Mapping[str, str] | None = None,
        handles: Sequence[int] = (),
        **standin: str,
    ) -> Standin:
        """Start it with exactly this argv and wait until it says that it runs.

        `standin` sets STANDIN_*: comm, title, root and folder (the working directory in it), run (start this program
        with argv[1:]), again (run this program with the same argv at SIGUSR1), closed (not to be looked into, as a
        process of another user), zombie.
        `handles`: open files of ours that it holds too, such as a socket that listens.
        """
        reader, writer = os.pipe()
        variables = {f'STANDIN_{name.upper()}': value for name, value in standin.items()}
        try:
            process = subprocess.Popen(
                argv,
                executable=str(program or self.program),
                cwd=cwd,
                env={**variables, 'STANDIN_READY': str(writer), **(environment or {})},
                pass_fds=(writer, *handles),
                stdin=subprocess.DEVNULL,
            )
            self.launched.append(process)
        finally:
            os.close(writer)
        return Standin(read_pid(reader), process)


def read_pid(reader: int) -> int:
    with open(reader, 'rb') as ready:
        if not select.select([ready], [], [], DEADLINE_SECONDS)[0]:
            raise TimeoutError('the stand-in does not answer')
        return int(ready.readline())
