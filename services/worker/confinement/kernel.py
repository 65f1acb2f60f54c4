"""System calls that the standard library lacks, by ctypes: prctl(2), seccomp(2), landlock(7), capset(2)."""

import ctypes
import os
import platform
from dataclasses import dataclass
from functools import cache
from typing import Final

PR_SET_DUMPABLE: Final = 4
PR_SET_SECUREBITS: Final = 28
PR_SET_NO_NEW_PRIVS: Final = 38
PR_CAP_AMBIENT: Final = 47
PR_CAP_AMBIENT_RAISE: Final = 2


@dataclass(frozen=True, slots=True)
class Architecture:
    """What the kernel calls a processor's interface (`audit`, linux/audit.h), and the numbers of some calls."""

    name: str
    audit: int
    seccomp: int
    capset: int


ARCHITECTURES: Final = {
    "x86_64": Architecture("x86_64", 0xC000003E, seccomp=317, capset=126),
    "aarch64": Architecture("aarch64", 0xC00000B7, seccomp=277, capset=91),
}
LANDLOCK_CREATE_RULESET: Final = 444
LANDLOCK_ADD_RULE: Final = 445
LANDLOCK_RESTRICT_SELF: Final = 446
"""The numbers of Landlock's calls, the same on all architectures."""


def architecture() -> Architecture | None:
    """The architecture of this process; None for another one than the two whose numbers are known."""
    if platform.system() != "Linux" or ctypes.sizeof(ctypes.c_void_p) != 8:
        return None
    return ARCHITECTURES.get(platform.machine())


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def call(number: int, *arguments: int | None) -> int:
    """Make a system call; return its answer. Raises OSError."""
    words = [ctypes.c_long(0 if one is None else one) for one in arguments]
    answer = int(_libc().syscall(ctypes.c_long(number), *words))
    if answer < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return answer


def prctl(option: int, *arguments: int) -> None:
    """Set an attribute of this process. Raises OSError."""
    words = [ctypes.c_ulong(one) for one in (*arguments, 0, 0, 0, 0)[:4]]
    if _libc().prctl(ctypes.c_int(option), *words) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
