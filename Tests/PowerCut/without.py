"""Programs whose syncs are left out, by strace(1); see Tests/PowerCut/run."""

import contextlib
import os
import pathlib
import re
import subprocess
import time

# What is left out, by strace(1): calls of a program. One journal keeps qmail-send's names in order as well, so that only its
# files' bytes can be missed.
WITHOUT = [
    ("qmail-queue", "fsync"),
    ("qmail-local", "fsync"),
    ("qmail-send", "fsync,sync_file_range"),
]


def attach(call):
    """Let calls of qmail-send's fork do nothing."""
    for _ in range(100):
        for entry in pathlib.Path("/proc").iterdir():
            try:
                name = os.readlink(entry / "exe")
                parent = re.search(r"^PPid:\s+(\d+)", (entry / "status").read_text(), re.M).group(1)
                if name.endswith("/qmail-send") and os.readlink(f"/proc/{parent}/exe") == name:
                    subprocess.Popen(["strace", "-q", "-o", "/dev/null", "-e", f"trace={call}",
                                      "-e", f"inject={call}:retval=0", "-p", entry.name])
                    time.sleep(0.5)
                    return
            except (OSError, AttributeError):
                continue
        time.sleep(0.1)
    raise SystemExit("power-cut: qmail-send has no fork")


@contextlib.contextmanager
def without(path, call):
    """Let calls of a program do nothing and say that they did."""
    real = path.with_name(path.name + ".real")
    path.rename(real)
    path.write_text(
        f"#!/bin/sh\n"
        # A set-id program that somebody else traces has no rights.
        f"[ ! -u /usr/sbin/{real.name} ] || [ $(id -u) = 0 ] || exec /usr/sbin/{real.name} \"$@\"\n"
        f"exec /usr/bin/strace -f -o /dev/null -e trace={call} -e inject={call}:retval=0 /usr/sbin/{real.name} \"$@\"\n")
    path.chmod(0o755)
    try:
        yield
    finally:
        path.unlink()
        real.rename(path)
