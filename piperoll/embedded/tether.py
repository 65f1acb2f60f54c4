"""Launcher of each process of the stack: requests a signal at the parent's death, then execs the program.

    python -I -S tether.py PARENT_PID SIGNAL UID GID PROGRAM [ARGUMENT ...]

UID and GID are numbers, or `-` to keep the current ones. On Linux the kernel sends SIGNAL (a number) when the parent
ends; elsewhere the stack's next start stops orphans. Exec keeps the process id. Standard library only, so that it
starts in milliseconds.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def main(argv: list[str]) -> None:
    """Exec PROGRAM; exit 125 if the parent has already ended."""
    parent, signal_number, uid, gid, *program = argv
    prctl = ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None
    if uid != "-":
        # Before prctl: the kernel clears the signal when a process changes its user.
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))
    if prctl is not None and prctl(_PR_SET_PDEATHSIG, int(signal_number), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != int(parent):
        sys.exit(125)
    os.execv(program[0], program)


if __name__ == "__main__":
    main(sys.argv[1:])
