"""Makes a process that a worker started end when the worker ends."""

import ctypes
import os
import signal

PR_SET_PDEATHSIG = 1  # prctl(2)


def die_with(parent: int) -> None:
    """Has the kernel kill this process when its parent, the process of that id, ends, however it ends.

    Raises SystemExit when it has ended already. Ctrl-C is ignored from here on: it is for the worker, which drains.
    """
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        raise SystemExit(0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
