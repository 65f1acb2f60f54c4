"""Keeps the memory of this process, which holds secrets and contents, away from core dumps and other processes."""

import ctypes
import os
import resource
import sys
from typing import Final

PR_SET_DUMPABLE: Final = 4  # prctl(2)


def keep_private() -> None:
    """Allow no core dump of this process and those that it starts, and no other process to read its memory and its
    environment, except those of root. Raises OSError.

    The limit of core dumps is inherited. That memory cannot be read ends when another program is executed (prctl(2)).
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform != "linux":
        return
    # Also for core dumps that the kernel pipes to a program, which the limit does not prevent (core(5)).
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
