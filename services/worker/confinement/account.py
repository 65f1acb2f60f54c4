"""A separate account for a confined process whose worker is root: a user id that nothing else has."""

import ctypes
import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from services.worker.confinement.kernel import (
    PR_CAP_AMBIENT,
    PR_CAP_AMBIENT_RAISE,
    PR_SET_SECUREBITS,
    Architecture,
    call,
    prctl,
)

FIRST_ID: Final = 0x70000000
"""The user id of a process is this and its process id: above the ids that systems and containers give out."""
READ_ALL: Final = 2  # CAP_DAC_READ_SEARCH
OVER_FILES: Final = 1 << 1 | 1 << READ_ALL
"""CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH: what root needs to read files of others."""
NEEDED: Final = {"CAP_CHOWN": 0, "CAP_SETGID": 6, "CAP_SETUID": 7, "CAP_SETPCAP": 8}
STATUS: Final = Path("/proc/self/status")
KEEP_CAPABILITIES: Final = 1 << 2  # SECBIT_NO_SETUID_FIXUP: over a change of the user id, and for access(2)
CAPABILITY_VERSION: Final = 0x20080522  # linux/capability.h, version 3
UID_MAP: Final = Path("/proc/self/uid_map")


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("process", ctypes.c_int))


class _Capabilities(ctypes.Structure):
    _fields_ = tuple((f"{kind}_{half}", ctypes.c_uint32) for half in ("low", "high") for kind in ("now", "may", "give"))


def own_id() -> int:
    """The user id of this process, if it gets one."""
    return FIRST_ID + os.getpid()


def is_mapped(user: int, ranges: str) -> bool:
    """Whether a user namespace has an id; `ranges` is the content of UID_MAP (user_namespaces(7))."""
    rows = (tuple(map(int, line.split())) for line in ranges.splitlines())
    return any(first <= user < first + count for first, _, count in rows)


def lacking(status: str) -> list[str]:
    """The capabilities that a process needs for another account and lacks; `status` is the content of STATUS."""
    held = _capabilities(status)
    return [name for name, number in NEEDED.items() if not held >> number & 1]


def can_read_all(status: str) -> bool:
    """Whether a process can keep the capability to read all files; containers often take it away."""
    return bool(_capabilities(status) >> READ_ALL & 1)


def _capabilities(status: str) -> int:
    """The permitted capabilities, a set of bits (proc(5))."""
    return next((int(line.split()[1], 16) for line in status.splitlines() if line.startswith("CapPrm:")), 0)


def refusal(reads_all: bool, needed: Iterable[Path]) -> str | None:
    """Why this process cannot get another account; None if it can.

    With `reads_all` it keeps the capability to read all that Landlock allows. Without, `needed` must be readable.
    """
    if os.geteuid() != 0:
        return "the worker is not root"
    if missing := lacking(STATUS.read_text()):
        return f"the worker lacks {', '.join(missing)}"
    with suppress(OSError, ValueError):
        if not is_mapped(own_id(), UID_MAP.read_text()):
            return f"the user ids from {FIRST_ID} are not mapped in this container"
    if not reads_all and _umask() & stat.S_IROTH:
        return "other accounts cannot read what the worker writes (umask)"
    if not reads_all and (closed := next((path for path in needed if not _open_to_all(path)), None)) is not None:
        return f"other accounts cannot read {closed}"
    return None


def _umask() -> int:
    """The rights that new files of this process lack; the system reports them only when they are set."""
    found = os.umask(0o077)
    os.umask(found)
    return found


def _open_to_all(path: Path) -> bool:
    """Whether other accounts can read a folder or file."""
    with suppress(FileNotFoundError):
        resolved = path.resolve(strict=True)
        passable = all(parent.stat().st_mode & stat.S_IXOTH for parent in resolved.parents)
        return passable and bool(resolved.stat().st_mode & stat.S_IROTH)
    return True  # what does not exist is not read


def change(architecture: Architecture, folders: Iterable[Path], reads_all: bool) -> None:
    """Give this process its own account, which owns `folders`, and no group. Raises OSError."""
    user = own_id()
    for folder in folders:
        os.chown(folder, user, user)
    prctl(PR_SET_SECUREBITS, KEEP_CAPABILITIES)
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    kept = 1 << READ_ALL if reads_all else 0
    _keep(architecture, kept, kept)
    if reads_all:  # also for the programs that it starts
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, READ_ALL)


def drop_powers(architecture: Architecture) -> None:
    """Leave a process of root that gets no other account the rights over files alone. Raises OSError.

    Landlock bounds these. With no_new_privs no program that it starts gets the others back.
    """
    _keep(architecture, OVER_FILES & _capabilities(STATUS.read_text()), 0)


def _keep(architecture: Architecture, kept: int, inherited: int) -> None:
    header, sets = _Header(CAPABILITY_VERSION, 0), _Capabilities(kept, kept, inherited, 0, 0, 0)
    call(architecture.capset, ctypes.addressof(header), ctypes.addressof(sets))
