"""Started by its path before each process of the stack: ties that process to its parent, then becomes it.

    python -I -S tether.py PARENT_PID SIGNAL UID GID PROGRAM [ARGUMENT ...]

UID and GID are numbers, or `-` to stay who we are. On Linux the kernel sends SIGNAL (a number) to the process
when its parent ends, however it ends; elsewhere the stack's next start clears up what was left. It replaces
itself by PROGRAM, so the process id stays. Only the standard library and nothing of ours: it must start in
milliseconds.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def main(argv: list[str]) -> None:
    """Become PROGRAM; exits 125 if the parent is already gone."""
    parent, signal_number, uid, gid, *program = argv
    prctl = ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None
    if uid != "-":
        # Before prctl: the kernel forgets the signal when a process changes its user.
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
